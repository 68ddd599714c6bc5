/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <abi/errors.h>

/* One load that the compiler neither repeats nor splits. */
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))

static bool segment_ok(const struct ata_segment *s) {
    return s->bytes >= 2 && s->bytes <= ATA_SEGMENT_MAX && s->bytes % 2 == 0 && s->paddr % 2 == 0 &&
           s->paddr <= ATA_PHYS_LIMIT - s->bytes;
}

static err read_segments(const struct ata_slot *slot, struct ata_request *out) {
    u64 total = 0;
    for (u32 i = 0; i < out->segments; i++) {
        struct ata_segment *s = &out->segment[i];
        s->paddr = READ_ONCE(slot->segment[i].paddr);
        s->bytes = READ_ONCE(slot->segment[i].bytes);
        if (!segment_ok(s))
            return -E_INVAL;
        total += s->bytes;
    }
    return total == (u64)out->sectors * ATA_SECTOR_BYTES ? 0 : -E_INVAL;
}

err request_read(const struct ata_ring *ring, u32 index, u64 disk_sectors, struct ata_request *out) {
    const struct ata_slot *slot = &ring->slot[index];
    out->slot = index;
    u32 op = READ_ONCE(slot->op);
    out->op = (enum ata_op)op;
    out->lba = READ_ONCE(slot->lba);
    out->sectors = READ_ONCE(slot->sectors);
    out->segments = READ_ONCE(slot->segments);
    out->trace = READ_ONCE(slot->trace);
    if (op == ATA_FLUSH)
        return out->lba == 0 && out->sectors == 0 && out->segments == 0 ? 0 : -E_INVAL;
    if (op != ATA_READ && op != ATA_WRITE)
        return -E_INVAL;
    if (out->sectors == 0 || out->sectors > ATA_SECTORS_MAX)
        return -E_INVAL;
    if (out->segments == 0 || out->segments > ATA_SEGMENTS_MAX)
        return -E_INVAL;
    if (out->sectors > disk_sectors || out->lba > disk_sectors - out->sectors)
        return -E_INVAL;
    return read_segments(slot, out);
}

int request_next(const struct ata_ring *ring) {
    int best = -1;
    u64 best_order = 0;
    for (int i = 0; i < (int)ATA_SLOTS; i++) {
        if (ata_slot_status(&ring->slot[i]) != ATA_QUEUED)
            continue;
        u64 order = READ_ONCE(ring->slot[i].order);
        if (best < 0 || order < best_order) {
            best = i;
            best_order = order;
        }
    }
    return best;
}

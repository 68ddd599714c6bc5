/* SPDX-License-Identifier: MIT */
/* The ring to ata: bio number i travels in slot i, so that there is always a slot for a bio. The frames of a
 * request are pinned while it is under way. One thread hears of completions and waits for nothing else. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <ipc/space.h>
#include <proto/ata.def>
#include <proto/ata_ring.h>
#include <proto/bits.h>
#include <string.h>

#include "shell.h"

_Static_assert((u32)BIOS == ATA_SLOTS && (u32)BIO_SEGS <= ATA_SEGMENTS_MAX &&
                   (u32)BIO_SECTORS <= ATA_SECTORS_MAX && (u32)BIO_SEGS <= LIST_MAX &&
                   (u32)SECTOR_BYTES == ATA_SECTOR_BYTES,
               "every bio fits a slot, and is pinned at once");

enum { RING_ORDER = 3 };
_Static_assert(ATA_RING_FRAMES <= 1u << RING_ORDER, "the ring fits its frames");

static struct ata_ring *ring;
static u32 disk_endpoint; /* notified by ata */
static bool busy[BIOS];   /* the slot is with ata */
static u64 order;         /* of the next request */

u64 sectors_read;

static void list_frames(const struct bio *bio) {
    for (u32 i = 0; i < bio->nsegs; i++)
        ipc_area()[i] = bio->seg[i].frame;
}

void disk_submit(void *ctx, struct bio *bio) {
    (void)ctx;
    u32 number = bio->slot;
    struct ata_slot *slot = &ring->slot[number];
    ASSERT(!busy[number]);
    busy[number] = true;
    list_frames(bio);
    err pinned = sys_pin(bio->nsegs);
    ASSERT(pinned == bio->nsegs);
    slot->op = ATA_READ;
    slot->order = order++;
    slot->lba = bio->sector;
    slot->sectors = bio->sectors;
    slot->segments = bio->nsegs;
    slot->trace = worker_self()->call;
    for (u32 i = 0; i < bio->nsegs; i++)
        slot->segment[i] =
            (struct ata_segment){bio->seg[i].frame * PAGE_BYTES + bio->seg[i].offset, bio->seg[i].bytes};
    sectors_read += bio->sectors;
    ata_slot_set_status(slot, ATA_QUEUED);
    err e = sys_notify(SERVICE(SRV_ATA), BIT(BIT_RING));
    ASSERT(e == 0);
}

static void complete(u32 number) {
    struct ata_slot *slot = &ring->slot[number];
    struct bio *bio = cache.bios.bio[number];
    err status = slot->error ? -E_IO : 0;
    ata_slot_set_status(slot, ATA_FREE);
    busy[number] = false;
    list_frames(bio);
    err unpinned = sys_unpin(bio->nsegs);
    ASSERT(unpinned == bio->nsegs);
    bio_done(&cache, bio, status);
}

static void completion_thread(void *argument) {
    (void)argument;
    for (;;) {
        for (u32 i = 0; i < BIOS; i++)
            if (busy[i] && ata_slot_status(&ring->slot[i]) == ATA_DONE)
                complete(i);
        (void)ipc_sleep(disk_endpoint, 0); /* whatever bit it was: all slots are looked at */
    }
}

/* The ring in frames of ours, seen here and by ata. */
static err make_ring(void) {
    struct map_item items[ATA_RING_FRAMES];
    vaddr at = __get_free_pages(GFP_KERNEL, RING_ORDER);
    if (!at)
        return -E_NOMEM;
    ring = (struct ata_ring *)at;
    memset(ring, 0, ATA_RING_FRAMES * PAGE_BYTES);
    ring->magic = ATA_RING_MAGIC;
    ring->slots = ATA_SLOTS;
    for (u32 i = 0; i < ATA_RING_FRAMES; i++)
        items[i] = (struct map_item){(ATA_RING_WINDOW + i * PAGE_BYTES) | MAP_READ | MAP_WRITE,
                                     virt_to_pfn((const void *)at) + i};
    return space_map(WINDOW(SRV_ATA), items, ATA_RING_FRAMES);
}

/* Sends a copy of one of our capabilities with the next call; its slot, to be dropped after it. */
static u32 lend(u32 slot, u64 rights) {
    u32 copy = slot_alloc();
    ASSERT(copy);
    err e = sys_cap_copy(SLOT_TABLE, copy, slot, rights, 0);
    ASSERT(e == 0);
    ipc_next_send_cap(copy);
    return copy;
}

static void take_back(u32 copy) {
    err e = sys_cap_drop(SLOT_TABLE, copy);
    ASSERT(e == 0);
    slot_free(copy);
}

static err attach(u64 *sectors) {
    struct ata_attach_memory_rep memory;
    u32 copy = lend(SLOT_SPACE, RIGHT_COPY);
    err e = ata_attach_memory(SERVICE(SRV_ATA), &(struct ata_attach_memory_req){0}, &memory);
    take_back(copy);
    if (e)
        return e;
    struct ata_attach_rep rep;
    copy = lend(disk_endpoint, RIGHT_NOTIFY);
    e = ata_attach(SERVICE(SRV_ATA), &(struct ata_attach_req){.ring_pages = ATA_RING_FRAMES}, &rep);
    take_back(copy);
    *sectors = e ? 0 : rep.sectors;
    return e;
}

err disk_init(void) {
    u64 sectors;
    disk_endpoint = endpoint_create();
    if (!disk_endpoint)
        return -E_NOMEM;
    err e = make_ring();
    if (e)
        return e;
    e = attach(&sectors);
    if (e) {
        log_line("no disk: %s", err_name(e));
        return 0;
    }
    e = thread_spawn(COMPLETION_THREAD, completion_thread, NULL, "cache.disk");
    return e ? e : (err)sectors;
}

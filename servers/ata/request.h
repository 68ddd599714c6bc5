/* SPDX-License-Identifier: MIT */
/* A request as the driver works on it: the checked copy of a ring slot. */
#pragma once

#include <proto/ata_ring.h>

struct ata_request {
    u32 slot; /* index in the ring */
    enum ata_op op;
    u32 sectors; /* 0 for a flush */
    u64 lba;
    u64 trace;
    u32 segments; /* valid entries of segment[] */
    struct ata_segment segment[ATA_SEGMENTS_MAX];
};

/* The bus master addresses 32 bits: a segment that ends above 4 GiB goes through the bounce buffer. */
static inline bool segment_is_high(const struct ata_segment *s) {
    return s->paddr + s->bytes > 1ull << 32;
}

/* Reads slot `index` (each word once: cache may change it meanwhile) into *out and checks it against the
 * rules of <proto/ata_ring.h> and the disk's size in sectors. 0; -E_INVAL: a rule is broken, and *out is good
 * for trace only. */
must_check err request_read(const struct ata_ring *ring, u32 index, u64 disk_sectors,
                            struct ata_request *out);

/* The index of the QUEUED slot with the lowest order, or -1. */
int request_next(const struct ata_ring *ring);

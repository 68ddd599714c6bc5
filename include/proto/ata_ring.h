/* SPDX-License-Identifier: MIT */
/* The disk ring: requests in pages shared by cache (which owns the frames and writes the requests) and ata.
 *
 * One slot is one request. Its status says whose turn it is; nobody else writes the slot meanwhile:
 *
 *            cache            ata              ata             cache
 *     FREE -------> QUEUED -------> ACTIVE -------> DONE -------> FREE
 *
 * Submission: cache fills a FREE slot, stores QUEUED (ata_slot_set_status) and sets BIT_RING at ata's
 * endpoint. Completion: ata stores `error`, then DONE, and sets BIT_DISK at the endpoint that cache sent with
 * ata.attach. Order: ata takes the QUEUED slot with the lowest `order`, one at a time; the order is cache's
 * to number. Notifications are OR-ed together: whoever is notified looks at all slots.
 *
 * ata reads each word once, checks it, and works on its copy; a request that breaks a rule below is DONE with
 * -E_INVAL and moves nothing. Frames of the segments are pinned by cache from before QUEUED until after DONE.
 * The controller reaches only the first 4 GiB: a segment that ends above passes through ata's bounce buffer
 * and is copied to or from cache's own window (OWN_WINDOW + paddr), where cache must have it mapped
 * meanwhile. ata keeps no state that a restarted ata would need: a slot found ACTIVE at attach is begun
 * again. */
#pragma once

#include <abi/types.h>

#define ATA_SECTOR_BYTES 512u
#define ATA_SLOTS        32u
#define ATA_SEGMENTS_MAX 32u          /* per request */
#define ATA_SECTORS_MAX  256u         /* per request: 128 KiB, 32 pages */
#define ATA_SEGMENT_MAX  65536u       /* bytes of one segment */
#define ATA_PHYS_LIMIT   (1ull << 46) /* segments end at or below; higher addresses are a mistake */
#define ATA_RING_MAGIC   0x51415441u  /* "QATA" */
#define ATA_RING_FRAMES  5u /* at ATA_RING_WINDOW, contiguous in addresses, not necessarily in frames */

enum ata_status {
    ATA_FREE = 0, /* zeroed frames are an empty ring but for the magic */
    ATA_QUEUED = 1,
    ATA_ACTIVE = 2,
    ATA_DONE = 3,
};

enum ata_op {
    ATA_READ = 1,  /* disk to segments */
    ATA_WRITE = 2, /* segments to disk */
    ATA_FLUSH = 3, /* no lba, sectors or segments: all 0 */
};

/* One stretch of physical memory. */
struct ata_segment {
    u64 paddr; /* even */
    u64 bytes; /* even, 2 to ATA_SEGMENT_MAX */
};

struct ata_slot {
    u32 status;   /* enum ata_status */
    u32 op;       /* enum ata_op */
    u64 order;    /* ata serves the lowest first */
    u64 lba;      /* first sector; lba + sectors <= sectors of the disk */
    u32 sectors;  /* 1 to ATA_SECTORS_MAX */
    u32 segments; /* 1 to ATA_SEGMENTS_MAX; their bytes add up to sectors * ATA_SECTOR_BYTES */
    u64 trace;    /* call number of the request that this one serves; only for trace events */
    u64 cookie;   /* cache's own, not read by ata */
    i64 error;    /* valid when DONE: 0 or one of
                   * -E_IO: the disk said so, or did not answer in time (again and again);
                   * -E_NODEV: no disk; -E_OPNOTSUPP: a disk without LBA48 or DMA;
                   * -E_FAULT: a segment above 4 GiB is not mapped in cache; -E_INVAL: a rule is broken */
    u64 reserved; /* 0 */
    struct ata_segment segment[ATA_SEGMENTS_MAX];
};

struct ata_ring {
    u32 magic;       /* ATA_RING_MAGIC, written by cache before attach */
    u32 slots;       /* ATA_SLOTS, likewise */
    u64 reserved[7]; /* 0 */
    struct ata_slot slot[ATA_SLOTS];
};

_Static_assert(sizeof(struct ata_segment) == 16, "layout of a segment");
_Static_assert(offsetof(struct ata_slot, segment) == 64, "layout of a slot");
_Static_assert(sizeof(struct ata_slot) == 576, "layout of a slot");
_Static_assert(offsetof(struct ata_ring, slot) == 64, "layout of the ring");
_Static_assert(sizeof(struct ata_ring) <= ATA_RING_FRAMES * PAGE_BYTES, "the ring fits its pages");
_Static_assert(ATA_SECTORS_MAX *ATA_SECTOR_BYTES == ATA_SEGMENTS_MAX * PAGE_BYTES,
               "a full list of pages is allowed");

/* The slot's status, read so that what the other side wrote before it is seen too. */
static inline u32 ata_slot_status(const struct ata_slot *slot) {
    return __atomic_load_n(&slot->status, __ATOMIC_ACQUIRE);
}

/* Hands the slot on: everything written to it before is seen by whoever reads the new status. */
static inline void ata_slot_set_status(struct ata_slot *slot, enum ata_status status) {
    __atomic_store_n(&slot->status, (u32)status, __ATOMIC_RELEASE);
}

/* SPDX-License-Identifier: MIT */
/* Reads under way: one run of sectors into pieces of frames. There are as many as the ring to ata has slots,
 * so that submitting never waits; whoever finds none free waits for `&c->bios`. */
#pragma once

#include <abi/types.h>

struct cache;

enum {
    BIOS = 32,         /* = ATA_SLOTS */
    BIO_SEGS = 32,     /* <= ATA_SEGMENTS_MAX */
    BIO_SECTORS = 256, /* <= ATA_SECTORS_MAX */
    SECTOR_BYTES = 512,
};

struct bio_seg {
    pfn frame;
    u32 offset, bytes; /* in the frame; multiples of SECTOR_BYTES */
    void *owner;       /* the page or buffer that it fills */
};

struct bio {
    u64 sector;
    u32 sectors; /* = the bytes of all segments */
    u32 nsegs;
    /* Called by bio_done with status 0 or -E_xxx. Never waits. */
    void (*end)(struct cache *c, struct bio *bio, err status);
    u32 slot; /* of the ring: below BIOS, its own as long as it lives */
    struct bio_seg seg[BIO_SEGS];
};

struct kmem_cache;

struct bio_pool {
    struct kmem_cache *cache; /* "bio": with memory for BIOS of them, always */
    struct bio *bio[BIOS];    /* by slot; NULL: the slot is free */
    u32 nfree;
};

/* -E_NOMEM. */
err bio_init(struct bio_pool *pool) must_check;

/* An empty bio, or NULL. Never waits. */
struct bio *bio_alloc(struct bio_pool *pool, void (*end)(struct cache *, struct bio *, err)) must_check;

/* Gives one back that was not submitted. */
void bio_free(struct bio_pool *pool, struct bio *bio);

/* Adds a piece at its end. False, and nothing changed, if the sectors do not adjoin or it is full. */
bool bio_add(struct bio *bio, u64 sector, const struct bio_seg *piece) must_check;

/* A submitted bio has come to its end: its owners are told, it goes back to the pool, and waiters are woken.
 * Called once for each, by the thread that hears of completions. Never waits. */
void bio_done(struct cache *c, struct bio *bio, err status);

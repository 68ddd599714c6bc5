/* SPDX-License-Identifier: MIT */
/* The buffer cache: blocks of a device by (device, block, size), for file-system metadata.
 *
 * Buffers are made a page at a time; their heads are a ring per page. Each head is in one of these states:
 *
 *      getblk           brelse, count 0            getblk
 *   free ----> in use -----------------> unused ----------> in use
 *     ^                                    |
 *     +-- (page made: grow_buffers)        +--> gone with its whole page, when all of its buffers are idle
 *
 * In use and unused ones are in the hash table. There is a free list per size; of the seven sizes of the
 * lectures (512 to 32768) those that fit a page exist here, as no other can be made a page at a time. */
#pragma once

#include <abi/types.h>
#include <ipc/queue.h>

struct cache;
struct kmem_cache;

enum { BUFFER_SIZES = 4, BUFFER_MIN_BYTES = 512, BUFFER_BUCKETS = 1024 };

enum buffer_flag {
    BH_UPTODATE = 1, /* data is the disk's */
    BH_LOCKED = 2,   /* being read */
    BH_ERROR = 4,    /* the last read failed */
    BH_HASHED = 8,   /* has a device and block: in use or unused, not free */
    BH_ENTRIES = 16, /* the data is a directory's, and all its entries have been checked */
};

struct buffer_head {
    LIST_ENTRY(buffer_head) hash;  /* if BH_HASHED */
    TAILQ_ENTRY(buffer_head) link; /* in the free list of its size, or if count is 0 the unused list */
    struct buffer_head *this_page; /* ring of the heads of its page */
    u64 block;
    u32 dev, size;
    u32 count; /* users */
    u32 flags;
    pfn frame;
    u32 offset; /* in the frame */
    char *data; /* size bytes, read only; valid if BH_UPTODATE */
};

LIST_HEAD(buffer_bucket, buffer_head);
TAILQ_HEAD(buffer_list, buffer_head);

struct buffer_cache {
    struct buffer_bucket bucket[BUFFER_BUCKETS];
    struct buffer_list free[BUFFER_SIZES];
    struct buffer_list unused; /* least recently used first */
    struct kmem_cache *heads;  /* "buffer_head" */
    u32 pages;                 /* frames that hold buffers */
    u32 nunused;
    u64 hits, misses; /* of getblk */
};

err buffer_init(struct buffer_cache *bc) must_check;

/* The buffer of a block, counted once more: perhaps locked, or not up to date. A block beyond the device, or
 * a size that is no power of two from 512 to 4096: -E_IO. -E_NOMEM. Short wait. */
err getblk(struct cache *c, u32 dev, u64 block, u32 size, struct buffer_head **out) must_check;

/* The same with its data read. -E_IO also if the disk failed; -E_AGAIN if this worker may not wait. Long
 * wait. */
err bread(struct cache *c, u32 dev, u64 block, u32 size, struct buffer_head **out) must_check;

/* The same if the data is here already, else NULL. Never waits. */
struct buffer_head *bread_cached(struct cache *c, u32 dev, u64 block, u32 size) must_check;

/* Ends a use. The data may go as soon as the caller waits. */
void brelse(struct cache *c, struct buffer_head *bh);

/* Frees up to `want` pages whose buffers are all unused, the least recently used first; returns how many.
 * Short wait. */
u64 shrink_buffers(struct cache *c, u64 want);

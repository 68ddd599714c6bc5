/* SPDX-License-Identifier: MIT */
/* Giving memory back: clean pages that nobody maps, metadata buffers that nobody uses, then names and inodes.
 * Called when the host has no frame, when frame's watermarks ask for it, and on drop_caches. All of it may
 * wait short. */
#pragma once

#include <abi/types.h>

struct cache;
struct inode;

enum {
    RECLAIM_BATCH = 32,
    /* Others may run after so much. */
    RECLAIM_VISITS = 256, /* pages looked at */
    YIELD_BATCHES = 4,    /* batches that the kernel was asked about */
    YIELD_BUCKETS = 1024, /* of the hash table */
};

/* Frees up to about `want` frames: pages by second chance in LRU order and unused buffers, as many of each as
 * there are in proportion; only if none goes that way, also those used lately; and if there is still none,
 * unused names and inodes (whose frames return when the slab cache shrinks). Returns how many frames were
 * freed: few is no sign that there are no more. Visits each page twice at most. */
u64 reclaim(struct cache *c, u64 want);

/* Drops all that can be dropped of one inode's pages. */
void reclaim_inode(struct cache *c, struct inode *inode);

/* Pages that a program maps now. Asks the kernel about each page: for statistics. */
u64 count_mapped(struct cache *c);

/* Drops everything that is clean and unused: pages, buffers, names, inodes. Returns frames freed (without
 * those that the slab caches now hold empty). */
u64 drop_caches(struct cache *c);

/* SPDX-License-Identifier: MIT */
/* The buddy system of one zone: blocks of 1 << order frames, aligned to their size from the zone's base, in
 * one list per order, and one bit per pair of buddies.
 *
 *   bit of a pair = 1  exactly one of the two is free (as a block of that order)
 *                 = 0  both or none
 *
 * Each allocation and each free of either half toggles the bit, so a free learns from it alone whether to
 * merge. The rules are those of Linux 2.4 (Knuth's buddy system with pair bits): take the head of the first
 * list that has a block, put lower halves on lower lists, keep the upper; add freed blocks at the head.
 *
 * Invariants (buddy_check): a list holds FREE blocks of its order, linked both ways; no two free buddies of
 * an order below the highest; a pair's bit is as said; the lists' frames add up to `free`. */
#pragma once

#include <abi/types.h>
#include <ipc/gfp.h>
#include <ipc/runs.h>

#include "mem_map.h"

struct free_area {
    u32 head;   /* first block's frame, or NO_PAGE */
    u32 count;  /* blocks in the list */
    u64 *pairs; /* bit i: the pair of blocks 2i and 2i + 1 from the base; NULL for the highest order */
};

struct buddy {
    struct page *map; /* mem_map: descriptor of frame f is map[f] */
    u32 base, frames; /* the zone: base a multiple of 1 << (MAX_ORDER - 1) */
    u64 free;         /* frames in the lists */
    u64 managed;      /* frames ever released to this zone */
    struct free_area area[MAX_ORDER];
};

/* Bytes of memory for the pair bits of a zone of so many frames; a multiple of 8. */
u64 buddy_bitmap_bytes(u64 frames);

/* An empty zone. map: zeroed; bits: zeroed memory of buddy_bitmap_bytes(frames). */
void buddy_init(struct buddy *b, struct page *map, u32 base, u32 frames, u64 *bits);

/* Frames [first, first + count), inside the zone, become free. They have been neither released nor reserved
 * before. No work for each frame, only for each block. */
void buddy_release(struct buddy *b, u32 first, u32 count);

/* A block of 1 << order frames (order < MAX_ORDER), now USED; its first frame, or NO_PAGE. At most MAX_ORDER
 * steps. */
u32 buddy_alloc(struct buddy *b, u32 order);

/* Up to `want` (below 2 << MAX_ORDER - 1) single frames, now USED by holder, added to runs: whole blocks, of
 * the right size or the smallest there are. Returns how many: fewer if no more are free, or the list of runs
 * is full. */
u32 buddy_alloc_batch(struct buddy *b, u32 want, u8 holder, struct runs *runs);

/* The USED block of that order that begins at first becomes free and merges. The caller has checked it. */
void buddy_free(struct buddy *b, u32 first, u32 order);

/* The same for `count` single frames that adjoin, inside the zone; their marks go too. */
void buddy_free_run(struct buddy *b, u32 first, u32 count);

/* The highest order of which a block is free; -1 if none. */
i32 buddy_largest(const struct buddy *b);

/* The first free block of the 1 << (MAX_ORDER - 1) frames from `first` on (as aligned as the largest block)
 * whose list or pair bit is wrong; NO_PAGE: all is well. */
u32 buddy_check_slice(const struct buddy *b, u32 first);

/* Whether all invariants hold. Slow: visits every frame. */
bool buddy_check(const struct buddy *b);

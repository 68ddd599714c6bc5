/* SPDX-License-Identifier: MIT */
/* Zones: DMA (below 16 MiB), Normal (below 4 GiB: what a 32-bit bus master reaches) and High, each with a
 * buddy system and watermarks; and the order in which a request tries them.
 *
 * A zone's watermarks follow from its size:  min = frames / {32, 128, 128}, clamped to [10, 255];  low = 2
 * min; high = 3 min.  What they are compared with is `free` plus what lies in magazines of clients, for those
 * frames come back on demand.
 *
 * Attempts, each over the zones that the mask allows, from the highest down:
 *   1. zones that stay above low                 (the usual case; from here on reclaim is woken)
 *   2. zones that stay above min
 *   3. only for __GFP_MEMALLOC: zones that stay above min / 4
 *   4. no memory: an answer. */
#pragma once

#include <abi/types.h>
#include <ipc/gfp.h>

#include "buddy.h"

enum zone_id { ZONE_DMA, ZONE_NORMAL, ZONE_HIGH, ZONES };

struct zone {
    struct buddy buddy;
    u64 pages_min, pages_low, pages_high; /* in frames; 0 for an empty zone */
    u64 in_magazines; /* frames of this zone in magazines, when these were last looked into */
};

struct zones {
    struct page *map;
    u32 frames;              /* mem_map's length */
    u32 dma_end, normal_end; /* at most `frames` */
    struct zone zone[ZONES];
};

/* Borders by default, in frames. They may be moved; each must be a multiple of ZONE_ALIGN. */
#define ZONE_DMA_END    4096u
#define ZONE_NORMAL_END 1048576u
#define ZONE_ALIGN      (1u << (MAX_ORDER - 1))

/* What came of a request. */
struct zone_choice {
    u32 first; /* NO_PAGE: no memory */
    u32 zone;  /* enum zone_id, if first is valid */
    bool wake; /* a zone went below low: reclaim should be woken */
};

/* Bytes of memory for mem_map and all pair bits of a machine with so many frames; a multiple of 8. */
u64 zones_bytes(u32 frames, u32 dma_end, u32 normal_end);

/* Three zones over zeroed memory of zones_bytes(...). Frame 0 is reserved; each other frame is to be reserved
 * or released once, before the first request. -E_INVAL: borders not aligned or not in order, no frames, or
 * too many (2^31). */
err zones_init(struct zones *z, u32 frames, u32 dma_end, u32 normal_end, void *memory) must_check;

/* Frames [first, first + count), not frame 0, become free, in whatever zones they lie. count may be 0. */
void zones_release(struct zones *z, u32 first, u32 count);

/* Frames [first, first + count) will never be free. count may be 0. */
void zones_reserve(struct zones *z, u32 first, u32 count);

/* Set the watermarks: of zones of which frames have been released. */
void zones_set_watermarks(struct zones *z);

/* The zone in which a frame below z->frames lies. */
struct zone *zone_of(struct zones *z, u32 frame);
static inline u32 zone_id_of(const struct zones *z, u32 frame) {
    return (u32)(frame >= z->dma_end) + (u32)(frame >= z->normal_end);
}

/* The highest zone that a mask allows. */
enum zone_id zone_of_mask(u32 gfp_mask);

/* Whether the highest zone that a mask allows (of those that have frames at all) stays above low, even
 * without what is in magazines, when `count` blocks of that order are taken, and has one. */
bool zones_have_plenty(const struct zones *z, u32 gfp_mask, u32 order, u64 count);

/* A block by the attempts above. Arguments have been checked. */
struct zone_choice zones_alloc(struct zones *z, u32 gfp_mask, u32 order);

/* Up to `want` single frames for a holder by the attempts above, each as if asked for alone: how many. They
 * are added to runs. wake: as in zone_choice. */
u32 zones_alloc_batch(struct zones *z, u32 gfp_mask, u32 want, u8 holder, struct runs *runs, bool *wake);

/* Single frames that adjoin become free, in whatever zones they lie; their marks go too. */
void zones_free_run(struct zones *z, u32 first, u32 count);

/* Frames that count as free. */
u64 zone_free(const struct zone *zone);
u64 zones_free(const struct zones *z);

/* Whether a request for one frame from this zone or one below would be served now: who got none may try
 * again. */
bool zones_relieved(const struct zones *z, enum zone_id from);

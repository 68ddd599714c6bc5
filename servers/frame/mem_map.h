/* SPDX-License-Identifier: MIT */
/* mem_map: one descriptor for each page frame, indexed by frame number.
 *
 * Only the first frame of a block says FREE or USED, with the block's order; the others of a block say TAIL,
 * whatever becomes of the block. So splitting and merging touch a fixed number of descriptors, and a free of
 * a frame that begins no block is seen. TAIL is 0, so that memory released at boot costs nothing per frame:
 * zeroed memory is a mem_map that waits for each frame to be either reserved or released.
 *
 *   TAIL (zeroed) --reserve--> RESERVED        never back
 *   TAIL (zeroed) --release--> TAIL or FREE
 *   TAIL     --split----> FREE                 (begins a block of its own)
 *   FREE     --alloc----> USED --free--> FREE --merge (as upper half)--> TAIL */
#pragma once

#include <abi/types.h>

enum page_state { PG_TAIL, PG_FREE, PG_USED, PG_RESERVED };

#define NO_PAGE 0xffffffffu /* ends a list */

struct page {
    u32 next, prev; /* PG_FREE: neighbours in the list of its order, as frame numbers */
    union {
        struct {
            u8 state;  /* enum page_state */
            u8 order;  /* PG_FREE, PG_USED: of the block that begins here */
            u8 holder; /* PG_USED: the client that has it */
            u8 marked; /* a batch that is being checked has seen it; 0 between calls */
        };
        u32 tag; /* all four, for loops over many frames */
    };
};
_Static_assert(sizeof(struct page) == 12, "mem_map is small");

/* The tag of a single frame in a client's hands. */
static inline u32 page_single(u8 holder) {
    return PG_USED | (u32)holder << 16;
}

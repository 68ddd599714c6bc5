/* SPDX-License-Identifier: MIT */
/* mem_map: one descriptor for each page frame, indexed by frame number.
 *
 * Only the first frame of a block says FREE or USED, with the block's order; the others of a block say TAIL,
 * whatever becomes of the block. So splitting and merging touch a fixed number of descriptors, and a free of
 * a frame that begins no block is seen. Zeroed memory is a valid mem_map of reserved frames.
 *
 *   RESERVED --release--> TAIL or FREE         never back
 *   TAIL     --split----> FREE                 (begins a block of its own)
 *   FREE     --alloc----> USED --free--> FREE --merge (as upper half)--> TAIL */
#pragma once

#include <abi/types.h>

enum page_state { PG_RESERVED, PG_TAIL, PG_FREE, PG_USED };

#define NO_PAGE 0xffffffffu /* ends a list */

struct page {
    u32 next, prev; /* PG_FREE: neighbours in the list of its order, as frame numbers */
    u8 state;       /* enum page_state */
    u8 order;       /* PG_FREE, PG_USED: of the block that begins here */
    u8 holder;      /* PG_USED: the client that has it */
    u8 marked;      /* a batch that is being checked has seen it; 0 between calls */
};
_Static_assert(sizeof(struct page) == 12, "mem_map is small");

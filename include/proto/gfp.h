/* SPDX-License-Identifier: MIT */
/* Masks of a request for page frames: who may wait, how deep it may dig, and which zones will do.
 * The names and the first five values are those of the field (Linux 2.4). */
#pragma once

enum {
    /* What the caller says of itself. As in 2.4.0 these do not change which zones are tried, and how deep: */
    __GFP_WAIT = 0x01, /* it can wait */
    __GFP_HIGH = 0x02, /* it is urgent */
    __GFP_IO = 0x04,   /* reclaim on its behalf may start input and output */
    /* What changes it: */
    __GFP_DMA = 0x08,      /* only the DMA zone will do */
    __GFP_HIGHMEM = 0x10,  /* any zone will do: High, then Normal, then DMA */
    __GFP_MEMALLOC = 0x20, /* the caller frees memory (write-out, swap-out, exit): may go down to min/4 */

    GFP_BUFFER = __GFP_HIGH | __GFP_WAIT,
    GFP_ATOMIC = __GFP_HIGH,
    GFP_USER = __GFP_WAIT | __GFP_IO,
    GFP_HIGHUSER = __GFP_WAIT | __GFP_IO | __GFP_HIGHMEM,
    GFP_KERNEL = __GFP_HIGH | __GFP_WAIT | __GFP_IO,
    GFP_KSWAPD = __GFP_IO,
    GFP_DMA = __GFP_DMA,

    GFP_ZONEMASK = __GFP_DMA | __GFP_HIGHMEM,
    GFP_ALL = 0x3f, /* a bit outside is an unknown mask */
};

#define MAX_ORDER 10 /* blocks are of 1 << 0 to 1 << (MAX_ORDER - 1) frames */

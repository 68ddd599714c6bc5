/* SPDX-License-Identifier: MIT */
/* How the slabs of a cache look: order, objects, colours, and where the descriptor lies. The rules are those
 * of Linux 2.4:
 *   - objects of an eighth of a page or more have their slab's descriptor off the slab, unless what is left
 * over fits it;
 *   - the order rises from 0 while more than an eighth of the slab would be left over, but not beyond the
 * break order (1, or 2 on a machine with more than 32 MiB) unless not even one object fits, and never beyond
 * 5;
 *   - what is left over gives colours: slabs of a cache begin their objects at different cache lines;
 *   - a red zone costs the alignment to cache lines. */
#pragma once

#include <abi/types.h>
#include <proto/slab.def>

enum {
    SLAB_ORDER_MAX = 5,
    SLAB_BREAK_ORDER_LOW = 1, /* machines of up to SLAB_SMALL_FRAMES */
    SLAB_BREAK_ORDER_HIGH = 2,
    SLAB_SMALL_FRAMES = 8192,
};

struct geometry {
    u32 order;        /* a slab is 1 << order pages */
    u32 objects;      /* per slab */
    u32 stride;       /* bytes from cell to cell: the object with what debugging adds, aligned */
    u32 colour_bytes; /* step from colour to colour */
    u32 colours;      /* how many there are; 0: all slabs begin alike */
    u32 left_over;    /* bytes of a slab that neither cells nor descriptor use */
    bool off_slab;
};

/* size: 1 to KMEM_SIZE_MAX. offset: the colour step asked for, below a page; 0: a cache line. flags: SLAB_xxx
 * of <ipc/slab.h>. -E_INVAL: out of range, a flag that is not known, or a cell larger than any slab. */
err geometry_make(struct geometry *g, u64 size, u64 offset, u64 flags, u32 break_order) must_check;

/* Bytes of the descriptor of a slab of so many objects, with its index list, when on the slab. */
u32 geometry_descriptor_bytes(u32 objects);

/* Whether debugging of all caches (the word slab=debug) leaves this one alone: its cells would no longer fit
 * as well as they do. As Linux's forced debugging. */
bool geometry_too_large_to_debug(u64 size);

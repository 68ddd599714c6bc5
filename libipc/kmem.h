/* SPDX-License-Identifier: MIT */
/* Inside of the client side of slab: caches and slabs, shared by kmem.c (objects), kmem_cache.c (making and
 * ending caches) and kmalloc.c (general caches).
 *
 *   slab:   EMPTY --alloc--> PARTIAL --alloc--> FULL --free--> PARTIAL --free--> EMPTY
 *           (a slab of one object goes from EMPTY to FULL and back)
 *
 * Invariants: a slab is in the list of its cache that its in_use says; its index list, from `free` on, names
 * each object that is not in use once; the index of one in use is IN_USE; active is the sum of in_use. */
#pragma once

#include <ipc/queue.h>
#include <ipc/slab.h>
#include <proto/slab.def>

enum { LIST_END = 0xffff, IN_USE = 0xfffe, KMEM_CACHES_MAX = 64 };

struct slab {
    LIST_ENTRY(slab) link;
    struct kmem_cache *cache;
    char *objects; /* the first one */
    u16 in_use;
    u16 free;   /* first free object's number, or LIST_END */
    u32 colour; /* bytes before the descriptor (or the objects, with the descriptor elsewhere) */
    u32 next[]; /* of each object: the next free one, LIST_END, or IN_USE */
};
_Static_assert(sizeof(struct slab) == SLAB_DESCRIPTOR_BYTES, "the protocol's descriptor");

LIST_HEAD(slab_list, slab);

struct kmem_cache {
    struct slab_list full, partial, empty;
    u64 id;        /* the server's number */
    u64 active;    /* objects in use */
    u64 available; /* objects that are free in slabs here */
    u64 slabs;
    u32 objects, stride, order; /* a slab's */
    u32 flags;
    u32 busy;                       /* threads that grow or shrink it now: it may not be destroyed */
    struct kmem_cache *descriptors; /* cache of this one's slab descriptors; NULL: they are on the slabs */
    void (*ctor)(void *);
    void (*dtor)(void *);
};

/* One more slab for the cache. 0, -E_NOMEM. */
err kmem_grow(struct kmem_cache *cache, u32 gfp_mask) must_check;

/* The slab in which an address lies, by the chunk's table; NULL: in none. Faults if it is not in the window
 * at all. */
struct slab *kmem_slab_of(const void *object);

/* The general cache for objects of `size` bytes, made at its first use; NULL: too large, or no memory. */
struct kmem_cache *kmem_general(u64 size) must_check;

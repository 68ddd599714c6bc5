/* SPDX-License-Identifier: MIT */
/* Inside of the client side of slab: caches and slabs, shared by kmem.c (objects), kmem_cache.c (making and
 * ending caches), kmem_reap.c (giving slabs back), kmem_debug.c (red zones and poison) and kmalloc.c (general
 * caches).
 *
 *   slab:   EMPTY --alloc--> PARTIAL --alloc--> FULL --free--> PARTIAL --free--> EMPTY
 *           (a slab of one object goes from EMPTY to FULL and back)
 *
 * Invariants: a slab is in the list of its cache that its in_use says; its index list, from `free` on, names
 * each object that is not in use once; the index of one in use is IN_USE; the objects taken and not given
 * back are the sum of in_use. */
#pragma once

#include <ipc/queue.h>
#include <ipc/slab.h>
#include <proto/slab.def>

enum { LIST_END = 0xffff, IN_USE = 0xfffe };

struct slab {
    LIST_ENTRY(slab) link;
    struct kmem_cache *cache;
    char *objects; /* the first one; with a red zone its word lies before it */
    u16 in_use;
    u16 free;   /* first free object's number, or LIST_END */
    u32 colour; /* bytes before the descriptor (or the cells, with the descriptor elsewhere) */
    u32 next[]; /* of each object: the next free one, LIST_END, or IN_USE */
};
_Static_assert(sizeof(struct slab) == SLAB_DESCRIPTOR_BYTES, "the protocol's descriptor");

LIST_HEAD(slab_list, slab);

struct kmem_cache {
    struct slab_list full, partial, empty;
    struct slab_counts *counts; /* the server shows them */
    u64 slabs;
    u32 objects, stride, order; /* a slab's */
    u32 flags;
    u32 offset; /* of the object in its cell */
    u32 size;   /* of an object */
    u32 id;     /* the server's number */
    u32 busy;   /* threads that grow or shrink it now: it may not be destroyed */
    bool grown; /* since kmem_cache_reap looked */
    bool is_general;
    struct kmem_cache *descriptors; /* cache of this one's slab descriptors; NULL: they are on the slabs */
    void (*ctor)(void *);
    void (*dtor)(void *);
    char name[KMEM_NAME_BYTES];
};

static inline void *kmem_object(const struct slab *slab, u64 index) {
    return slab->objects + index * slab->cache->stride;
}

/* kmem_cache_alloc and kmem_cache_free, for the caller that is to be named if debugging finds something. */
void *kmem_take(struct kmem_cache *cache, u32 gfp_mask, const void *caller) must_check;
void kmem_put(struct kmem_cache *cache, void *object, const void *caller);

/* The slab in which an address lies, by the chunk's table; NULL: in none, or not in the window at all. */
struct slab *kmem_slab_of(const void *object);

/* Gives an empty slab that is in no list any more back. May let other threads run. */
void kmem_give_back(struct kmem_cache *cache, struct slab *slab);

/* The caches of this server by the server's numbers; NULL: none. */
extern struct kmem_cache *kmem_caches[SLAB_CACHES_MAX];

/* The cache of slab descriptors that lie off their slabs. */
extern struct kmem_cache cache_slabp;

/* Red zones and poison; only for caches with SLAB_DEBUG. All but the first find what is wrong and tell of it
 * with kport_bug. */
void kmem_debug_fresh(const struct kmem_cache *cache, void *object); /* its slab has come */
void kmem_debug_taken(const struct kmem_cache *cache, void *object, const void *caller);
bool kmem_debug_given_back(const struct kmem_cache *cache, void *object, const void *caller); /* false: not */
void kmem_debug_leaving(const struct kmem_cache *cache,
                        const void *object); /* its slab goes, and it is free */

/* What was wrong with an object, for kport_bug. */
struct kmem_bug {
    const char *what;
    const char *cache; /* where it was to be given back to, or taken from */
    const char *owner; /* the cache that it is of; NULL: it is in no slab */
    const void *object;
    const void *caller;             /* now; NULL: nobody, its slab was to go */
    const void *taken, *given_back; /* who last took it and gave it back; NULL: not known, or nobody yet */
};
/* slab: in which the object lies, NULL: in none. */
void kmem_debug_tell(const char *what, const char *cache, const struct slab *slab, const void *object,
                     const void *caller);

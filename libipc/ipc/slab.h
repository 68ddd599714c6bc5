/* SPDX-License-Identifier: MIT */
/* Memory areas, client side: caches of objects of one size, after Bonwick's slab allocator.
 *
 * A cache's slabs lie in this server's slab window, where the slab server maps and unmaps them. Descriptor
 * and list of free objects are in this server's memory: the usual allocation and free are local. Only growing
 * (no slab has a free object) and shrinking call the slab server; growing may let other threads of this
 * server run, so re-check after it what you relied on.
 *
 * A constructor runs once for each object when its slab arrives, the destructor when the slab leaves: an
 * object is handed out in its constructed state and must be freed in it. Without a constructor its contents
 * are undefined. */
#pragma once

#include <abi/types.h>
#include <ipc/gfp.h>

struct kmem_cache;

/* Flags of kmem_cache_create; names and values are those of Linux 2.4. */
enum {
    SLAB_RED_ZONE = 0x400,       /* a word before and one after each object show writes that miss it */
    SLAB_POISON = 0x800,         /* free objects are filled, so that a write to one shows; not with a ctor */
    SLAB_NO_REAP = 0x1000,       /* empty slabs stay until kmem_cache_shrink asks for them */
    SLAB_HWCACHE_ALIGN = 0x2000, /* objects begin at cache lines (small ones: at a fraction of one); not
                                    with SLAB_RED_ZONE */
    SLAB_CACHE_DMA = 0x4000,     /* slabs come from the DMA zone, and are pinned */
    SLAB_DEBUG = SLAB_RED_ZONE | SLAB_POISON,
    SLAB_FLAGS = SLAB_DEBUG | SLAB_NO_REAP | SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA,
};
/* Beside the mask of an allocation: only from the slabs that are there; never waits. */
#define SLAB_NO_GROW 0x1000u

#define KMEM_NAME_BYTES 24 /* of a cache's name, with its final 0 */
#define KMEM_SIZE_MAX   131072

/* kmem_cache_init: connect to the slab server, make cache_cache and cache_slabp. Call once, after
 * frame_client_init. Returns 0 or an error of the call. */
err kmem_cache_init(void) must_check;

/* Makes every general cache that is not there yet, so that kmalloc needs memory for objects alone. kmalloc
 * makes what it needs by itself. 0 or -E_NOMEM. */
err kmem_cache_sizes_init(void) must_check;

/* A cache of objects of `size` bytes (1 to KMEM_SIZE_MAX), aligned at least to 8 bytes (to 64, or a fraction
 * for small objects, with SLAB_HWCACHE_ALIGN). `offset` is the colour step in bytes (0: one cache line), a
 * multiple of the alignment. ctor and dtor may be NULL; a destructor needs a constructor. NULL: a bad
 * argument, a name in use by this server, too many caches, or no memory. */
struct kmem_cache *kmem_cache_create(const char *name, u64 size, u64 offset, u32 flags,
                                     void (*ctor)(void *object), void (*dtor)(void *object)) must_check;

/* An object in its constructed state; NULL if there is no memory for a slab. gfp_mask goes to the frame
 * server if the cache has to grow; with __GFP_DMA only a cache with SLAB_CACHE_DMA has any. */
void *kmem_cache_alloc(struct kmem_cache *cache, u32 gfp_mask) must_check;

/* Give an object of this cache back, in its constructed state. NULL, a foreign address and an object that is
 * free already are fatal. Never waits. */
void kmem_cache_free(struct kmem_cache *cache, void *object);

/* Make sure that the next `count` allocations find an object here without growing. Returns 0 or -E_NOMEM. For
 * paths that must not fail or wait halfway. */
err kmem_cache_reserve(struct kmem_cache *cache, u32 count, u32 gfp_mask) must_check;

/* Give all empty slabs back. Returns how many slabs remain. */
u64 kmem_cache_shrink(struct kmem_cache *cache);

/* End a cache. -E_BUSY: objects are still in use, and nothing changed but that empty slabs were given
 * back. */
err kmem_cache_destroy(struct kmem_cache *cache) must_check;

/* A little memory back at little cost: a clock over this server's caches looks at some of them and takes four
 * fifths of the empty slabs of the one where most can be had; caches that have just grown are spared once.
 * Returns the pages given back. */
u64 kmem_cache_reap(void);

/* Shrink every cache of this server: when the slab server asks to, and on drop_caches. Returns the pages
 * given back. */
u64 kmem_cache_drain(void);

/* Objects handed out and not yet freed. */
u64 kmem_cache_active(const struct kmem_cache *cache);

/* Memory by size, from general caches of 32, 64, ... 131072 bytes, aligned to 64 bytes (32 for the smallest);
 * with __GFP_DMA from their twins: contiguous, in the DMA zone, and pinned. kmalloc: NULL if size is 0 or
 * above KMEM_SIZE_MAX or there is no memory. kfree takes what kmalloc gave; kfree(NULL) does nothing. */
void *kmalloc(u64 size, u32 gfp_mask) must_check;
void kfree(const void *object);

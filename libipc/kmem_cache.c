/* SPDX-License-Identifier: MIT */
/* Caches: making and ending them. Their descriptors are objects of a cache themselves: cache_cache. */
#include <abi/errors.h>
#include <ipc/assert.h>
#include <string.h>

#include "kmem.h"
#include "kmem_port.h"

static struct kmem_cache cache_cache;
struct kmem_cache cache_slabp;
struct kmem_cache *kmem_caches[SLAB_CACHES_MAX];
static struct slab_counts *counts; /* by the server's numbers */

static err set_up(struct kmem_cache *cache, const char *name, u64 size, u64 offset, u32 flags,
                  void (*ctor)(void *), void (*dtor)(void *)) {
    struct slab_create_rep rep;
    u32 not_with_ctor = ctor ? SLAB_POISON : 0;
    err e = kport_create(name, size, offset, flags & ~not_with_ctor, &rep);
    if (e)
        return e;
    *cache = (struct kmem_cache){.counts = &counts[rep.cache],
                                 .objects = (u32)rep.objects,
                                 .stride = (u32)rep.stride,
                                 .order = (u32)rep.order,
                                 .flags = (u32)rep.flags & ~not_with_ctor,
                                 .offset = rep.flags & SLAB_RED_ZONE ? SLAB_ZONE_BYTES : 0,
                                 .size = (u32)size,
                                 .id = (u32)rep.cache,
                                 .descriptors = rep.off_slab ? &cache_slabp : NULL,
                                 .ctor = ctor,
                                 .dtor = dtor};
    strcpy(cache->name, name);
    memset(cache->counts, 0, sizeof *cache->counts);
    return 0;
}

err kmem_cache_init(void) {
    err e = kport_attach(&counts);
    if (!e)
        e = set_up(&cache_cache, "kmem_cache", sizeof(struct kmem_cache), 0, SLAB_HWCACHE_ALIGN, NULL, NULL);
    if (!e)
        e = set_up(&cache_slabp, "slab_cache", SLAB_DESCRIPTOR_BYTES + SLAB_OFF_OBJECTS * SLAB_INDEX_BYTES, 0,
                   0, NULL, NULL);
    if (e)
        return e;
    kmem_caches[cache_cache.id] = &cache_cache;
    kmem_caches[cache_slabp.id] = &cache_slabp;
    return 0;
}

struct kmem_cache *kmem_cache_create(const char *name, u64 size, u64 offset, u32 flags,
                                     void (*ctor)(void *object), void (*dtor)(void *object)) {
    if (!name || strlen(name) >= KMEM_NAME_BYTES || (dtor && !ctor))
        return NULL;
    struct kmem_cache *cache = kmem_cache_alloc(&cache_cache, GFP_KERNEL);
    if (!cache)
        return NULL;
    if (set_up(cache, name, size, offset, flags, ctor, dtor)) {
        kmem_cache_free(&cache_cache, cache);
        return NULL;
    }
    kmem_caches[cache->id] = cache;
    return cache;
}

err kmem_cache_destroy(struct kmem_cache *cache) {
    if (cache->busy || kmem_cache_shrink(cache) || cache->busy)
        return -E_BUSY;
    kmem_caches[cache->id] = NULL;
    err e = kport_destroy(cache->id);
    ASSERT(e == 0);
    kmem_cache_free(&cache_cache, cache);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Caches: making and ending them. Their descriptors are objects of a cache themselves: cache_cache. */
#include <ipc/assert.h>
#include <string.h>

#include "kmem.h"
#include "kmem_port.h"

static struct kmem_cache cache_cache;
static struct kmem_cache *caches[KMEM_CACHES_MAX]; /* all but cache_cache; NULL: no cache */

static err create(struct kmem_cache *cache, const char *name, u64 size, u64 offset, u32 flags) {
    struct slab_create_rep rep;
    err e = kport_create(name, size, offset, flags, &rep);
    if (e)
        return e;
    *cache = (struct kmem_cache){.id = rep.cache,
                                 .objects = (u32)rep.objects,
                                 .stride = (u32)rep.stride,
                                 .order = (u32)rep.order,
                                 .flags = flags};
    if (!rep.off_slab)
        return 0;
    cache->descriptors = kmem_general(SLAB_DESCRIPTOR_BYTES + rep.objects * SLAB_INDEX_BYTES);
    if (cache->descriptors)
        return 0;
    e = kport_destroy(rep.cache);
    ASSERT(e == 0);
    return -E_NOMEM;
}

err kmem_cache_init(void) {
    return create(&cache_cache, "kmem_cache", sizeof(struct kmem_cache), 0, SLAB_HWCACHE_ALIGN);
}

static u32 free_place(void) {
    u32 place = 0;
    while (place < KMEM_CACHES_MAX && caches[place])
        place++;
    return place;
}

struct kmem_cache *kmem_cache_create(const char *name, u64 size, u64 offset, u32 flags,
                                     void (*ctor)(void *object), void (*dtor)(void *object)) {
    if (!name || strlen(name) >= KMEM_NAME_BYTES || (dtor && !ctor))
        return NULL;
    struct kmem_cache *cache = kmem_cache_alloc(&cache_cache, GFP_KERNEL);
    if (!cache)
        return NULL;
    err e = create(cache, name, size, offset, flags);
    u32 place = free_place(); /* after all waiting */
    if (!e && place == KMEM_CACHES_MAX) {
        e = kport_destroy(cache->id);
        ASSERT(e == 0);
        e = -E_NOSPC;
    }
    if (e) {
        kmem_cache_free(&cache_cache, cache);
        return NULL;
    }
    cache->ctor = ctor;
    cache->dtor = dtor;
    caches[place] = cache;
    return cache;
}

err kmem_cache_destroy(struct kmem_cache *cache) {
    if (cache->busy || kmem_cache_shrink(cache) || cache->busy)
        return -E_BUSY;
    for (u32 i = 0; i < KMEM_CACHES_MAX; i++)
        if (caches[i] == cache)
            caches[i] = NULL;
    err e = kport_destroy(cache->id);
    ASSERT(e == 0);
    kmem_cache_free(&cache_cache, cache);
    return 0;
}

/* Shrinks all caches that may be reaped, once. Returns the pages that went back. */
static u64 shrink_all(void) {
    u64 pages = 0;
    for (u32 i = 0; i < KMEM_CACHES_MAX; i++) {
        struct kmem_cache *cache = caches[i];
        if (!cache || cache->flags & SLAB_NO_REAP || LIST_EMPTY(&cache->empty))
            continue;
        u64 before = cache->slabs;
        u32 order = cache->order;
        pages += (before - kmem_cache_shrink(cache)) << order;
    }
    return pages;
}

u64 kmem_cache_drain(void) {
    /* Descriptors of slabs that go back free objects of other caches: again, until nothing goes. */
    u64 pages = 0;
    for (u64 now; (now = shrink_all());)
        pages += now;
    for (u32 i = 0; i < KMEM_CACHES_MAX; i++)
        if (caches[i])
            kport_report(caches[i]->id, caches[i]->active);
    return pages;
}

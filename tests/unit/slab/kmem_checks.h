/* SPDX-License-Identifier: MIT */
/* The invariants that kmem.h states, for one cache of the world's client. */
#pragma once

#include <criterion/criterion.h>

#include "model/slab_world.h"

/* Fast where nothing is wrong: Criterion counts every assertion. */
#define CHECK(x)                                                                                             \
    do {                                                                                                     \
        if (!(x))                                                                                            \
            cr_assert_fail("%s:%d: %s", __FILE__, __LINE__, #x);                                             \
    } while (0)

static inline void kmem_check_list(struct kmem_cache *cache, struct slab_list *list, u32 from, u32 to,
                                   u64 *slabs, u64 *active) {
    struct slab *slab;
    LIST_FOREACH(slab, list, link) {
        u32 free_objects = 0, in_use = 0;
        CHECK(slab->cache == cache && slab->in_use >= from && slab->in_use <= to);
        for (u32 i = slab->free; i != LIST_END; i = slab->next[i])
            CHECK(i < cache->objects && slab->next[i] != IN_USE && ++free_objects <= cache->objects);
        for (u32 i = 0; i < cache->objects; i++)
            in_use += slab->next[i] == IN_USE;
        CHECK(in_use == slab->in_use && in_use + free_objects == cache->objects);
        *active += in_use;
        ++*slabs;
    }
}

static inline void kmem_check(struct kmem_cache *cache) {
    u64 slabs = 0, active = 0;
    kmem_check_list(cache, &cache->full, cache->objects, cache->objects, &slabs, &active);
    kmem_check_list(cache, &cache->partial, 1, cache->objects - 1, &slabs, &active);
    kmem_check_list(cache, &cache->empty, 0, 0, &slabs, &active);
    CHECK(slabs == cache->slabs && active == kmem_cache_active(cache));
    CHECK(registry_cache(&slab_server.registry, world.me, cache->id)->slabs == slabs);
}

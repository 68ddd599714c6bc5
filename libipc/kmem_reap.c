/* SPDX-License-Identifier: MIT */
/* Empty slabs go back: of one cache, of the best among some, of all. */
#include "kmem.h"

enum {
    REAP_LOOKS = 10,   /* caches that one kmem_cache_reap looks at */
    REAP_ENOUGH = 10,  /* pages: no need to look for more */
    REAP_PARTS_OF = 5, /* of the best cache's empty slabs four of five go */
};

/* Gives up to `most` empty slabs back; returns how many went. */
static u64 give_back(struct kmem_cache *cache, u64 most) {
    u64 gone = 0;
    cache->busy++;
    for (struct slab *slab; gone < most && (slab = LIST_FIRST(&cache->empty)); gone++) {
        LIST_REMOVE(slab, link);
        cache->slabs--;
        kmem_give_back(cache, slab);
    }
    cache->busy--;
    return gone;
}

u64 kmem_cache_shrink(struct kmem_cache *cache) {
    give_back(cache, ~0ull);
    return cache->slabs;
}

static u64 count_empty(const struct kmem_cache *cache) {
    const struct slab *slab;
    u64 n = 0;
    LIST_FOREACH(slab, &cache->empty, link)
    n++;
    return n;
}

/* What is to be had of a cache, in pages; less if making the slabs anew costs more. */
static u64 worth_of(struct kmem_cache *cache, u64 slabs) {
    if (cache->flags & SLAB_NO_REAP || cache->busy)
        return 0;
    if (cache->grown) { /* spared once */
        cache->grown = false;
        return 0;
    }
    u64 pages = slabs << cache->order;
    if (cache->ctor)
        pages = (pages * 4 + 1) / 5;
    if (cache->order)
        pages = (pages * 4 + 1) / 5;
    return pages;
}

u64 kmem_cache_reap(void) {
    static u32 hand; /* of the clock: where the next one begins */
    struct kmem_cache *best = NULL;
    u64 best_worth = 0, best_slabs = 0;
    for (u32 places = 0, looks = 0; places < SLAB_CACHES_MAX && looks < REAP_LOOKS; places++) {
        struct kmem_cache *cache = kmem_caches[hand++ % SLAB_CACHES_MAX];
        if (!cache)
            continue;
        looks++;
        u64 slabs = count_empty(cache), worth = worth_of(cache, slabs);
        if (worth > best_worth) {
            best = cache;
            best_worth = worth;
            best_slabs = slabs;
        }
        if (best_worth >= REAP_ENOUGH)
            break;
    }
    if (!best)
        return 0;
    u32 order = best->order;
    return give_back(best, (best_slabs * (REAP_PARTS_OF - 1) + 1) / REAP_PARTS_OF) << order;
}

/* Shrinks all caches that may be reaped, once. Returns the pages that went back. */
static u64 shrink_all(void) {
    u64 pages = 0;
    for (u32 i = 0; i < SLAB_CACHES_MAX; i++) {
        struct kmem_cache *cache = kmem_caches[i];
        if (!cache || cache->flags & SLAB_NO_REAP || LIST_EMPTY(&cache->empty))
            continue;
        u32 order = cache->order;
        pages += give_back(cache, ~0ull) << order;
    }
    return pages;
}

u64 kmem_cache_drain(void) {
    /* Descriptors of slabs that go back free objects of other caches: again, until nothing goes. */
    u64 pages = 0;
    for (u64 now; (now = shrink_all());)
        pages += now;
    return pages;
}

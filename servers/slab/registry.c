/* SPDX-License-Identifier: MIT */
#include "registry.h"

#include <ipc/assert.h>
#include <string.h>

static u32 number_of(const struct registry *r, const struct cache *cache) {
    return (u32)(cache - r->cache);
}

/* An unused place, or NULL; *taken: the client has a cache of that name. */
static struct cache *find_place(struct registry *r, u32 client, const char *name, bool *taken) {
    struct cache *place = NULL;
    *taken = false;
    for (u32 i = 0; i < CACHES_MAX; i++) {
        struct cache *cache = &r->cache[i];
        if (!cache->client && !place)
            place = cache;
        if (cache->client == client && !strcmp(cache->name, name))
            *taken = true;
    }
    return place;
}

err registry_create(struct registry *r, u32 client, const char *name, u64 size, u64 offset, u64 flags) {
    struct geometry geometry;
    if (!client || client >= CLIENTS_MAX || !*name || !memchr(name, 0, KMEM_NAME_BYTES))
        return -E_INVAL;
    err e = geometry_make(&geometry, size, offset, flags, r->break_order);
    if (e)
        return e;
    bool taken;
    struct cache *cache = find_place(r, client, name, &taken);
    if (taken)
        return -E_EXIST;
    if (!cache)
        return -E_NOSPC;
    *cache = (struct cache){.client = client, .size = size, .geometry = geometry};
    memcpy(cache->name, name, strlen(name));
    return number_of(r, cache);
}

struct cache *registry_cache(struct registry *r, u32 client, u64 number) {
    if (!client || number >= CACHES_MAX || r->cache[number].client != client)
        return NULL;
    return &r->cache[number];
}

u32 registry_grown(struct registry *r, struct cache *cache, u64 page, u32 first_frame) {
    const struct geometry *g = &cache->geometry;
    struct window_slab slab = {.first = first_frame, .cache = number_of(r, cache), .order = g->order};
    window_put(&r->window[cache->client], page, slab);
    cache->slabs++;
    cache->grown++;
    u32 colour = cache->colour_next * g->colour_bytes;
    cache->colour_next = cache->colour_next + 1 < g->colours ? cache->colour_next + 1 : 0;
    return colour;
}

err registry_slab(const struct registry *r, const struct cache *cache, u64 page, struct window_slab *slab) {
    struct window_slab found;
    err e = window_lookup(&r->window[cache->client], page, &found);
    if (e || found.cache != number_of(r, cache))
        return -E_STALE;
    *slab = found;
    return 0;
}

void registry_released(struct registry *r, struct cache *cache, u64 page) {
    window_take(&r->window[cache->client], page);
    ASSERT(cache->slabs);
    cache->slabs--;
    cache->released++;
}

err registry_destroy(struct registry *r, struct cache *cache) {
    ASSERT(cache->client && number_of(r, cache) < CACHES_MAX);
    if (cache->slabs)
        return -E_BUSY;
    *cache = (struct cache){0};
    return 0;
}

err registry_info(const struct registry *r, u64 index, struct slab_info *info) {
    const struct cache *cache = r->cache;
    for (u64 seen = 0; cache < r->cache + CACHES_MAX; cache++)
        if (cache->client && seen++ == index)
            break;
    if (cache == r->cache + CACHES_MAX)
        return -E_INVAL;
    const struct geometry *g = &cache->geometry;
    u64 all = cache->slabs * g->objects;
    u64 active = MIN(cache->active, all), full = (active + g->objects - 1) / g->objects;
    *info = (struct slab_info){.client = cache->client,
                               .active_objects = active,
                               .objects = all,
                               .size = cache->size,
                               .objects_per_slab = g->objects,
                               .pages_per_slab = 1ull << g->order,
                               .active_slabs = full,
                               .slabs = cache->slabs};
    memcpy(info->name, cache->name, sizeof info->name);
    return 0;
}

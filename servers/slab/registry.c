/* SPDX-License-Identifier: MIT */
#include "registry.h"

#include <ipc/assert.h>
#include <string.h>

/* An unused place, or NULL; *taken: the client has a cache of that name. */
static struct cache *find_place(struct client *client, const char *name, bool *taken) {
    struct cache *place = NULL;
    *taken = false;
    for (u32 i = 0; i < SLAB_CACHES_MAX; i++) {
        struct cache *cache = &client->cache[i];
        if (!*cache->name)
            place = place ? place : cache;
        else if (*cache->name == *name && !strcmp(cache->name, name))
            *taken = true;
    }
    return place;
}

/* The client leaves poison away where it has a constructor: the cell is the same. */
static u64 debug_flags(const struct registry *r, u64 size, u64 flags) {
    return r->debug && !geometry_too_large_to_debug(size) ? flags | SLAB_DEBUG : flags;
}

err registry_create(struct registry *r, u32 client, const char *name, u64 size, u64 offset, u64 flags,
                    struct cache **made) {
    struct geometry geometry;
    if (!client || client >= CLIENTS_MAX || !r->client[client].counts || !*name ||
        !memchr(name, 0, KMEM_NAME_BYTES))
        return -E_INVAL;
    flags = debug_flags(r, size, flags);
    err e = geometry_make(&geometry, size, offset, flags, r->break_order);
    if (e)
        return e;
    bool taken;
    struct cache *cache = find_place(&r->client[client], name, &taken);
    if (taken)
        return -E_EXIST;
    if (!cache)
        return -E_NOSPC;
    *cache = (struct cache){.client = client,
                            .number = (u32)(cache - r->client[client].cache),
                            .size = size,
                            .flags = flags,
                            .geometry = geometry};
    memcpy(cache->name, name, strlen(name));
    *made = cache;
    return 0;
}

struct cache *registry_cache(struct registry *r, u32 client, u64 number) {
    if (!client || client >= CLIENTS_MAX || number >= SLAB_CACHES_MAX ||
        !*r->client[client].cache[number].name)
        return NULL;
    return &r->client[client].cache[number];
}

u32 registry_grown(struct registry *r, struct cache *cache, u64 page, u32 first_frame) {
    const struct geometry *g = &cache->geometry;
    struct window_slab slab = {.first = first_frame, .cache = cache->number, .order = g->order};
    window_put(&r->client[cache->client].window, page, slab);
    cache->slabs++;
    cache->grown++;
    u32 colour = cache->colour_next * g->colour_bytes;
    cache->colour_next = cache->colour_next + 1 < g->colours ? cache->colour_next + 1 : 0;
    return colour;
}

err registry_slab(const struct registry *r, const struct cache *cache, u64 page, struct window_slab *slab) {
    struct window_slab found;
    err e = window_lookup(&r->client[cache->client].window, page, &found);
    if (e || found.cache != cache->number)
        return -E_STALE;
    *slab = found;
    return 0;
}

void registry_released(struct registry *r, struct cache *cache, u64 page) {
    window_take(&r->client[cache->client].window, page);
    ASSERT(cache->slabs);
    cache->slabs--;
    cache->released++;
}

err registry_destroy(struct cache *cache) {
    ASSERT(*cache->name);
    if (cache->slabs)
        return -E_BUSY;
    *cache = (struct cache){0};
    return 0;
}

void registry_forget(struct registry *r, u32 client) {
    memset(&r->client[client], 0, sizeof r->client[client]);
}

/* What the client says, as far as it can be true. */
static u64 active_objects(const struct registry *r, const struct cache *cache) {
    const volatile struct slab_counts *counts = &r->client[cache->client].counts[cache->number];
    return MIN(counts->taken - counts->given_back, cache->slabs * cache->geometry.objects);
}

enum { PLACES = CLIENTS_MAX * SLAB_CACHES_MAX };

/* The cache at a place of the whole registry, NULL if none is there. */
static const struct cache *at_place(const struct registry *r, u64 place) {
    const struct cache *cache = &r->client[place / SLAB_CACHES_MAX].cache[place % SLAB_CACHES_MAX];
    return *cache->name ? cache : NULL;
}

/* The next place in use, from `at` on; PLACES: none. Clients without caches cost one look. */
static u64 next_place(const struct registry *r, u64 at) {
    while (at < PLACES && !at_place(r, at))
        at += r->client[at / SLAB_CACHES_MAX].counts ? 1 : SLAB_CACHES_MAX - at % SLAB_CACHES_MAX;
    return MIN(at, (u64)PLACES);
}

static bool alike(const struct cache *a, const struct cache *b) {
    return a->name_words[0] == b->name_words[0] && a->name_words[1] == b->name_words[1] &&
           a->name_words[2] == b->name_words[2] && a->size == b->size &&
           a->geometry.order == b->geometry.order && a->geometry.objects == b->geometry.objects;
}

/* Whether an earlier cache is alike. */
static bool repeats(const struct registry *r, u64 place) {
    const struct cache *cache = at_place(r, place);
    for (u64 i = next_place(r, 0); i < place; i = next_place(r, i + 1))
        if (alike(at_place(r, i), cache))
            return true;
    return false;
}

static void add_to(const struct registry *r, struct slab_info *info, const struct cache *cache) {
    u64 active = active_objects(r, cache), per_slab = cache->geometry.objects;
    info->active_objects += active;
    info->objects += cache->slabs * per_slab;
    info->active_slabs += (active + per_slab - 1) / per_slab;
    info->slabs += cache->slabs;
}

err registry_info(const struct registry *r, u64 at, struct slab_info *info) {
    u64 place = next_place(r, at);
    while (place < PLACES && repeats(r, place))
        place = next_place(r, place + 1);
    if (place == PLACES)
        return -E_INVAL;
    const struct cache *first = at_place(r, place);
    *info = (struct slab_info){.size = first->size,
                               .objects_per_slab = first->geometry.objects,
                               .pages_per_slab = 1ull << first->geometry.order};
    memcpy(info->name, first->name, sizeof info->name);
    for (u64 i = place; i < PLACES; i = next_place(r, i + 1))
        if (alike(at_place(r, i), first))
            add_to(r, info, at_place(r, i));
    return (err)place + 1;
}

err registry_stat(const struct registry *r, u64 at, struct slab_stat *stat) {
    u64 place = next_place(r, at);
    if (place == PLACES)
        return -E_INVAL;
    const struct cache *cache = at_place(r, place);
    const struct geometry *g = &cache->geometry;
    const volatile struct slab_counts *counts = &r->client[cache->client].counts[cache->number];
    *stat = (struct slab_stat){.client = cache->client,
                               .size = cache->size,
                               .flags = cache->flags,
                               .stride = g->stride,
                               .order = g->order,
                               .objects_per_slab = g->objects,
                               .left_over = g->left_over,
                               .colours = g->colours,
                               .colour_bytes = g->colour_bytes,
                               .off_slab = g->off_slab,
                               .slabs = cache->slabs,
                               .grown = cache->grown,
                               .released = cache->released,
                               .failures = cache->failures,
                               .taken = counts->taken,
                               .given_back = counts->given_back,
                               .high = counts->high,
                               .refused = counts->refused};
    memcpy(stat->name, cache->name, sizeof stat->name);
    return (err)place + 1;
}

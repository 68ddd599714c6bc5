/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include <ipc/assert.h>
#include <string.h>

_Static_assert(SRV_COUNT <= CLIENTS_MAX, "each server may be a client");
_Static_assert(CHUNK_PAGES *PAGE_BYTES == SLAB_CHUNK_BYTES, "the protocol's chunks");
_Static_assert((SLAB_WINDOW_END - SLAB_WINDOW) / SLAB_CHUNK_BYTES >= CHUNKS_MAX, "the window holds them");

enum { COUNTS_PAGE = 1 };

PROTO_DISPATCH(slab, SLAB_OPS)

err slab_on_call(struct ipc_ctx *c, u64 label, u64 *w) {
    if (c->badge == SRV_NONE || c->badge >= SRV_COUNT)
        return -E_PERM;
    return slab_dispatch(c, label, w);
}

static vaddr address_of(u64 page) {
    return SLAB_WINDOW + page * PAGE_BYTES;
}

static struct cache *cache_of(const struct ipc_ctx *c, u64 number) {
    return registry_cache(&slab_server.registry, c->badge, number);
}

/* A zeroed page that this server and, at that page of its window, the client see; NULL. */
static void *shared_page(u32 client, u64 page) {
    const struct slab_host *host = slab_server.host;
    void *shared = host->page(host->ctx);
    if (shared && host->map(host->ctx, client, address_of(page), host->frame_of(host->ctx, shared), 0)) {
        host->free_page(host->ctx, shared);
        return NULL;
    }
    return shared;
}

/* One more chunk in a client's window: a table here, a page for the client's own there. */
static err add_chunk(u32 client) {
    const struct slab_host *host = slab_server.host;
    struct window *window = &slab_server.registry.client[client].window;
    if (window->chunks == CHUNKS_MAX)
        return -E_NOMEM;
    void *table = host->page(host->ctx);
    void *shared = table ? shared_page(client, (u64)window->chunks * CHUNK_PAGES) : NULL;
    if (!shared) {
        if (table)
            host->free_page(host->ctx, table);
        return -E_NOMEM;
    }
    window_add_chunk(window, table, (u32)host->frame_of(host->ctx, shared));
    return 0;
}

/* A place in the client's window, in a new chunk if need be. */
static err find_page(u32 client, u32 order) {
    const struct window *window = &slab_server.registry.client[client].window;
    err page = window_find(window, order);
    if (page >= 0)
        return page;
    err e = add_chunk(client);
    return e ? e : window_find(window, order);
}

/* The client no longer sees it, and no device writes to it. */
static void unmap_slab(u32 client, u64 page, const struct window_slab *slab) {
    const struct slab_host *host = slab_server.host;
    const struct cache *cache = registry_cache(&slab_server.registry, client, slab->cache);
    host->unmap(host->ctx, client, address_of(page), slab->order);
    if (cache->flags & SLAB_CACHE_DMA)
        host->pin(host->ctx, slab->first, slab->order, false);
}

static void unmap_all(u32 client, const struct window *window) {
    const struct slab_host *host = slab_server.host;
    struct window_slab slab;
    bool kept;
    for (err page = 0; (page = window_next(window, (u64)page, &slab, &kept)) >= 0; page++) {
        if (kept)
            host->unmap(host->ctx, client, address_of((u64)page), 0);
        else
            unmap_slab(client, (u64)page, &slab);
    }
    host->collect(host->ctx);
}

/* Takes all that a client has: slabs, its own pages, our tables. Its own damage to any of it does not matter.
 * Returns how many pages of slabs went. */
static u64 reclaim_all(u32 client) {
    const struct slab_host *host = slab_server.host;
    struct window *window = &slab_server.registry.client[client].window;
    struct window_slab slab;
    bool kept;
    u64 pages = window->pages;
    unmap_all(client, window);
    for (err page = 0; (page = window_next(window, (u64)page, &slab, &kept)) >= 0; page++) {
        if (kept)
            host->free_page(host->ctx, host->address_of(host->ctx, slab.first));
        else
            host->free_frames(host->ctx, slab.first, slab.order);
    }
    for (u32 i = 0; i < window->chunks; i++)
        host->free_page(host->ctx, window->table[i]);
    registry_forget(&slab_server.registry, client);
    return pages;
}

err slab_on_attach(struct ipc_ctx *c, const struct slab_attach_req *req, struct slab_attach_rep *rep) {
    (void)req;
    struct client *client = &slab_server.registry.client[c->badge];
    reclaim_all(c->badge);
    err e = add_chunk(c->badge);
    if (e)
        return e;
    void *counts = shared_page(c->badge, COUNTS_PAGE);
    if (!counts) {
        reclaim_all(c->badge);
        return -E_NOMEM;
    }
    window_keep(&client->window, COUNTS_PAGE, (u32)slab_server.host->frame_of(slab_server.host->ctx, counts));
    client->counts = counts;
    rep->counts = address_of(COUNTS_PAGE);
    return 0;
}

err slab_on_create(struct ipc_ctx *c, const struct slab_create_req *req, struct slab_create_rep *rep) {
    char name[KMEM_NAME_BYTES];
    struct cache *cache;
    if (c->words < MSG_REG_WORDS + sizeof name / 8)
        return -E_INVAL;
    memcpy(name, c->tail, sizeof name);
    err e =
        registry_create(&slab_server.registry, c->badge, name, req->size, req->offset, req->flags, &cache);
    if (e)
        return e;
    const struct geometry *g = &cache->geometry;
    *rep = (struct slab_create_rep){.cache = cache->number,
                                    .order = g->order,
                                    .objects = g->objects,
                                    .stride = g->stride,
                                    .flags = cache->flags,
                                    .off_slab = g->off_slab};
    return 0;
}

/* Frames for a slab, mapped at that page of the client's; 0: none. */
static pfn slab_frames(const struct cache *cache, u32 gfp_mask, u64 page) {
    const struct slab_host *host = slab_server.host;
    u32 order = cache->geometry.order, zone = cache->flags & SLAB_CACHE_DMA ? __GFP_DMA : __GFP_HIGHMEM;
    pfn first = host->frames(host->ctx, (gfp_mask & ~(u32)GFP_ZONEMASK) | zone, order);
    if (first && host->map(host->ctx, cache->client, address_of(page), first, order)) {
        host->free_frames(host->ctx, first, order);
        return 0;
    }
    if (first && cache->flags & SLAB_CACHE_DMA)
        host->pin(host->ctx, first, order, true);
    return first;
}

err slab_on_grow(struct ipc_ctx *c, const struct slab_grow_req *req, struct slab_grow_rep *rep) {
    struct cache *cache = cache_of(c, req->cache);
    if (!cache || req->gfp & ~(u64)GFP_ALL)
        return -E_INVAL;
    err page = find_page(c->badge, cache->geometry.order);
    pfn first = page < 0 ? 0 : slab_frames(cache, (u32)req->gfp, (u64)page);
    if (!first) {
        cache->failures++;
        return -E_NOMEM;
    }
    rep->slab = address_of((u64)page);
    rep->colour = registry_grown(&slab_server.registry, cache, (u64)page, (u32)first);
    return 0;
}

err slab_on_release(struct ipc_ctx *c, const struct slab_release_req *req, struct slab_release_rep *rep) {
    (void)rep;
    struct window_slab slab;
    struct cache *cache = cache_of(c, req->cache);
    if (!cache)
        return -E_INVAL;
    u64 page = (req->slab - SLAB_WINDOW) / PAGE_BYTES;
    if (req->slab % PAGE_BYTES || registry_slab(&slab_server.registry, cache, page, &slab))
        return -E_STALE;
    unmap_slab(c->badge, page, &slab);
    slab_server.host->free_frames(slab_server.host->ctx, slab.first, slab.order);
    registry_released(&slab_server.registry, cache, page);
    return 0;
}

err slab_on_destroy(struct ipc_ctx *c, const struct slab_destroy_req *req, struct slab_destroy_rep *rep) {
    (void)rep;
    struct cache *cache = cache_of(c, req->cache);
    return cache ? registry_destroy(cache) : -E_INVAL;
}

static void put_tail(struct ipc_ctx *c, const void *record, u64 bytes) {
    memcpy(c->tail, record, bytes);
    c->tail_words = (u32)(bytes / 8);
}

err slab_on_info(struct ipc_ctx *c, const struct slab_info_req *req, struct slab_info_rep *rep) {
    struct slab_info info;
    err next = registry_info(&slab_server.registry, req->at, &info);
    if (next < 0)
        return next;
    put_tail(c, &info, sizeof info);
    rep->next = (u64)next;
    return 0;
}

err slab_on_stat(struct ipc_ctx *c, const struct slab_stat_req *req, struct slab_stat_rep *rep) {
    struct slab_stat stat;
    err next = registry_stat(&slab_server.registry, req->at, &stat);
    if (next < 0)
        return next;
    put_tail(c, &stat, sizeof stat);
    rep->next = (u64)next;
    return 0;
}

err slab_on_shrink(struct ipc_ctx *c, const struct slab_shrink_req *req, struct slab_shrink_rep *rep) {
    (void)c, (void)req, (void)rep;
    for (u32 i = 1; i < SRV_COUNT; i++)
        if (slab_server.registry.client[i].counts)
            slab_server.host->notify_drain(slab_server.host->ctx, i);
    return 0;
}

err slab_on_bury(struct ipc_ctx *c, const struct slab_bury_req *req, struct slab_bury_rep *rep) {
    if (c->badge != SRV_ROOT)
        return -E_PERM;
    if (req->client == SRV_NONE || req->client >= SRV_COUNT)
        return -E_INVAL;
    rep->pages = reclaim_all((u32)req->client);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* slab: the memory-area server. The shell: one loop, one thread; clients are known by their badge (enum
 * server_id), and each one's slab window by the permit WINDOW(client). Its slabs are frames of this server's
 * account, mapped there. */
#include <abi/info.h>
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <ipc/space.h>
#include <proto/bits.h>
#include <proto/slab.def>
#include <string.h>

#include "registry.h"

_Static_assert(SRV_COUNT <= CLIENTS_MAX, "each server may be a client");
_Static_assert(CHUNK_PAGES *PAGE_BYTES == SLAB_CHUNK_BYTES, "the protocol's chunks");

static struct registry registry;
static u64 clients; /* that have made a cache: a bit for each */

static vaddr address_of(u64 page) {
    return SLAB_WINDOW + page * PAGE_BYTES;
}

/* Maps 1 << order frames at a page of the client's window. All of them, or an error and none. */
static err map_at(u32 client, u64 page, pfn first, u32 order) {
    struct map_item items[1 << SLAB_ORDER_MAX];
    u32 pages = 1u << order;
    for (u32 i = 0; i < pages; i++)
        items[i] = (struct map_item){address_of(page + i) | MAP_READ | MAP_WRITE, first + i};
    err e = space_map(WINDOW(client), items, pages);
    if (e)
        space_unmap(WINDOW(client), address_of(page), pages);
    return e;
}

/* One more chunk in a client's window: a table here, a zeroed page there. */
static err add_chunk(u32 client) {
    struct window *window = &registry.window[client];
    if (window->chunks == CHUNKS_MAX)
        return -E_NOMEM;
    vaddr header = get_free_page(GFP_HIGHUSER), table = get_free_page(GFP_HIGHUSER);
    if (!header || !table)
        goto no_memory;
    pfn frame = virt_to_pfn((void *)header);
    if (map_at(client, (u64)window->chunks * CHUNK_PAGES, frame, 0))
        goto no_memory;
    kunmap(frame);
    window_add_chunk(window, (u64 *)table, (u32)frame);
    return 0;
no_memory:
    if (table)
        free_page(table);
    if (header)
        free_page(header);
    return -E_NOMEM;
}

/* A place in the client's window, in a new chunk if need be. */
static err find_page(u32 client, u32 order) {
    err page = window_find(&registry.window[client], order);
    if (page >= 0)
        return page;
    err e = add_chunk(client);
    return e ? e : window_find(&registry.window[client], order);
}

err slab_on_create(struct ipc_ctx *c, const struct slab_create_req *req, struct slab_create_rep *rep) {
    char name[KMEM_NAME_BYTES];
    if (c->words < MSG_REG_WORDS + sizeof name / 8)
        return -E_INVAL;
    memcpy(name, c->tail, sizeof name);
    err number = registry_create(&registry, c->badge, name, req->size, req->offset, req->flags);
    if (number < 0)
        return number;
    const struct geometry *g = &registry.cache[number].geometry;
    clients |= 1ull << c->badge;
    *rep = (struct slab_create_rep){.cache = (u64)number,
                                    .order = g->order,
                                    .objects = g->objects,
                                    .stride = g->stride,
                                    .off_slab = g->off_slab};
    return 0;
}

err slab_on_grow(struct ipc_ctx *c, const struct slab_grow_req *req, struct slab_grow_rep *rep) {
    struct cache *cache = registry_cache(&registry, c->badge, req->cache);
    if (!cache || req->gfp & ~(u64)GFP_ALL)
        return -E_INVAL;
    u32 order = cache->geometry.order;
    cache->active = req->active;
    err page = find_page(c->badge, order);
    pfn first = page < 0 ? 0 : alloc_pages((u32)req->gfp | __GFP_HIGHMEM, order);
    if (first && map_at(c->badge, (u64)page, first, order)) {
        __free_pages(first, order);
        first = 0;
    }
    if (!first) {
        cache->failures++;
        return -E_NOMEM;
    }
    rep->slab = address_of((u64)page);
    rep->colour = registry_grown(&registry, cache, (u64)page, (u32)first);
    return 0;
}

err slab_on_release(struct ipc_ctx *c, const struct slab_release_req *req, struct slab_release_rep *rep) {
    (void)rep;
    struct window_slab slab;
    struct cache *cache = registry_cache(&registry, c->badge, req->cache);
    if (!cache)
        return -E_INVAL;
    u64 page = (req->slab - SLAB_WINDOW) / PAGE_BYTES;
    if (req->slab % PAGE_BYTES || registry_slab(&registry, cache, page, &slab))
        return -E_STALE;
    cache->active = req->active;
    space_unmap(WINDOW(c->badge), req->slab, 1ull << slab.order);
    registry_released(&registry, cache, page);
    __free_pages(slab.first, slab.order);
    return 0;
}

err slab_on_destroy(struct ipc_ctx *c, const struct slab_destroy_req *req, struct slab_destroy_rep *rep) {
    (void)rep;
    struct cache *cache = registry_cache(&registry, c->badge, req->cache);
    return cache ? registry_destroy(&registry, cache) : -E_INVAL;
}

err slab_on_report(struct ipc_ctx *c, const struct slab_report_req *req, struct slab_report_rep *rep) {
    (void)rep;
    struct cache *cache = registry_cache(&registry, c->badge, req->cache);
    if (!cache)
        return -E_INVAL;
    cache->active = req->active;
    return 0;
}

err slab_on_info(struct ipc_ctx *c, const struct slab_info_req *req, struct slab_info_rep *rep) {
    (void)rep;
    struct slab_info info;
    err e = registry_info(&registry, req->index, &info);
    if (e)
        return e;
    memcpy(c->tail, &info, sizeof info);
    c->tail_words = sizeof info / 8;
    return 0;
}

err slab_on_shrink(struct ipc_ctx *c, const struct slab_shrink_req *req, struct slab_shrink_rep *rep) {
    (void)c, (void)req, (void)rep;
    for (u32 i = 1; i < SRV_COUNT; i++)
        if (clients >> i & 1 && sys_notify(SERVICE(i), BIT(BIT_DRAIN)))
            log_line("client %u cannot be notified", i);
    return 0;
}

PROTO_DISPATCH(slab, SLAB_OPS)

static err on_call(struct ipc_ctx *c, u64 label, u64 *w) {
    if (c->badge == SRV_NONE || c->badge >= SRV_COUNT)
        return -E_PERM;
    return slab_dispatch(c, label, w);
}

/* Page tables of a client's window that have become empty. */
static void take_tables(u32 client) {
    u64 list[FEED_MAX];
    for (err n; (n = sys_unfeed(WINDOW(client), FEED_MAX)) > 0;) {
        memcpy(list, ipc_area(), (u64)n * sizeof list[0]);
        for (err i = 0; i < n; i++)
            __free_page(list[i]);
    }
}

static void on_bits(u64 bits) {
    if (!(bits & BIT(BIT_DRAIN)))
        return;
    for (u32 i = 1; i < SRV_COUNT; i++)
        if (clients >> i & 1)
            take_tables(i);
    drain_magazines();
}

int main(void) {
    static const struct server server = {
        .name = "slab", .endpoint = SLOT_ENDPOINT, .on_call = on_call, .on_bits = on_bits};
    const struct info_page *info = (const struct info_page *)INFO_PAGE;
    log_name(server.name);
    err e = frame_client_init();
    ASSERT(e == 0);
    registry.break_order = info->frames > SLAB_SMALL_FRAMES ? SLAB_BREAK_ORDER_HIGH : SLAB_BREAK_ORDER_LOW;
    server_run(&server);
}

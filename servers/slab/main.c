/* SPDX-License-Identifier: MIT */
/* slab: the memory-area server. The shell: one loop, one thread; clients are known by their badge (enum
 * server_id), and each one's slab window by the permit WINDOW(client). Its slabs are frames of this server's
 * account, mapped there. */
#include <abi/info.h>
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <ipc/space.h>
#include <proto/bits.h>
#include <string.h>

#include "handlers.h"

struct slab_server slab_server;

static void *page(void *ctx) {
    (void)ctx;
    return (void *)get_free_page(GFP_HIGHUSER);
}
static void free_own_page(void *ctx, void *at) {
    (void)ctx;
    free_page((vaddr)at);
}
static pfn frame_of(void *ctx, const void *at) {
    (void)ctx;
    return virt_to_pfn(at);
}
static void *address_of(void *ctx, pfn frame) {
    (void)ctx;
    return pfn_to_virt(frame);
}
static pfn frames(void *ctx, u32 gfp_mask, u32 order) {
    (void)ctx;
    return alloc_pages(gfp_mask, order);
}
static void free_frames(void *ctx, pfn first, u32 order) {
    (void)ctx;
    __free_pages(first, order);
}

/* Of a client whose space is gone nothing is mapped, and the permit is dead. */
static void unmap(void *ctx, u32 client, vaddr at, u32 order) {
    (void)ctx;
    vaddr end = at + (PAGE_BYTES << order);
    while (at < end) {
        struct pair p = sys_unmap(WINDOW(client), at, (end - at) / PAGE_BYTES, 0);
        if (p.r < 0)
            return;
        at = (vaddr)p.r;
    }
}

static err map(void *ctx, u32 client, vaddr at, pfn first, u32 order) {
    struct map_item items[1 << SLAB_ORDER_MAX];
    u32 pages = 1u << order;
    for (u32 i = 0; i < pages; i++)
        items[i] = (struct map_item){(at + i * PAGE_BYTES) | MAP_READ | MAP_WRITE, first + i};
    err e = space_map(WINDOW(client), items, pages);
    if (e)
        unmap(ctx, client, at, order);
    return e;
}

static void collect(void *ctx) {
    (void)ctx;
    err n;
    do {
        n = sys_collect(SLOT_ACCOUNT, LIST_MAX);
        ASSERT(n >= 0);
    } while (n > 0);
}

static void pin(void *ctx, pfn first, u32 order, bool on) {
    (void)ctx;
    u64 pages = 1ull << order;
    for (u64 i = 0; i < pages; i++)
        ipc_area()[i] = first + i;
    err n = on ? sys_pin(pages) : sys_unpin(pages);
    ASSERT(n == (err)pages);
}

static void notify_drain(void *ctx, u32 client) {
    (void)ctx;
    if (sys_notify(SERVICE(client), BIT(BIT_DRAIN)))
        log_line("client %u cannot be notified", client);
}

static const struct slab_host host = {NULL,        page, free_own_page, frame_of, address_of, frames,
                                      free_frames, map,  unmap,         collect,  pin,        notify_drain};

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
        if (slab_server.registry.client[i].counts)
            take_tables(i);
    drain_magazines();
}

/* Whether a word of the kernel's command line is this one. */
static bool has_word(const char *line, const char *word) {
    u64 n = strlen(word);
    for (const char *at = line; *at; at++)
        if ((at == line || at[-1] == ' ') && !strncmp(at, word, n) && (!at[n] || at[n] == ' '))
            return true;
    return false;
}

int main(void) {
    static const struct server server = {
        .name = "slab", .endpoint = SLOT_ENDPOINT, .on_call = slab_on_call, .on_bits = on_bits};
    const struct info_page *info = (const struct info_page *)INFO_PAGE;
    struct registry *registry = &slab_server.registry;
    log_name(server.name);
    err e = frame_client_init();
    ASSERT(e == 0);
    slab_server.host = &host;
    registry->break_order = info->frames > SLAB_SMALL_FRAMES ? SLAB_BREAK_ORDER_HIGH : SLAB_BREAK_ORDER_LOW;
    registry->debug = has_word(info->cmdline, "slab=debug");
    server_run(&server);
}

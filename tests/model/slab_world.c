/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "model/slab_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <abi/errors.h>

#define WINDOW_BYTES    (WORLD_CHUNKS * SLAB_CHUNK_BYTES)
#define ABORT_UNLESS(x) ((x) ? (void)0 : fail(__LINE__, #x))

struct slab_world world;
struct slab_server slab_server;
vaddr kport_window;

static int memory = -1;
static char *frames_at;          /* all frames, seen by the server */
static char *windows;            /* of all clients, one after another */
static u16 mapped[WORLD_FRAMES]; /* mappings in clients */
static u8 used[WORLD_FRAMES], pinned[WORLD_FRAMES];
static u8 own[WORLD_FRAMES];                               /* a page() of the server */
static u8 queued[WORLD_FRAMES];                            /* on the kernel's collect list */
static u32 at_page[SRV_COUNT][WORLD_CHUNKS * CHUNK_PAGES]; /* the frame there */

static _Noreturn void fail(int line, const char *what) {
    fprintf(stderr, "slab_world.c:%d: %s\n", line, what);
    abort();
}

static void no_memory_there(char *at, u64 bytes) {
    void *got = mmap(at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    ABORT_UNLESS(got == at);
}

static void reserve(void) {
    u64 bytes = SRV_COUNT * WINDOW_BYTES + SLAB_CHUNK_BYTES;
    char *at = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ABORT_UNLESS(at != MAP_FAILED);
    windows = (char *)ROUND_UP((uintptr_t)at, SLAB_CHUNK_BYTES);
    memory = memfd_create("frames", 0);
    ABORT_UNLESS(memory >= 0 && ftruncate(memory, WORLD_FRAMES * PAGE_BYTES) == 0);
    frames_at = mmap(NULL, WORLD_FRAMES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    ABORT_UNLESS(frames_at != MAP_FAILED);
}

char *world_at(u32 client, vaddr at) {
    ABORT_UNLESS(at >= SLAB_WINDOW && at < SLAB_WINDOW + WINDOW_BYTES);
    return windows + client * WINDOW_BYTES + (at - SLAB_WINDOW);
}

/* First fit, of the DMA zone or of the rest. */
static pfn take(u32 gfp_mask, u32 order) {
    u64 pages = 1ull << order, dma = gfp_mask & __GFP_DMA;
    u64 end = dma ? WORLD_DMA_FRAMES : WORLD_FRAMES;
    ABORT_UNLESS((gfp_mask & GFP_ZONEMASK) != GFP_ZONEMASK);
    if (world.fail_after == 0)
        return 0;
    world.fail_after -= world.fail_after > 0;
    for (pfn first = dma ? pages : WORLD_DMA_FRAMES; first < end; first += pages) {
        if (memchr(used + first, 1, pages))
            continue;
        memset(used + first, 1, pages);
        world.in_use += pages;
        memset(frames_at + first * PAGE_BYTES, 0xee, pages * PAGE_BYTES);
        return first;
    }
    return 0;
}

static void put(pfn first, u32 order) {
    for (pfn f = first; f < first + (1ull << order); f++)
        ABORT_UNLESS(f < WORLD_FRAMES && used[f] && !mapped[f] && !pinned[f] && !queued[f]);
    memset(used + first, 0, 1ull << order);
    memset(own + first, 0, 1ull << order);
    world.in_use -= 1ull << order;
}

static pfn host_frame_of(void *ctx, const void *page) {
    (void)ctx;
    return (pfn)((const char *)page - frames_at) / PAGE_BYTES;
}
static void *host_address_of(void *ctx, pfn frame) {
    (void)ctx;
    return frames_at + frame * PAGE_BYTES;
}
static void *host_page(void *ctx) {
    pfn frame = take(GFP_KERNEL, 0);
    own[frame] = frame != 0;
    return frame ? memset(host_address_of(ctx, frame), 0, PAGE_BYTES) : NULL;
}
static void host_free_page(void *ctx, void *page) {
    put(host_frame_of(ctx, page), 0);
}
static pfn host_frames(void *ctx, u32 gfp_mask, u32 order) {
    (void)ctx;
    return take(gfp_mask, order);
}
static void host_free_frames(void *ctx, pfn first, u32 order) {
    (void)ctx;
    put(first, order);
}

static u32 *place(u32 client, vaddr at) {
    return &at_page[client][(at - SLAB_WINDOW) / PAGE_BYTES];
}

static err host_map(void *ctx, u32 client, vaddr at, pfn first, u32 order) {
    (void)ctx;
    u64 pages = 1ull << order;
    if (world.dead[client] || at + pages * PAGE_BYTES > SLAB_WINDOW + WINDOW_BYTES)
        return -E_NOMEM;
    for (u64 i = 0; i < pages; i++) {
        ABORT_UNLESS(used[first + i] && !place(client, at)[i]);
        place(client, at)[i] = (u32)(first + i);
        mapped[first + i]++;
    }
    char *to = world_at(client, at);
    void *got = mmap(to, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory,
                     (off_t)(first * PAGE_BYTES));
    ABORT_UNLESS(got == to);
    return 0;
}

/* A mapping of a client goes. The kernel queues a frame that it was the last one of, unless its owner has
 * just unmapped it and has no mapping of its own. */
static void lose(pfn frame, bool by_death) {
    mapped[frame]--;
    if (!mapped[frame] && (by_death || own[frame]))
        queued[frame] = 1;
}

static void host_unmap(void *ctx, u32 client, vaddr at, u32 order) {
    (void)ctx;
    u64 pages = 1ull << order;
    if (world.dead[client])
        return;
    for (u64 i = 0; i < pages; i++) {
        lose(place(client, at)[i], false);
        place(client, at)[i] = 0;
    }
    no_memory_there(world_at(client, at), pages * PAGE_BYTES);
}

static void host_collect(void *ctx) {
    (void)ctx;
    memset(queued, 0, sizeof queued);
}

static void host_pin(void *ctx, pfn first, u32 order, bool on) {
    (void)ctx;
    for (u64 i = 0; i < 1ull << order; i++) {
        ABORT_UNLESS(used[first + i] && pinned[first + i] != on);
        pinned[first + i] = on;
    }
}

static void host_notify_drain(void *ctx, u32 client) {
    (void)ctx;
    world.drains |= 1u << client;
}

static const struct slab_host host = {
    NULL,     host_page,  host_free_page, host_frame_of, host_address_of,  host_frames, host_free_frames,
    host_map, host_unmap, host_collect,   host_pin,      host_notify_drain};

void world_begin(u32 me) {
    if (memory < 0)
        reserve();
    no_memory_there(windows, SRV_COUNT * WINDOW_BYTES);
    memset(mapped, 0, sizeof mapped);
    memset(used, 0, sizeof used);
    memset(pinned, 0, sizeof pinned);
    memset(own, 0, sizeof own);
    memset(queued, 0, sizeof queued);
    memset(at_page, 0, sizeof at_page);
    world = (struct slab_world){.me = me, .fail_after = -1};
    slab_server = (struct slab_server){.host = &host, .registry.break_order = SLAB_BREAK_ORDER_HIGH};
    kport_window = (vaddr)world_at(me, SLAB_WINDOW);
}

err world_call(u32 client, u64 label, u64 words[MSG_REG_WORDS], u64 *tail, u32 tail_words) {
    struct ipc_ctx c = {.badge = client, .label = label, .words = MSG_REG_WORDS + tail_words, .tail = tail};
    err e = slab_on_call(&c, label, words);
    ABORT_UNLESS(c.tail_words <= MSG_TAIL_WORDS);
    return e;
}

void world_kill(u32 client) {
    no_memory_there(world_at(client, SLAB_WINDOW), WINDOW_BYTES);
    for (u32 i = 0; i < WORLD_CHUNKS * CHUNK_PAGES; i++) {
        if (at_page[client][i])
            lose(at_page[client][i], true);
        at_page[client][i] = 0;
    }
    world.dead[client] = true;
}

bool world_is_pinned(pfn frame) {
    return pinned[frame];
}

pfn world_frame_at(u32 client, vaddr at) {
    return *place(client, at);
}

/* Every slab and kept page is mapped where the record says; returns the frames that a client has. */
static u64 check_client(u32 client) {
    const struct client *c = &slab_server.registry.client[client];
    u64 slabs[SLAB_CACHES_MAX] = {0}, pages = 0, kept_pages = 0;
    struct window_slab slab;
    bool kept;
    for (err page = 0; (page = window_next(&c->window, (u64)page, &slab, &kept)) >= 0; page++) {
        for (u32 i = 0; !world.dead[client] && i < 1u << slab.order; i++)
            ABORT_UNLESS(at_page[client][page + i] == slab.first + i);
        if (kept) {
            kept_pages++;
        } else {
            const struct cache *cache = registry_cache(&slab_server.registry, client, slab.cache);
            ABORT_UNLESS(cache && cache->geometry.order == slab.order);
            ABORT_UNLESS(pinned[slab.first] == !!(cache->flags & SLAB_CACHE_DMA));
            slabs[slab.cache]++;
            pages += 1ull << slab.order;
        }
    }
    for (u32 i = 0; i < SLAB_CACHES_MAX; i++)
        ABORT_UNLESS(c->cache[i].slabs == slabs[i]);
    ABORT_UNLESS(pages == c->window.pages);
    return pages + kept_pages + c->window.chunks;
}

void world_check(void) {
    u64 frames = 0;
    for (u32 client = 1; client < SRV_COUNT; client++)
        frames += check_client(client);
    ABORT_UNLESS(frames == world.in_use);
}

/* The port of one client. */

static void wait_for_answer(void) {
    void (*other)(void) = world.on_call;
    world.on_call = NULL;
    if (other)
        other();
}

static err port_call(u64 label, const void *req, u64 req_bytes, void *rep, u64 rep_bytes, u64 *tail) {
    u64 words[MSG_REG_WORDS] = {0};
    memcpy(words, req, req_bytes);
    err e = world_call(world.me, label, words, tail, tail ? KMEM_NAME_BYTES / 8 : 0);
    memcpy(rep, words, rep_bytes);
    wait_for_answer();
    return e;
}
#define PORT_CALL(op, tail, rep, ...)                                                                        \
    port_call(slab_label_##op, &(struct slab_##op##_req){__VA_ARGS__}, sizeof(struct slab_##op##_req), rep,  \
              sizeof *(rep), tail)

err kport_attach(struct slab_counts **counts) {
    struct slab_attach_rep rep;
    err e = PORT_CALL(attach, NULL, &rep, 0);
    *counts = e ? NULL : (struct slab_counts *)(void *)world_at(world.me, rep.counts);
    return e;
}

err kport_create(const char *name, u64 size, u64 offset, u32 flags, struct slab_create_rep *rep) {
    u64 tail[MSG_TAIL_WORDS] = {0};
    memcpy(tail, name, strlen(name));
    return PORT_CALL(create, tail, rep, size, offset, flags);
}

err kport_grow(u64 cache, u32 gfp_mask, struct slab_grow_rep *rep) {
    err e = PORT_CALL(grow, NULL, rep, cache, gfp_mask);
    if (!e)
        rep->slab = (vaddr)world_at(world.me, rep->slab);
    world.grows += !e;
    return e;
}

void kport_release(u64 cache, vaddr slab) {
    struct slab_release_rep rep;
    ABORT_UNLESS(!kmem_slab_of((void *)slab)); /* the client forgets it first */
    err e = PORT_CALL(release, NULL, &rep, cache, SLAB_WINDOW + slab - kport_window);
    ABORT_UNLESS(e == 0);
    world.releases++;
}

err kport_destroy(u64 cache) {
    struct slab_destroy_rep rep;
    return PORT_CALL(destroy, NULL, &rep, cache);
}

void kport_bug(const struct kmem_bug *bug) {
    world.bug = *bug;
    world.bugs++;
}

/* SPDX-License-Identifier: MIT */
/* The client side (libipc/kmem*.c, kmalloc.c) against the server's handlers in process. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errors.h>

#include "kmem_checks.h"

static void begin(void) {
    world_begin(SRV_LINUX);
    cr_assert_eq(kmem_cache_init(), 0);
}

TestSuite(kmem, .init = begin, .fini = world_check);

static struct cache *at_server(const struct kmem_cache *cache) {
    return registry_cache(&slab_server.registry, SRV_LINUX, cache->id);
}

Test(kmem, usual_allocations_are_local) {
    struct kmem_cache *cache = kmem_cache_create("vm_area_struct", 96, 0, 0, NULL, NULL);
    void *objects[200];
    world.grows = 0;
    for (u32 i = 0; i < 200; i++)
        cr_assert(objects[i] = kmem_cache_alloc(cache, GFP_KERNEL));
    cr_assert_eq(world.grows, (200 + cache->objects - 1) / cache->objects);
    cr_assert_eq(kmem_cache_active(cache), 200);
    for (u32 i = 0; i < 200; i++)
        kmem_cache_free(cache, objects[i]);
    cr_assert_eq(world.releases, 0, "empty slabs stay until they are asked for");
    kmem_check(cache);
    cr_assert_eq(kmem_cache_shrink(cache), 0);
    cr_assert_eq(world.releases, world.grows);
    kmem_check(cache);
}

Test(kmem, bad_caches) {
    cr_assert_null(kmem_cache_create(NULL, 8, 0, 0, NULL, NULL));
    cr_assert_null(kmem_cache_create("", 8, 0, 0, NULL, NULL));
    cr_assert_null(kmem_cache_create("twenty_four_bytes_xxxxxx", 8, 0, 0, NULL, NULL));
    cr_assert_null(kmem_cache_create("x", 0, 0, 0, NULL, NULL));
    cr_assert_null(kmem_cache_create("x", 8, 0, 1, NULL, NULL));
    cr_assert_null(kmem_cache_create("x", 8, 0, 0, NULL, free));
    cr_assert_null(kmem_cache_create("kmem_cache", 8, 0, 0, NULL, NULL));
    cr_assert(kmem_cache_create("x", 8, 0, 0, NULL, NULL));
    cr_assert_null(kmem_cache_create("x", 8, 0, 0, NULL, NULL), "the name is in use");
}

static u32 constructed, destructed;
static void ctor(void *object) {
    *(u64 *)object = 0xc0ffee;
    constructed++;
}
static void dtor(void *object) {
    cr_assert_eq(*(u64 *)object, 0xc0ffee, "objects come back constructed");
    destructed++;
}

Test(kmem, constructed_once) {
    struct kmem_cache *cache = kmem_cache_create("made", 40, 0, SLAB_DEBUG, ctor, dtor);
    cr_assert_eq(cache->flags, SLAB_RED_ZONE, "poison would destroy the constructed state");
    u64 *object = kmem_cache_alloc(cache, GFP_KERNEL);
    cr_assert(*object == 0xc0ffee && constructed == cache->objects);
    kmem_cache_free(cache, object);
    cr_assert_eq(kmem_cache_alloc(cache, GFP_KERNEL), object);
    cr_assert_eq(constructed, cache->objects);
    kmem_cache_free(cache, object);
    cr_assert_eq(kmem_cache_destroy(cache), 0);
    cr_assert_eq(destructed, constructed);
    cr_assert_eq(world.bugs, 0);
}

Test(kmem, destroy_fails_while_objects_remain) {
    struct kmem_cache *cache = kmem_cache_create("busy", 700, 0, 0, NULL, NULL);
    void *object = kmem_cache_alloc(cache, GFP_KERNEL);
    cr_assert_eq(kmem_cache_destroy(cache), -E_BUSY);
    kmem_check(cache);
    kmem_cache_free(cache, object);
    cr_assert_eq(kmem_cache_destroy(cache), 0);
    cr_assert(kmem_cache_create("busy", 700, 0, 0, NULL, NULL), "the name is free again");
}

Test(kmem, no_memory_is_an_answer) {
    struct kmem_cache *big = kmem_cache_create("big", 4096, 0, 0, NULL, NULL);
    cr_assert_eq(big->descriptors, &cache_slabp);
    void *object = kmem_cache_alloc(big, GFP_KERNEL);
    world.fail_after = 0;
    cr_assert_null(kmem_cache_alloc(big, GFP_KERNEL));
    cr_assert_eq(kmem_cache_reserve(big, 1, GFP_KERNEL), -E_NOMEM);
    kmem_check(big);
    cr_assert_eq(kmem_cache_active(&cache_slabp), 1,
                 "the descriptor of the slab that did not come is free again");
    cr_assert(big->counts->refused == 1 && at_server(big)->failures == 2);
    kmem_cache_free(big, object);
    cr_assert_eq(kmem_cache_alloc(big, GFP_KERNEL), object);
    cr_assert_null(kmalloc(100, GFP_KERNEL));
    kmem_cache_free(big, object);
}

Test(kmem, reserve_makes_allocations_certain) {
    struct kmem_cache *cache = kmem_cache_create("buffer_head", 96, 0, SLAB_HWCACHE_ALIGN, NULL, NULL);
    cr_assert_eq(kmem_cache_reserve(cache, 100, GFP_KERNEL), 0);
    world.fail_after = 0;
    for (u32 i = 0; i < 100; i++)
        cr_assert(kmem_cache_alloc(cache, GFP_KERNEL));
}

Test(kmem, no_grow) {
    struct kmem_cache *cache = kmem_cache_create("still", 1000, 0, 0, NULL, NULL);
    cr_assert_null(kmem_cache_alloc(cache, GFP_KERNEL | SLAB_NO_GROW));
    cr_assert_eq(kmem_cache_reserve(cache, 1, GFP_KERNEL), 0);
    for (u32 i = 0; i < cache->objects; i++)
        cr_assert(kmem_cache_alloc(cache, GFP_KERNEL | SLAB_NO_GROW));
    cr_assert_null(kmem_cache_alloc(cache, GFP_KERNEL | SLAB_NO_GROW));
    cr_assert(cache->slabs == 1 && cache->counts->refused == 2 && cache->counts->high == cache->objects);
}

Test(kmem, objects_for_dma) {
    struct kmem_cache *usual = kmem_cache_create("usual", 96, 0, 0, NULL, NULL);
    struct kmem_cache *dma = kmem_cache_create("prd", 96, 0, SLAB_CACHE_DMA, NULL, NULL);
    void *object = kmem_cache_alloc(dma, GFP_KERNEL);
    pfn frame = world_frame_at(SRV_LINUX, SLAB_WINDOW + (vaddr)object - kport_window);
    cr_assert(frame && frame < WORLD_DMA_FRAMES && world_is_pinned(frame));
    cr_assert(kmem_cache_alloc(dma, GFP_DMA));
    void *taken = kmem_cache_alloc(usual, GFP_KERNEL);
    cr_assert_null(kmem_cache_alloc(usual, GFP_DMA), "even with free objects there");
    kmem_cache_free(usual, taken);
    char *twin = kmalloc(100000, GFP_DMA);
    for (u32 i = 0; i < 25; i++) {
        pfn next = world_frame_at(SRV_LINUX, SLAB_WINDOW + (vaddr)twin - kport_window + i * PAGE_BYTES);
        cr_assert(next < WORLD_DMA_FRAMES && world_is_pinned(next));
        cr_assert(!i || next == frame + 1);
        frame = next;
    }
    cr_assert_str_eq(kmem_slab_of(twin)->cache->name, "size-131072(DMA)");
    kfree(twin);
    kmem_cache_drain();
    cr_assert(!world_is_pinned(frame));
}

Test(kmem, general_caches) {
    static const u32 sizes[] = {1, 31, 32, 33, 500, 513, 4000, 5000, 100000, 131072};
    void *objects[ARRAY_LEN(sizes)];
    cr_assert_null(kmalloc(0, GFP_KERNEL));
    cr_assert_null(kmalloc(KMEM_SIZE_MAX + 1, GFP_KERNEL));
    kfree(NULL);
    for (u32 i = 0; i < ARRAY_LEN(sizes); i++) {
        cr_assert(objects[i] = kmalloc(sizes[i], GFP_KERNEL));
        cr_assert_eq((uintptr_t)objects[i] % (sizes[i] <= 32 ? 32 : 64), 0);
        memset(objects[i], (int)i, sizes[i]);
    }
    for (u32 i = 0; i < ARRAY_LEN(sizes); i++) {
        for (u32 k = 0; k < sizes[i]; k++)
            cr_assert_eq(((u8 *)objects[i])[k], i);
        kfree(objects[i]);
    }
    cr_assert_gt(kmem_cache_drain(), 50);
    cr_assert_leq(slab_server.registry.client[SRV_LINUX].window.pages, 1, "descriptors of caches");
    world.fail_after = -1;
    cr_assert_eq(kmem_cache_sizes_init(), 0);
    u32 caches = 0;
    for (u32 i = 0; i < SLAB_CACHES_MAX; i++)
        caches += kmem_caches[i] && kmem_caches[i]->is_general;
    cr_assert_eq(caches, 26);
}

/* While one thread waits for a slab, another one takes objects, grows, frees and shrinks. */
static struct kmem_cache *shared;
static void other_thread(void) {
    void *objects[50];
    for (u32 i = 0; i < 50; i++)
        cr_assert(objects[i] = kmem_cache_alloc(shared, GFP_KERNEL));
    for (u32 i = 0; i < 50; i++)
        kmem_cache_free(shared, objects[i]);
    kmem_cache_shrink(shared);
    kmem_cache_reap();
    cr_assert_eq(kmem_cache_destroy(shared), -E_BUSY);
}

Test(kmem, threads_that_run_meanwhile) {
    shared = kmem_cache_create("shared", 512, 0, 0, NULL, NULL);
    world.on_call = other_thread;
    void *object = kmem_cache_alloc(shared, GFP_KERNEL);
    cr_assert(object);
    kmem_check(shared);
    kmem_cache_free(shared, object);
    world.on_call = other_thread;
    kmem_cache_shrink(shared);
    kmem_check(shared);
}

/* Fills a cache with so many slabs, and empties them. */
static struct kmem_cache *with_empty_slabs(const char *name, u32 size, u32 flags, u32 slabs) {
    static void *objects[10000];
    struct kmem_cache *cache = kmem_cache_create(name, size, 0, flags, NULL, NULL);
    u32 n = 0;
    while (cache->slabs < slabs || n % cache->objects)
        objects[n++] = kmem_cache_alloc(cache, GFP_KERNEL);
    while (n)
        kmem_cache_free(cache, objects[--n]);
    return cache;
}

Test(kmem, reap_takes_from_the_best) {
    struct kmem_cache *little = with_empty_slabs("little", 96, 0, 3);
    struct kmem_cache *much = with_empty_slabs("much", 96, 0, 8);
    struct kmem_cache *kept = with_empty_slabs("kept", 96, SLAB_NO_REAP, 50);
    cr_assert_eq(kmem_cache_reap(), 0, "what has just grown is spared");
    cr_assert_eq(kmem_cache_reap(), 6, "four of five, rounded up");
    cr_assert(much->slabs == 2 && little->slabs == 3 && kept->slabs == 50);
    cr_assert_eq(kmem_cache_reap(), 2);
    cr_assert_eq(little->slabs, 1);
    u64 pages = 0;
    for (u64 n; (n = kmem_cache_reap());)
        pages += n;
    cr_assert(pages == 3 && !little->slabs && !much->slabs && kept->slabs == 50);
    cr_assert_eq(kmem_cache_drain(), 0);
    cr_assert_eq(kmem_cache_shrink(kept), 0);
}

/* So many empty slabs in a new cache, which kmem_cache_reap has looked at once. */
static struct kmem_cache *empty(const char *name, u32 size, void (*make)(void *), u32 slabs) {
    struct kmem_cache *cache = kmem_cache_create(name, size, 0, 0, make, NULL);
    cr_assert_eq(kmem_cache_reserve(cache, slabs * cache->objects, GFP_KERNEL), 0);
    cr_assert_eq(cache->slabs, slabs);
    cache->grown = false;
    return cache;
}

Test(kmem, reap_minds_constructors) {
    struct kmem_cache *made = empty("made", 96, ctor, 7), *plain = empty("plain", 96, NULL, 6);
    cr_assert_eq(kmem_cache_reap(), 5, "6 against four fifths of 7");
    cr_assert(made->slabs == 7 && plain->slabs == 1);
}

Test(kmem, reap_minds_orders) {
    struct kmem_cache *pairs = empty("pairs", 8192, NULL, 4), *plain = empty("plain", 96, NULL, 7);
    cr_assert_eq(kmem_cache_reap(), 5, "7 pages against four fifths of 8");
    cr_assert(pairs->slabs == 4 && plain->slabs == 2);
}

Test(kmem, reap_stops_where_there_is_enough) {
    struct kmem_cache *enough = empty("enough", 96, NULL, 10), *more = empty("more", 96, NULL, 30);
    cr_assert_eq(kmem_cache_reap(), 8);
    cr_assert(enough->slabs == 2 && more->slabs == 30);
    cr_assert_eq(kmem_cache_reap(), 24, "the clock goes on behind it");
}

Test(kmem, counts_reach_the_server) {
    struct kmem_cache *cache = kmem_cache_create("seen", 96, 0, 0, NULL, NULL);
    void *objects[100];
    struct slab_stat stat = {0};
    for (u32 i = 0; i < 100; i++)
        objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
    for (u32 i = 0; i < 70; i++)
        kmem_cache_free(cache, objects[i]);
    cr_assert_geq(registry_stat(&slab_server.registry, SRV_LINUX * SLAB_CACHES_MAX + cache->id, &stat), 0);
    cr_assert_str_eq((char *)stat.name, "seen");
    cr_assert(stat.taken == 100 && stat.given_back == 70 && stat.high == 100 && stat.slabs == cache->slabs);
    for (u32 i = 70; i < 100; i++)
        kmem_cache_free(cache, objects[i]);
    cr_assert_eq(kmem_cache_destroy(cache), 0);
    cache = kmem_cache_create("another", 96, 0, 0, NULL, NULL);
    cr_assert_eq(cache->counts->taken, 0, "counts begin anew");
}

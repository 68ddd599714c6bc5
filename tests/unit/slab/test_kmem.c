/* SPDX-License-Identifier: MIT */
/* The client side (libipc/kmem*.c, kmalloc.c) against the server's logic in process. The window is an arena
 * of the test. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errors.h>

#include "kmem.h"
#include "kmem_port.h"
#include "model/seed.h"
#include "registry.h"

enum { ME = 6, CHUNKS = 8 };

static struct registry *server;
static char *arena;
static u32 grows, releases;
static i64 fail_after = -1;
static void (*on_call)(void); /* "another thread" that runs while this one waits */

static void wait_for_answer(void) {
    void (*other)(void) = on_call;
    on_call = NULL;
    if (other)
        other();
}

err kport_create(const char *name, u64 size, u64 offset, u32 flags, struct slab_create_rep *rep) {
    char padded[KMEM_NAME_BYTES] = {0};
    strcpy(padded, name);
    err number = registry_create(server, ME, padded, size, offset, flags);
    wait_for_answer();
    if (number < 0)
        return number;
    const struct geometry *g = &server->cache[number].geometry;
    *rep = (struct slab_create_rep){(u64)number, g->order, g->objects, g->stride, g->off_slab};
    return 0;
}

err kport_grow(u64 number, u32 gfp_mask, u64 active, struct slab_grow_rep *rep) {
    cr_assert_eq(gfp_mask & ~(u32)GFP_ALL, 0);
    struct cache *cache = registry_cache(server, ME, number);
    struct window *w = &server->window[ME];
    cr_assert(cache);
    cache->active = active;
    if (fail_after == 0)
        return -E_NOMEM;
    fail_after -= fail_after > 0;
    err page = window_find(w, cache->geometry.order);
    if (page < 0) {
        if (w->chunks == CHUNKS)
            return -E_NOMEM;
        window_add_chunk(w, calloc(CHUNK_PAGES, 8), 1);
        page = window_find(w, cache->geometry.order);
    }
    rep->slab = (vaddr)(arena + page * (i64)PAGE_BYTES);
    rep->colour = registry_grown(server, cache, (u64)page, 1);
    memset((void *)rep->slab, 0xee, PAGE_BYTES << cache->geometry.order);
    grows++;
    wait_for_answer();
    return 0;
}

void kport_release(u64 number, vaddr slab, u64 active) {
    struct cache *cache = registry_cache(server, ME, number);
    struct window_slab found;
    u64 page = (slab - (vaddr)arena) / PAGE_BYTES;
    cr_assert(cache && slab % PAGE_BYTES == 0);
    cr_assert_eq(registry_slab(server, cache, page, &found), 0);
    for (u32 i = 0; i < 1u << found.order; i++)
        cr_assert_null(kmem_slab_of((void *)(slab + i * PAGE_BYTES)), "the client forgets it first");
    registry_released(server, cache, page);
    cache->active = active;
    releases++;
    wait_for_answer();
}

err kport_destroy(u64 number) {
    struct cache *cache = registry_cache(server, ME, number);
    return cache ? registry_destroy(server, cache) : -E_INVAL;
}

void kport_report(u64 number, u64 active) {
    registry_cache(server, ME, number)->active = active;
}

static void begin(void) {
    server = calloc(1, sizeof *server);
    server->break_order = SLAB_BREAK_ORDER_HIGH;
    arena = aligned_alloc(SLAB_CHUNK_BYTES, CHUNKS * SLAB_CHUNK_BYTES);
    for (u32 i = 0; i < CHUNKS; i++)
        memset(arena + i * SLAB_CHUNK_BYTES, 0, PAGE_BYTES);
    cr_assert_eq(kmem_cache_init(), 0);
}

static void end(void) {
    for (u32 i = 0; i < server->window[ME].chunks; i++)
        free(server->window[ME].table[i]);
    free(server);
    free(arena);
}

TestSuite(kmem, .init = begin, .fini = end);

/* The invariants that kmem.h states. */
static void check_list(struct kmem_cache *cache, struct slab_list *list, u32 from, u32 to, u64 *slabs,
                       u64 *active) {
    struct slab *slab;
    LIST_FOREACH(slab, list, link) {
        u32 free_objects = 0, in_use = 0;
        cr_assert(slab->cache == cache && slab->in_use >= from && slab->in_use <= to);
        for (u32 i = slab->free; i != LIST_END; i = slab->next[i])
            cr_assert(i < cache->objects && slab->next[i] != IN_USE && ++free_objects <= cache->objects);
        for (u32 i = 0; i < cache->objects; i++)
            in_use += slab->next[i] == IN_USE;
        cr_assert(in_use == slab->in_use && in_use + free_objects == cache->objects);
        *active += in_use;
        ++*slabs;
    }
}

static void check(struct kmem_cache *cache) {
    u64 slabs = 0, active = 0;
    check_list(cache, &cache->full, cache->objects, cache->objects, &slabs, &active);
    check_list(cache, &cache->partial, 1, cache->objects - 1, &slabs, &active);
    check_list(cache, &cache->empty, 0, 0, &slabs, &active);
    cr_assert(slabs == cache->slabs && active == cache->active);
    cr_assert_eq(cache->available, slabs * cache->objects - active);
    cr_assert_eq(registry_cache(server, ME, cache->id)->slabs, slabs);
}

Test(kmem, usual_allocations_are_local) {
    struct kmem_cache *cache = kmem_cache_create("vm_area_struct", 96, 0, 0, NULL, NULL);
    void *objects[200];
    grows = 0;
    for (u32 i = 0; i < 200; i++)
        cr_assert(objects[i] = kmem_cache_alloc(cache, GFP_KERNEL));
    cr_assert_eq(grows, (200 + cache->objects - 1) / cache->objects);
    cr_assert_eq(kmem_cache_active(cache), 200);
    for (u32 i = 0; i < 200; i++)
        kmem_cache_free(cache, objects[i]);
    cr_assert_eq(releases, 0, "empty slabs stay until they are asked for");
    check(cache);
    cr_assert_eq(kmem_cache_shrink(cache), 0);
    cr_assert_eq(releases, grows);
    check(cache);
}

Test(kmem, bad_caches) {
    cr_assert_null(kmem_cache_create(NULL, 8, 0, 0, NULL, NULL));
    cr_assert_null(kmem_cache_create("", 8, 0, 0, NULL, NULL));
    cr_assert_null(kmem_cache_create("sixteen_bytes_xx", 8, 0, 0, NULL, NULL));
    cr_assert_null(kmem_cache_create("x", 0, 0, 0, NULL, NULL));
    cr_assert_null(kmem_cache_create("x", 8, 0, 1, NULL, NULL));
    cr_assert_null(kmem_cache_create("x", 8, 0, 0, NULL, free));
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
    struct kmem_cache *cache = kmem_cache_create("made", 40, 0, 0, ctor, dtor);
    u64 *object = kmem_cache_alloc(cache, GFP_KERNEL);
    cr_assert(*object == 0xc0ffee && constructed == cache->objects);
    kmem_cache_free(cache, object);
    cr_assert_eq(kmem_cache_alloc(cache, GFP_KERNEL), object);
    cr_assert_eq(constructed, cache->objects);
    kmem_cache_free(cache, object);
    cr_assert_eq(kmem_cache_destroy(cache), 0);
    cr_assert_eq(destructed, constructed);
}

Test(kmem, destroy_fails_while_objects_remain) {
    struct kmem_cache *cache = kmem_cache_create("busy", 700, 0, 0, NULL, NULL);
    void *object = kmem_cache_alloc(cache, GFP_KERNEL);
    cr_assert_eq(kmem_cache_destroy(cache), -E_BUSY);
    check(cache);
    kmem_cache_free(cache, object);
    cr_assert_eq(kmem_cache_destroy(cache), 0);
    cr_assert(kmem_cache_create("busy", 700, 0, 0, NULL, NULL), "the name is free again");
}

Test(kmem, no_memory_is_an_answer) {
    struct kmem_cache *big = kmem_cache_create("big", 4096, 0, 0, NULL, NULL);
    void *object = kmem_cache_alloc(big, GFP_KERNEL); /* makes the cache for its descriptors, too */
    fail_after = 0;
    cr_assert_null(kmem_cache_alloc(big, GFP_KERNEL));
    cr_assert_eq(kmem_cache_reserve(big, 1, GFP_KERNEL), -E_NOMEM);
    check(big);
    cr_assert_eq(kmem_cache_active(big->descriptors), 1,
                 "the descriptor of the slab that did not come is free again");
    kmem_cache_free(big, object);
    cr_assert_eq(kmem_cache_alloc(big, GFP_KERNEL), object);
    cr_assert_null(kmalloc(100, GFP_KERNEL));
}

Test(kmem, reserve_makes_allocations_certain) {
    struct kmem_cache *cache = kmem_cache_create("buffer_head", 96, 0, SLAB_HWCACHE_ALIGN, NULL, NULL);
    cr_assert_eq(kmem_cache_reserve(cache, 100, GFP_KERNEL), 0);
    fail_after = 0;
    for (u32 i = 0; i < 100; i++)
        cr_assert(kmem_cache_alloc(cache, GFP_KERNEL));
}

Test(kmem, freed_twice, .signal = SIGABRT) {
    struct kmem_cache *cache = kmem_cache_create("x", 96, 0, 0, NULL, NULL);
    void *object = kmem_cache_alloc(cache, GFP_KERNEL);
    kmem_cache_free(cache, object);
    kmem_cache_free(cache, object);
}

Test(kmem, freed_into_the_wrong_cache, .signal = SIGABRT) {
    struct kmem_cache *a = kmem_cache_create("a", 96, 0, 0, NULL, NULL);
    struct kmem_cache *b = kmem_cache_create("b", 96, 0, 0, NULL, NULL);
    kmem_cache_free(b, kmem_cache_alloc(a, GFP_KERNEL));
}

Test(kmem, freed_inside, .signal = SIGABRT) {
    struct kmem_cache *cache = kmem_cache_create("x", 96, 0, 0, NULL, NULL);
    kmem_cache_free(cache, (char *)kmem_cache_alloc(cache, GFP_KERNEL) + 8);
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
    cr_assert_leq(server->window[ME].pages, 2, "what is left are descriptors of caches");
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
    cr_assert_eq(kmem_cache_destroy(shared), -E_BUSY);
}

Test(kmem, threads_that_run_meanwhile) {
    shared = kmem_cache_create("shared", 512, 0, 0, NULL, NULL);
    on_call = other_thread;
    void *object = kmem_cache_alloc(shared, GFP_KERNEL);
    cr_assert(object);
    check(shared);
    kmem_cache_free(shared, object);
    on_call = other_thread;
    kmem_cache_shrink(shared);
    check(shared);
}

/* Random operations on several caches; each object is filled with its own number, so that no two overlap
 * unseen. */
struct live {
    u64 *object;
    u32 cache;
    u64 mark;
};

Test(kmem, random_against_model) {
    u64 seed = seed_begin(0x51ab);
    static const u32 sizes[] = {8, 24, 96, 200, 512, 1000, 3000, 4096, 20000};
    struct kmem_cache *caches[ARRAY_LEN(sizes)];
    static struct live live[4000];
    u64 counts[ARRAY_LEN(sizes)] = {0};
    u32 n = 0;
    for (u32 i = 0; i < ARRAY_LEN(sizes); i++) {
        char name[8];
        snprintf(name, sizeof name, "c%u", i);
        cr_assert(caches[i] =
                      kmem_cache_create(name, sizes[i], 0, i % 2 ? SLAB_HWCACHE_ALIGN : 0, NULL, NULL));
    }
    for (u32 step = 1; step < 30000; step++) {
        u32 c = (u32)seed_next(&seed, ARRAY_LEN(sizes));
        if (seed_next(&seed, 500) == 0) {
            kmem_cache_shrink(caches[c]);
        } else if (n < ARRAY_LEN(live) && seed_next(&seed, 100) < (step / 5000 % 2 ? 40 : 60)) {
            u64 *object = kmem_cache_alloc(caches[c], GFP_KERNEL);
            if (!object)
                continue;
            struct slab *slab = kmem_slab_of(object);
            cr_assert(slab->cache == caches[c] && (uintptr_t)object % 8 == 0);
            cr_assert(c % 2 == 0 || sizes[c] < 64 || (uintptr_t)object % 64 == 0);
            for (u32 k = 0; k < sizes[c] / 8; k++)
                object[k] = step;
            live[n++] = (struct live){object, c, step};
            counts[c]++;
        } else if (n) {
            u32 i = (u32)seed_next(&seed, n);
            c = live[i].cache;
            for (u32 k = 0; k < sizes[c] / 8; k++)
                cr_assert_eq(live[i].object[k], live[i].mark);
            memset(live[i].object, 0xdd, sizes[c]);
            kmem_cache_free(caches[c], live[i].object);
            live[i] = live[--n];
            counts[c]--;
        }
        cr_assert_eq(kmem_cache_active(caches[c]), counts[c]);
        check(caches[c]);
    }
    while (n--)
        kmem_cache_free(caches[live[n].cache], live[n].object);
    for (u32 i = 0; i < ARRAY_LEN(sizes); i++)
        cr_assert_eq(kmem_cache_destroy(caches[i]), 0);
    kmem_cache_drain();
    cr_assert_leq(server->window[ME].pages, 2);
}

/* SPDX-License-Identifier: MIT */
/* Long random sequences against a simple model, and all short ones. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "kmem_checks.h"
#include "model/seed.h"

static void begin(void) {
    world_begin(SRV_LINUX);
    cr_assert_eq(kmem_cache_init(), 0);
}

TestSuite(sequences, .init = begin, .fini = world_check, .timeout = 240);

enum { STEPS = 1000000, LIVE = 4000 };

static const u32 sizes[] = {8, 24, 96, 200, 512, 1000, 3000, 4096, 20000};
static const u32 flags[ARRAY_LEN(sizes)] = {0,
                                            SLAB_HWCACHE_ALIGN,
                                            SLAB_RED_ZONE,
                                            SLAB_HWCACHE_ALIGN,
                                            SLAB_DEBUG,
                                            SLAB_HWCACHE_ALIGN | SLAB_POISON,
                                            SLAB_NO_REAP,
                                            SLAB_HWCACHE_ALIGN,
                                            SLAB_CACHE_DMA};
static struct kmem_cache *caches[ARRAY_LEN(sizes)];
static u64 counts[ARRAY_LEN(sizes)];
static struct live {
    u64 *object;
    u32 cache;
    u64 mark;
} live[LIVE];
static u32 n;

/* First and last word hold the object's own number: so no two objects overlap unseen. */
static void take(u32 c, u64 mark) {
    u64 *object = kmem_cache_alloc(caches[c], GFP_KERNEL);
    if (!object)
        return;
    CHECK(kmem_slab_of(object)->cache == caches[c] && (uintptr_t)object % 8 == 0);
    CHECK(!(flags[c] & SLAB_HWCACHE_ALIGN) || sizes[c] < 64 || (uintptr_t)object % 64 == 0);
    object[0] = object[sizes[c] / 8 - 1] = mark;
    live[n++] = (struct live){object, c, mark};
    counts[c]++;
}

static void give_back(u32 i) {
    const struct live *l = &live[i];
    CHECK(l->object[0] == l->mark && l->object[sizes[l->cache] / 8 - 1] == l->mark);
    kmem_cache_free(caches[l->cache], l->object);
    counts[l->cache]--;
    live[i] = live[--n];
}

static void step(u64 *seed, u64 number) {
    u32 c = (u32)seed_next(seed, ARRAY_LEN(sizes)), kind = (u32)seed_next(seed, 1000);
    world.fail_after = kind >= 900 && kind < 910 ? (i64)seed_next(seed, 2) : -1;
    if (kind < 2)
        kmem_cache_shrink(caches[c]);
    else if (kind < 4)
        kmem_cache_reap();
    else if (kind < 5)
        CHECK(kmem_cache_reserve(caches[c], 10, GFP_KERNEL) == 0 || flags[c] & SLAB_CACHE_DMA);
    else if (n < LIVE && seed_next(seed, 100) < (number / 5000 % 2 ? 40 : 60))
        take(c, number);
    else if (n)
        give_back((u32)seed_next(seed, n));
    CHECK(kmem_cache_active(caches[c]) == counts[c]);
    if (number % 64 == 0)
        kmem_check(caches[c]);
}

Test(sequences, random_against_model) {
    u64 seed = seed_begin(0x51ab);
    for (u32 i = 0; i < ARRAY_LEN(sizes); i++) {
        char name[8];
        snprintf(name, sizeof name, "c%u", i);
        cr_assert(caches[i] = kmem_cache_create(name, sizes[i], 0, flags[i], NULL, NULL));
    }
    for (u64 number = 1; number <= STEPS; number++) {
        step(&seed, number);
        if (number % 10000 == 0)
            world_check();
    }
    while (n)
        give_back(n - 1);
    cr_assert_eq(world.bugs, 0);
    for (u32 i = 0; i < ARRAY_LEN(sizes); i++)
        cr_assert_eq(kmem_cache_destroy(caches[i]), 0);
    kmem_cache_drain();
    cr_assert_leq(slab_server.registry.client[SRV_LINUX].window.pages, 1);
}

/* Every sequence of 7 operations on a cache with few objects a slab, from nothing each time. */
enum op { TAKE, GIVE_OLDEST, GIVE_NEWEST, SHRINK, REAP, OPS, LENGTH = 7 };

static void perform(struct kmem_cache *cache, enum op op, void **held, u32 *count) {
    switch (op) {
    case TAKE:
        CHECK((held[*count] = kmem_cache_alloc(cache, GFP_KERNEL)));
        for (u32 i = 0; i < *count; i++)
            CHECK(held[i] != held[*count]);
        ++*count;
        break;
    case GIVE_OLDEST:
        if (*count) {
            kmem_cache_free(cache, held[0]);
            memmove(held, held + 1, --*count * sizeof *held);
        }
        break;
    case GIVE_NEWEST:
        if (*count)
            kmem_cache_free(cache, held[--*count]);
        break;
    case SHRINK:
        CHECK(kmem_cache_shrink(cache) == (*count + cache->objects - 1) / cache->objects || *count > 1);
        CHECK(LIST_EMPTY(&cache->empty));
        break;
    default:
        kmem_cache_reap();
    }
    kmem_check(cache);
    CHECK(kmem_cache_active(cache) == *count);
}

static void all_sequences(u32 size, u32 objects, u32 cache_flags) {
    struct kmem_cache *cache = kmem_cache_create("few", size, 0, cache_flags, NULL, NULL);
    u32 sequences = 1;
    for (u32 i = 0; i < LENGTH; i++)
        sequences *= OPS;
    cr_assert_eq(cache->objects, objects);
    for (u32 sequence = 0; sequence < sequences; sequence++) {
        void *held[LENGTH];
        u32 count = 0, rest = sequence;
        for (u32 i = 0; i < LENGTH; i++, rest /= OPS)
            perform(cache, (enum op)(rest % OPS), held, &count);
        while (count)
            kmem_cache_free(cache, held[--count]);
        CHECK(kmem_cache_shrink(cache) == 0);
    }
    cr_assert_eq(world.bugs, 0);
    cr_assert_eq(kmem_cache_destroy(cache), 0);
}

Test(sequences, every_short_one_with_one_object_a_slab) {
    all_sequences(4096, 1, 0);
}
Test(sequences, every_short_one_with_two_objects_a_slab) {
    all_sequences(2000, 2, SLAB_DEBUG);
}

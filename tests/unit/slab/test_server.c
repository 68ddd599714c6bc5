/* SPDX-License-Identifier: MIT */
/* The server loses nothing by its clients: one that scribbles over all that it sees, one that dies, one that
 * starts anew, and nonsense in messages. */
#include <criterion/criterion.h>
#include <string.h>

#include <abi/errors.h>

#include "kmem_checks.h"
#include "model/seed.h"

static void begin(void) {
    world_begin(SRV_LINUX);
    cr_assert_eq(kmem_cache_init(), 0);
}

TestSuite(server, .init = begin, .fini = world_check);

static err bury(u32 by, u64 client, u64 *pages) {
    u64 w[MSG_REG_WORDS] = {client};
    err e = world_call(by, slab_label_bury, w, NULL, 0);
    *pages = w[0];
    return e;
}

static void fill(void) {
    for (u32 size = 8; size < 40000; size = size * 3 / 2)
        for (u32 i = 0; i < 40; i++)
            cr_assert(kmalloc(size, i % 8 ? GFP_KERNEL : GFP_DMA));
}

/* Everything that is mapped in the client's window: slabs, its table, its counts. */
static void scribble(u64 *seed) {
    for (u64 page = 0; page < WORLD_CHUNKS * CHUNK_PAGES; page++) {
        vaddr at = SLAB_WINDOW + page * PAGE_BYTES;
        u64 *words = (u64 *)(void *)world_at(SRV_LINUX, at);
        for (u32 i = 0; world_frame_at(SRV_LINUX, at) && i < PAGE_BYTES / 8; i++)
            words[i] = seed_next(seed, ~0ull);
    }
}

Test(server, loses_nothing_by_a_client_that_scribbles) {
    u64 seed = seed_begin(0x5c1b), pages;
    struct slab_info info;
    struct slab_stat stat;
    fill();
    u64 in_slabs = slab_server.registry.client[SRV_LINUX].window.pages;
    scribble(&seed);
    world_check();
    for (err at = 0; (at = registry_info(&slab_server.registry, (u64)at, &info)) >= 0;)
        cr_assert(info.active_objects <= info.objects && info.active_slabs <= info.slabs);
    for (err at = 0; (at = registry_stat(&slab_server.registry, (u64)at, &stat)) >= 0;)
        cr_assert_eq(stat.client, SRV_LINUX);
    cr_assert_eq(bury(SRV_ROOT, SRV_LINUX, &pages), 0);
    cr_assert_eq(pages, in_slabs);
    cr_assert_eq(world.in_use, 0, "all frames are back");
    cr_assert_eq(registry_info(&slab_server.registry, 0, &info), -E_INVAL);
}

Test(server, reclaims_all_of_a_client_that_dies) {
    u64 pages;
    fill();
    u64 in_slabs = slab_server.registry.client[SRV_LINUX].window.pages;
    world_kill(SRV_LINUX);
    world_check();
    cr_assert_eq(bury(SRV_ROOT, SRV_LINUX, &pages), 0);
    cr_assert(pages == in_slabs && world.in_use == 0);
    cr_assert_eq(bury(SRV_ROOT, SRV_LINUX, &pages), 0);
    cr_assert_eq(pages, 0, "once is enough");
}

Test(server, a_client_that_starts_anew_has_nothing) {
    u64 before = world.in_use;
    fill();
    cr_assert_eq(kmem_cache_init(), 0);
    cr_assert_eq(world.in_use, before, "its former life is reclaimed");
}

Test(server, only_root_buries) {
    u64 pages;
    cr_assert_eq(bury(SRV_LINUX, SRV_LINUX, &pages), -E_PERM);
    cr_assert_eq(bury(SRV_ROOT, SRV_NONE, &pages), -E_INVAL);
    cr_assert_eq(bury(SRV_ROOT, SRV_COUNT, &pages), -E_INVAL);
    cr_assert_eq(bury(SRV_NONE, SRV_LINUX, &pages), -E_PERM);
}

Test(server, attach_without_memory) {
    u64 w[MSG_REG_WORDS], before = world.in_use;
    for (i64 i = 0; i < 3; i++) {
        world.fail_after = i;
        cr_assert_eq(world_call(SRV_CACHE, slab_label_attach, memset(w, 0, sizeof w), NULL, 0), -E_NOMEM);
        cr_assert_eq(world.in_use, before);
    }
    world.fail_after = 3;
    cr_assert_eq(world_call(SRV_CACHE, slab_label_attach, memset(w, 0, sizeof w), NULL, 0), 0);
    cr_assert_eq(w[0], SLAB_WINDOW + PAGE_BYTES);
}

/* What could not be mapped in the client goes back to frame. */
Test(server, frames_that_cannot_be_mapped) {
    struct kmem_cache *cache = kmem_cache_create("here", 100, 0, 0, NULL, NULL);
    u64 id = cache->id, w[MSG_REG_WORDS] = {id, GFP_KERNEL}, pages;
    cr_assert_eq(world_call(SRV_LINUX, slab_label_grow, w, NULL, 0), 0);
    u64 before = world.in_use;
    world_kill(SRV_LINUX);
    w[0] = id;
    w[1] = GFP_KERNEL;
    cr_assert_eq(world_call(SRV_LINUX, slab_label_grow, w, NULL, 0), -E_NOMEM);
    cr_assert_eq(world.in_use, before);
    cr_assert_eq(registry_cache(&slab_server.registry, SRV_LINUX, id)->failures, 1);
    cr_assert_eq(bury(SRV_ROOT, SRV_LINUX, &pages), 0);
    cr_assert_eq(world.in_use, 0);
}

Test(server, who_is_no_server_gets_no_answer) {
    u64 w[MSG_REG_WORDS] = {0};
    cr_assert_eq(world_call(SRV_NONE, slab_label_shrink, w, NULL, 0), -E_PERM);
    cr_assert_eq(world_call(SRV_COUNT, slab_label_shrink, w, NULL, 0), -E_PERM);
    cr_assert_eq(world_call(SRV_COUNT - 1, slab_label_shrink, w, NULL, 0), 0);
}

Test(server, the_window_ends) {
    while (kmalloc(131072, GFP_KERNEL)) {
    }
    world_check();
    cr_assert_null(kmalloc(131072, GFP_KERNEL));
    kmem_check(kmem_caches[2]);
}

Test(server, asks_all_clients_to_drain) {
    u64 w[MSG_REG_WORDS] = {0};
    cr_assert_eq(world_call(SRV_CACHE, slab_label_attach, w, NULL, 0), 0);
    cr_assert_eq(world_call(SRV_LINUX, slab_label_shrink, w, NULL, 0), 0);
    cr_assert_eq(world.drains, 1u << SRV_LINUX | 1u << SRV_CACHE);
}

/* Messages of all kinds with words that are sometimes sensible, from five clients, one of which is the kmem
 * code's: whatever is answered, records and memory agree, and nobody gets at another's. */
Test(server, random_messages, .timeout = 240) {
    u64 seed = seed_begin(0x3e55), tail[MSG_TAIL_WORDS];
    struct kmem_cache *mine = kmem_cache_create("mine", 100, 0, SLAB_DEBUG, NULL, NULL);
    u64 *object = kmem_cache_alloc(mine, GFP_KERNEL);
    object[0] = 0x1234;
    for (u32 i = 0; i < 1000000; i++) {
        static const u64 sizes[] = {1, 32, 100, 512, 4096, 131072, 131073, ~0ull};
        u64 w[MSG_REG_WORDS] = {0};
        u32 client = (u32)seed_next(&seed, SRV_COUNT), words = seed_next(&seed, 8) ? 3 : 0;
        u64 label = 0x0200 + seed_next(&seed, 11);
        if (client == SRV_LINUX || client == SRV_ROOT)
            continue;
        if (label == slab_label_attach && seed_next(&seed, 200))
            label = slab_label_grow;
        if (label == slab_label_create) {
            w[0] = sizes[seed_next(&seed, ARRAY_LEN(sizes))];
            w[1] = seed_next(&seed, 4) ? 0 : seed_next(&seed, 5000);
            w[2] = seed_next(&seed, 10) ? seed_next(&seed, 32) << 10 : seed_next(&seed, ~0ull);
        } else {
            w[0] = seed_next(&seed, 20) ? seed_next(&seed, 8) : seed_next(&seed, ~0ull);
            w[1] = label == slab_label_grow ? seed_next(&seed, 70)
                                            : SLAB_WINDOW + seed_next(&seed, CHUNK_PAGES) * PAGE_BYTES;
        }
        memset(tail, 0, sizeof tail);
        tail[0] = 'a' + seed_next(&seed, 12);
        world.fail_after = seed_next(&seed, 30) ? -1 : (i64)seed_next(&seed, 3);
        (void)!world_call(client, label, w, tail, words);
        if (i % 4096 == 0)
            world_check();
    }
    cr_assert_eq(object[0], 0x1234);
    world.fail_after = -1;
    kmem_cache_free(mine, object);
    cr_assert_eq(kmem_cache_destroy(mine), 0);
    cr_assert_eq(world.bugs, 0);
}

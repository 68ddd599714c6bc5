/* SPDX-License-Identifier: MIT */
/* The registry of caches and the servers' own record of slabs. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errors.h>

#include "model/seed.h"
#include "registry.h"

enum { A = 4, B = 7 };

static struct registry *make(void) {
    struct registry *r = calloc(1, sizeof *r);
    r->break_order = SLAB_BREAK_ORDER_HIGH;
    return r;
}

static err create(struct registry *r, u32 client, const char *name, u64 size) {
    char padded[KMEM_NAME_BYTES] = {0};
    memcpy(padded, name, MIN(strlen(name), sizeof padded));
    return registry_create(r, client, padded, size, 0, 0);
}

Test(registry, names_and_numbers) {
    struct registry *r = make();
    err a = create(r, A, "vm_area_struct", 96), b = create(r, B, "vm_area_struct", 96);
    cr_assert(a >= 0 && b >= 0 && a != b);
    cr_assert_eq(create(r, A, "vm_area_struct", 96), -E_EXIST);
    cr_assert_eq(create(r, A, "", 96), -E_INVAL);
    cr_assert_eq(create(r, A, "sixteen_bytes_xx", 96), -E_INVAL);
    cr_assert_eq(create(r, A, "x", 0), -E_INVAL);
    cr_assert_eq(create(r, 0, "x", 8), -E_INVAL);
    cr_assert_eq(create(r, CLIENTS_MAX, "x", 8), -E_INVAL);
    cr_assert(registry_cache(r, A, (u64)a) && !registry_cache(r, B, (u64)a));
    cr_assert(!registry_cache(r, A, CACHES_MAX) && !registry_cache(r, A, ~0ull) &&
              !registry_cache(r, 0, 100));
    cr_assert_eq(registry_destroy(r, registry_cache(r, A, (u64)a)), 0);
    cr_assert(!registry_cache(r, A, (u64)a));
    cr_assert_eq(create(r, A, "mm_struct", 200), a, "the place is free again");
    free(r);
}

Test(registry, full) {
    struct registry *r = make();
    char name[8];
    for (u32 i = 0; i < CACHES_MAX; i++) {
        snprintf(name, sizeof name, "c%u", i);
        cr_assert_eq(create(r, A, name, 64), (err)i);
    }
    cr_assert_eq(create(r, A, "more", 64), -E_NOSPC);
    free(r);
}

static void add_chunk(struct window *w) {
    window_add_chunk(w, calloc(CHUNK_PAGES, 8), 1000 + w->chunks);
}

static void end(struct registry *r) {
    for (u32 c = 0; c < CLIENTS_MAX; c++)
        for (u32 i = 0; i < r->window[c].chunks; i++)
            free(r->window[c].table[i]);
    free(r);
}

Test(registry, slabs_and_colours) {
    struct registry *r = make();
    struct cache *cache = registry_cache(r, A, (u64)create(r, A, "odd", 900));
    struct cache *other = registry_cache(r, A, (u64)create(r, A, "other", 40));
    struct window *w = &r->window[A];
    const struct geometry *g = &cache->geometry;
    cr_assert_eq(window_find(w, g->order), -E_NOSPC);
    add_chunk(w);
    u64 first = (u64)window_find(w, g->order);
    cr_assert_neq(first, 0, "page 0 is the client's table");
    for (u32 i = 0; i < 2 * g->colours + 1; i++) {
        u64 page = (u64)window_find(w, g->order);
        cr_assert_eq(registry_grown(r, cache, page, 500 + i), i % g->colours * g->colour_bytes);
    }
    struct window_slab slab;
    cr_assert_eq(registry_slab(r, cache, first, &slab), 0);
    cr_assert(slab.first == 500 && slab.order == g->order);
    cr_assert_eq(registry_slab(r, other, first, &slab), -E_STALE, "another cache's");
    cr_assert_eq(registry_slab(r, cache, 0, &slab), -E_STALE);
    cr_assert_eq(registry_slab(r, cache, CHUNK_PAGES, &slab), -E_STALE);
    cr_assert_eq(registry_slab(r, cache, ~0ull, &slab), -E_STALE);
    struct cache *big = registry_cache(r, A, (u64)create(r, A, "big", 8192));
    u64 place = (u64)window_find(w, 1);
    registry_grown(r, big, place, 900);
    cr_assert_eq(registry_slab(r, big, place, &slab), 0);
    cr_assert_eq(registry_slab(r, big, place + 1, &slab), -E_STALE, "the middle of one");
    cr_assert_eq(registry_destroy(r, cache), -E_BUSY);
    struct slab_info info;
    cache->active = g->objects + 1;
    cr_assert_eq(registry_info(r, 0, &info), 0);
    cr_assert(!strcmp((char *)info.name, "odd") && info.client == A && info.size == 900 &&
              info.active_slabs == 2);
    cr_assert_eq(info.objects, info.slabs * info.objects_per_slab);
    cr_assert_eq(registry_info(r, 3, &info), -E_INVAL);
    registry_released(r, cache, first);
    cr_assert_eq(registry_slab(r, cache, first, &slab), -E_STALE);
    cr_assert_eq((u64)window_find(w, g->order), first);
    end(r);
}

/* The window against a flat array of pages. */
Test(window, random_against_model) {
    u64 seed = seed_begin(0x3ab);
    struct window w = {0};
    static u32 owner[4 * CHUNK_PAGES];
    static struct {
        u64 page;
        u32 order;
    } have[4 * CHUNK_PAGES];
    u32 n = 0;
    u64 used = 0;
    for (u32 step = 1; step < 20000; step++) {
        u32 order = (u32)seed_next(&seed, SLAB_ORDER_MAX + 1);
        if (seed_next(&seed, 100) < (step / 2500 % 2 ? 40 : 65)) {
            err page = window_find(&w, order);
            if (page < 0 && w.chunks < 4) {
                add_chunk(&w);
                page = window_find(&w, order);
            }
            if (page < 0)
                continue;
            cr_assert(page % (1 << order) == 0 && page % CHUNK_PAGES);
            for (u32 i = 0; i < 1u << order; i++) {
                cr_assert_eq(owner[page + i], 0);
                owner[page + i] = step;
            }
            window_put(&w, (u64)page,
                       (struct window_slab){.first = step, .cache = step % 256, .order = order});
            have[n].page = (u64)page;
            have[n++].order = order;
            used += 1u << order;
        } else if (n) {
            u32 i = (u32)seed_next(&seed, n);
            struct window_slab slab;
            cr_assert_eq(window_lookup(&w, have[i].page, &slab), 0);
            cr_assert(slab.first == owner[have[i].page] && slab.cache == slab.first % 256 &&
                      slab.order == have[i].order);
            window_take(&w, have[i].page);
            memset(&owner[have[i].page], 0, sizeof owner[0] << have[i].order);
            have[i] = have[--n];
            used -= 1u << slab.order;
        }
        cr_assert_eq(w.pages, used);
    }
    for (u32 i = 0; i < w.chunks; i++)
        free(w.table[i]);
}

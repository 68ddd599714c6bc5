/* SPDX-License-Identifier: MIT */
/* The registry of caches and the server's own record of slabs. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errors.h>

#include "model/seed.h"
#include "registry.h"

enum { A = 4, B = 7 };

static struct registry *r;
static struct slab_counts counts[CLIENTS_MAX][SLAB_CACHES_MAX];

static void begin(void) {
    r = calloc(1, sizeof *r);
    r->break_order = SLAB_BREAK_ORDER_HIGH;
    r->client[A].counts = counts[A];
    r->client[B].counts = counts[B];
}

static void end(void) {
    for (u32 c = 0; c < CLIENTS_MAX; c++)
        for (u32 i = 0; i < r->client[c].window.chunks; i++)
            free(r->client[c].window.table[i]);
    free(r);
}

TestSuite(registry, .init = begin, .fini = end);

static err create(u32 client, const char *name, u64 size, struct cache **made) {
    char padded[KMEM_NAME_BYTES] = {0};
    memcpy(padded, name, MIN(strlen(name), sizeof padded));
    return registry_create(r, client, padded, size, 0, 0, made);
}

static struct cache *created(u32 client, const char *name, u64 size) {
    struct cache *cache = NULL;
    cr_assert_eq(create(client, name, size, &cache), 0, "%s", name);
    return cache;
}

Test(registry, names_and_numbers) {
    struct cache *a = created(A, "vm_area_struct", 96), *b = created(B, "vm_area_struct", 96), *c = NULL;
    cr_assert_neq(a, b);
    cr_assert_eq(create(A, "vm_area_struct", 96, &c), -E_EXIST);
    cr_assert_eq(create(A, "", 96, &c), -E_INVAL);
    cr_assert_eq(create(A, "twenty_four_bytes_xxxxxx", 96, &c), -E_INVAL);
    cr_assert_eq(create(A, "x", 0, &c), -E_INVAL);
    cr_assert_eq(create(0, "x", 8, &c), -E_INVAL);
    cr_assert_eq(create(CLIENTS_MAX, "x", 8, &c), -E_INVAL);
    cr_assert_eq(create(B + 1, "x", 8, &c), -E_INVAL, "not attached");
    cr_assert_null(c, "nothing was made");
    cr_assert(registry_cache(r, A, 0) == a && registry_cache(r, B, 0) == b);
    cr_assert(!registry_cache(r, A, 1) && !registry_cache(r, A, SLAB_CACHES_MAX) &&
              !registry_cache(r, A, ~0ull) && !registry_cache(r, 0, 0) && !registry_cache(r, CLIENTS_MAX, 0));
    cr_assert_eq(registry_destroy(a), 0);
    cr_assert(!registry_cache(r, A, 0));
    cr_assert_eq(created(A, "mm_struct", 200), a, "the place is free again");
}

Test(registry, full) {
    char name[8];
    struct cache *more;
    for (u32 i = 0; i < SLAB_CACHES_MAX; i++) {
        snprintf(name, sizeof name, "c%u", i);
        cr_assert_eq(created(A, name, 64)->number, i);
    }
    cr_assert_eq(create(A, "more", 64, &more), -E_NOSPC);
    created(B, "more", 64);
}

static void add_chunk(struct window *w) {
    window_add_chunk(w, calloc(CHUNK_PAGES, 8), 1000 + w->chunks);
}

Test(registry, slabs_and_colours) {
    struct cache *cache = created(A, "odd", 900), *other = created(A, "other", 40);
    struct window *w = &r->client[A].window;
    const struct geometry *g = &cache->geometry;
    cr_assert_eq(window_find(w, g->order), -E_NOSPC);
    add_chunk(w);
    u64 first = (u64)window_find(w, g->order);
    cr_assert_neq(first, 0, "page 0 is the client's table");
    cr_assert_gt(g->colours, 1);
    for (u32 i = 0; i < 2 * g->colours + 1; i++) {
        u64 page = (u64)window_find(w, g->order);
        cr_assert_eq(registry_grown(r, cache, page, 500 + i), i % g->colours * g->colour_bytes);
    }
    struct window_slab slab;
    cr_assert_eq(registry_slab(r, cache, first, &slab), 0);
    cr_assert(slab.first == 500 && slab.order == g->order && slab.cache == cache->number);
    cr_assert_eq(registry_slab(r, other, first, &slab), -E_STALE, "another cache's");
    cr_assert_eq(registry_slab(r, cache, 0, &slab), -E_STALE, "the table is no slab");
    cr_assert_eq(registry_slab(r, cache, ~0ull, &slab), -E_STALE);
    cr_assert_eq(registry_slab(r, cache, CHUNK_PAGES, &slab), -E_STALE);
    struct cache *big = created(A, "big", 8192);
    u64 place = (u64)window_find(w, 1);
    registry_grown(r, big, place, 900);
    cr_assert_eq(registry_slab(r, big, place, &slab), 0);
    cr_assert_eq(registry_slab(r, big, place + 1, &slab), -E_STALE, "the middle of one");
    cr_assert_eq(registry_destroy(cache), -E_BUSY);
    registry_released(r, cache, first);
    cr_assert_eq(registry_slab(r, cache, first, &slab), -E_STALE);
    cr_assert_eq((u64)window_find(w, g->order), first);
}

/* A line for each name, with totals over clients; caches that only share the name have lines of their own. */
Test(registry, info_adds_up) {
    struct cache *a = created(A, "filp", 200), *b = created(B, "filp", 200);
    created(A, "alone", 64);
    created(B, "mm_struct", 300);
    created(A, "mm_struct", 100);
    add_chunk(&r->client[A].window);
    add_chunk(&r->client[B].window);
    registry_grown(r, a, 1, 500);
    registry_grown(r, b, 1, 501);
    registry_grown(r, b, 2, 502);
    counts[A][a->number] = (struct slab_counts){.taken = 10, .given_back = 3, .high = 8};
    counts[B][b->number] =
        (struct slab_counts){.taken = 1}; /* more than a slab of objects is not believed: */
    counts[B][b->number].given_back = 5;
    struct slab_info info;
    u32 lines = 0, filps = 0;
    for (err at = 0; (at = registry_info(r, (u64)at, &info)) >= 0; lines++) {
        if (strcmp((char *)info.name, "filp"))
            continue;
        u64 per_slab = info.objects_per_slab;
        filps++;
        cr_assert(info.size == 200 && info.slabs == 3 && info.objects == 3 * per_slab);
        cr_assert_eq(info.active_objects, 7 + 2 * per_slab);
        cr_assert_eq(info.active_slabs, 1 + 2);
    }
    cr_assert(lines == 4 && filps == 1);
    struct slab_stat stat;
    lines = 0;
    for (err at = 0; (at = registry_stat(r, (u64)at, &stat)) >= 0; lines++)
        cr_assert(stat.client == A || stat.client == B);
    cr_assert_eq(lines, 5);
    cr_assert_eq(registry_stat(r, 0, &stat), A * SLAB_CACHES_MAX + 1);
    cr_assert(stat.taken == 10 && stat.given_back == 3 && stat.high == 8 && stat.grown == 1);
    cr_assert_eq(registry_stat(r, ~0ull, &stat), -E_INVAL);
    cr_assert_eq(registry_info(r, ~0ull, &info), -E_INVAL);
}

Test(registry, debugging_for_all) {
    r->debug = true;
    cr_assert_eq(created(A, "small", 40)->flags, SLAB_DEBUG);
    cr_assert_eq(created(A, "large", 512)->flags, 0);
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
    for (u32 step = 1; step < 1000000; step++) {
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
                if (owner[page + i])
                    cr_assert_fail("page %lld is in use", (long long)page + i);
                owner[page + i] = step;
            }
            window_put(&w, (u64)page,
                       (struct window_slab){.first = step, .cache = step % 64, .order = order});
            have[n].page = (u64)page;
            have[n++].order = order;
            used += 1u << order;
        } else if (n) {
            u32 i = (u32)seed_next(&seed, n);
            struct window_slab slab;
            if (window_lookup(&w, have[i].page, &slab) || slab.first != owner[have[i].page] ||
                slab.cache != slab.first % 64 || slab.order != have[i].order)
                cr_assert_fail("page %llu holds something else", (unsigned long long)have[i].page);
            window_take(&w, have[i].page);
            memset(&owner[have[i].page], 0, sizeof owner[0] << have[i].order);
            have[i] = have[--n];
            used -= 1u << slab.order;
        }
        if (w.pages != used)
            cr_assert_fail("%llu pages instead of %llu", (unsigned long long)w.pages,
                           (unsigned long long)used);
    }
    for (u32 i = 0; i < w.chunks; i++)
        free(w.table[i]);
}

/* SPDX-License-Identifier: MIT */
/* Requests of clients: holders, checked frees, batches, magazines. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errors.h>

#include "holders.h"
#include "model/seed.h"

enum { A = 3, B = 4, FRAMES = 6144 };

static struct holders make(void) {
    struct holders h = {0};
    cr_assert_eq(zones_init(&h.zones, FRAMES, 2048, 4096, calloc(1, zones_bytes(FRAMES, 2048, 4096))), 0);
    zones_reserve(&h.zones, 1, 15);
    zones_release(&h.zones, 16, FRAMES - 16);
    zones_set_watermarks(&h.zones);
    return h;
}

static void end(struct holders *h) {
    cr_assert(holders_audit(h));
    free(h->zones.map);
}

Test(holders, bad_requests_change_nothing) {
    struct holders h = make();
    struct runs list;
    u64 free_before = zones_free(&h.zones);
    cr_assert_eq(holders_alloc(&h, A, GFP_USER, MAX_ORDER), -E_INVAL);
    cr_assert_eq(holders_alloc(&h, A, GFP_USER, ~0ull), -E_INVAL);
    cr_assert_eq(holders_alloc(&h, A, 0x40, 0), -E_INVAL);
    cr_assert_eq(holders_alloc(&h, A, 1ull << 32, 0), -E_INVAL);
    cr_assert_eq(holders_alloc(&h, HOLDERS, GFP_USER, 0), -E_INVAL);
    cr_assert_eq(holders_alloc_batch(&h, A, GFP_USER, 0, &list), -E_INVAL);
    cr_assert_eq(holders_alloc_batch(&h, A, GFP_USER, FRAME_BATCH_MAX + 1, &list), -E_INVAL);
    cr_assert_eq(h.holder[A].mistakes, 6);
    cr_assert_eq(zones_free(&h.zones), free_before);
    end(&h);
}

Test(holders, bad_frees_are_told_apart) {
    struct holders h = make();
    err block = holders_alloc(&h, A, GFP_USER, 3), other = holders_alloc(&h, B, GFP_USER, 0);
    cr_assert(block > 0 && other > 0);
    struct page map[FRAMES];
    memcpy(map, h.zones.map, sizeof map);
    cr_assert_eq(holders_free(&h, A, (u64)other, 0), -E_OWNER);
    cr_assert_eq(holders_free(&h, A, (u64)block, 2), -E_KIND);
    cr_assert_eq(holders_free(&h, A, (u64)block, MAX_ORDER), -E_INVAL);
    cr_assert_eq(holders_free(&h, A, (u64)block + 1, 3), -E_STALE, "the middle of a block");
    cr_assert_eq(holders_free(&h, A, 5, 0), -E_RANGE, "reserved");
    cr_assert_eq(holders_free(&h, A, FRAMES, 0), -E_RANGE);
    cr_assert_eq(holders_free(&h, A, ~0ull, 0), -E_RANGE);
    cr_assert_eq(holders_free(&h, A, 1ull << 32 | (u64)block, 3), -E_RANGE);
    cr_assert_eq(holders_free(&h, HOLDERS, (u64)block, 3), -E_INVAL);
    cr_assert_eq(h.holder[A].mistakes, 8);
    cr_assert_eq(memcmp(map, h.zones.map, sizeof map), 0, "nothing changed");
    cr_assert_eq(holders_free(&h, A, (u64)block, 3), 0);
    cr_assert_eq(holders_free(&h, A, (u64)block, 3), -E_STALE, "twice");
    cr_assert_eq(holders_free(&h, B, (u64)other, 0), 0);
    end(&h);
}

static err free_batch(struct holders *h, u32 client, const struct runs *runs) {
    err e = holders_mark(h, client, runs);
    if (!e)
        holders_free_marked(h, client, runs);
    return e;
}

Test(holders, batch_is_all_or_nothing) {
    struct holders h = make();
    struct runs runs, bad;
    u64 free_before = zones_free(&h.zones);
    err last = holders_alloc(&h, A, GFP_HIGHUSER, 0), block = holders_alloc(&h, A, GFP_HIGHUSER, 2);
    cr_assert(last == FRAMES - 1 && block > 0);
    bad = (struct runs){1, {FRAME_RUN((u64)last, 2)}};
    cr_assert_eq(free_batch(&h, A, &bad), -E_RANGE, "beyond the end of memory");
    cr_assert_eq(holders_free(&h, A, (u64)last, 0), 0);
    h.holder[A].mistakes = 0;
    cr_assert_eq(holders_alloc_batch(&h, A, GFP_HIGHUSER, FRAME_BATCH_MAX - 5, &runs), FRAME_BATCH_MAX - 5);
    cr_assert_eq(h.holder[A].frames, FRAME_BATCH_MAX - 1);
    u64 first = RUN_FIRST(runs.word[0]);
    const struct {
        u64 word;
        err why;
    } wrong[] = {{FRAME_RUN(first, 1), -E_STALE},     {FRAME_RUN(FRAMES, 1), -E_RANGE},
                 {FRAME_RUN(5, 1), -E_RANGE},         {(1ull << 40) - 1, -E_RANGE},
                 {FRAME_RUN((u64)block, 1), -E_KIND}, {FRAME_RUN((u64)block + 1, 1), -E_STALE},
                 {FRAME_RUN(first, 6), -E_INVAL},     {~0ull, -E_INVAL}};
    for (u32 i = 0; i < ARRAY_LEN(wrong); i++) {
        bad = runs;
        bad.word[bad.count++] = wrong[i].word;
        cr_assert_eq(free_batch(&h, A, &bad), wrong[i].why, "%u", i);
        cr_assert_eq(h.holder[A].mistakes, i + 1);
        cr_assert(holders_audit(&h));
    }
    cr_assert_eq(h.holder[A].frames, FRAME_BATCH_MAX - 1);
    cr_assert_eq(free_batch(&h, B, &runs), -E_OWNER);
    cr_assert_eq(free_batch(&h, HOLDERS, &runs), -E_INVAL);
    cr_assert_eq(free_batch(&h, A, &(struct runs){0}), -E_INVAL);
    cr_assert_eq(holders_mark(&h, A, &runs), 0);
    holders_unmark(&h, &runs);
    cr_assert(holders_audit(&h));
    cr_assert_eq(free_batch(&h, A, &runs), 0);
    cr_assert_eq(holders_free(&h, A, (u64)block, 2), 0);
    cr_assert_eq(zones_free(&h.zones), free_before);
    end(&h);
}

Test(holders, short_memory_is_an_answer) {
    struct holders h = make();
    struct runs list;
    err got;
    u64 total = 0, last = 0;
    while ((got = holders_alloc_batch(&h, A, GFP_HIGHUSER, FRAME_BATCH_MAX, &list)) > 0) {
        total += (u64)got;
        last = RUN_FIRST(list.word[0]);
        cr_assert_eq(h.holder[A].frames, total);
    }
    cr_assert_eq(got, -E_NOMEM);
    cr_assert(h.wake && h.drain && h.holder[A].starved);
    cr_assert_eq(h.holder[A].failures, 1);
    cr_assert_eq(holders_take_relieved(&h), 0);
    err reserve = holders_alloc(&h, B, GFP_HIGHUSER | __GFP_MEMALLOC, 0);
    cr_assert_gt(reserve, 0);
    cr_assert_eq(holders_alloc(&h, B, GFP_DMA, 0), -E_NOMEM);
    cr_assert_eq(holders_alloc(&h, B + 1, GFP_HIGHUSER, 3), -E_NOMEM, "blocks: not remembered");
    /* The reserve is filled up first; the next frame of the High zone serves A, and does not help B. */
    cr_assert_eq(holders_free(&h, B, (u64)reserve, 0), 0);
    cr_assert_eq(holders_take_relieved(&h), 0);
    cr_assert_eq(zone_id_of(&h.zones, (u32)last), ZONE_DMA);
    u32 high = FRAMES - 1;
    while (holders_check(&h, A, high, 0))
        high--;
    cr_assert_eq(holders_free(&h, A, high, 0), 0);
    cr_assert_eq(holders_take_relieved(&h), 1u << A);
    cr_assert_eq(holders_take_relieved(&h), 0, "told once");
    cr_assert_gt(holders_alloc(&h, A, GFP_HIGHUSER, 0), 0, "and rightly so");
    cr_assert_eq(holders_free(&h, A, last, 0), 0);
    cr_assert_eq(holders_take_relieved(&h), 1u << B);
    end(&h);
}

static void put_in(struct frame_magazine *m, const struct runs *runs) {
    for (u32 i = 0; i < runs->count; i++)
        for (u64 n = 0; n < RUN_COUNT(runs->word[i]); n++)
            m->frames[m->count++] = (u32)(RUN_FIRST(runs->word[i]) + n);
}

Test(holders, magazines_count_as_free) {
    struct holders h = make();
    struct frame_magazines page = {0};
    struct runs list;
    u64 free_before = zones_free(&h.zones);
    cr_assert_eq(holders_attach(&h, HOLDERS, &page), -E_INVAL);
    cr_assert_eq(holders_attach(&h, A, &page), 0);
    cr_assert_eq(holders_alloc_batch(&h, A, GFP_HIGHUSER, 20, &list), 20);
    put_in(&page.unmapped, &list);
    cr_assert_eq(zones_free(&h.zones), free_before - 20);
    holders_look(&h, false);
    cr_assert_eq(zones_free(&h.zones), free_before);
    cr_assert_eq(h.zones.zone[ZONE_HIGH].in_magazines, 20);
    page.unmapped.count -= 7;
    page.mapped.frames[page.mapped.count++] = page.unmapped.frames[0];
    holders_look(&h, false);
    cr_assert_eq(h.zones.zone[ZONE_HIGH].in_magazines, 14);
    cr_assert_eq(holders_alloc_batch(&h, A, GFP_KERNEL, 5, &list), 5);
    put_in(&page.mapped, &list);
    holders_look(&h, false);
    cr_assert_eq(h.zones.zone[ZONE_NORMAL].in_magazines, 5);
    cr_assert_eq(h.zones.zone[ZONE_HIGH].in_magazines, 14);
    end(&h);
}

/* A client can write what it likes there. */
Test(holders, magazines_are_not_trusted) {
    struct holders h = make();
    struct frame_magazines page = {0};
    struct runs list;
    cr_assert_eq(holders_attach(&h, A, &page), 0);
    u64 all = zones_free(&h.zones);
    err other = holders_alloc(&h, B, GFP_USER, 0), block = holders_alloc(&h, A, GFP_USER, 2);
    page.unmapped.frames[page.unmapped.count++] = (u32)other;
    page.unmapped.frames[page.unmapped.count++] = (u32)block;
    page.unmapped.frames[page.unmapped.count++] = (u32)block + 1;
    page.unmapped.frames[page.unmapped.count++] = 5;
    page.unmapped.frames[page.unmapped.count++] = FRAMES;
    page.unmapped.frames[page.unmapped.count++] = ~0u;
    page.unmapped.frames[page.unmapped.count++] = FRAMES - 1;
    holders_look(&h, true);
    cr_assert_eq(zones_free(&h.zones), all - 5, "none of these is a single frame of A's");
    cr_assert_eq(holders_alloc_batch(&h, A, GFP_HIGHUSER, 3, &list), 3);
    page.unmapped.count = 0;
    for (u32 i = 0; i < 10; i++)
        put_in(&page.unmapped, &list);
    holders_look(&h, false);
    cr_assert_eq(zones_free(&h.zones), all - 8, "more than it holds: none counts");
    page.unmapped.count = page.mapped.count = ~0u;
    holders_look(&h, true);
    cr_assert_eq(zones_free(&h.zones), all - 8);
    page.unmapped.count = 3;
    page.mapped.count = 0;
    holders_look(&h, false);
    cr_assert_eq(zones_free(&h.zones), all - 5);
    end(&h);
}

/* The watermarks see at once what a client has put into its magazine. */
Test(holders, requests_look_into_magazines) {
    struct holders h = make();
    struct frame_magazines page = {0};
    struct runs list = {0};
    cr_assert_eq(holders_attach(&h, A, &page), 0);
    cr_assert_eq(holders_alloc_batch(&h, A, GFP_HIGHUSER, 30, &list), 30);
    while (!h.wake)
        cr_assert_gt(holders_alloc(&h, B, GFP_HIGHUSER, 0), 0);
    put_in(&page.unmapped, &list);
    h.wake = false;
    cr_assert_gt(holders_alloc(&h, B, GFP_HIGHUSER, 0), 0);
    cr_assert(!h.wake, "the request itself looks: above low with them");
    while (holders_alloc(&h, B, GFP_HIGHUSER, 0) > 0) {
    }
    cr_assert_eq(holders_take_relieved(&h), 0, "they cannot be had");
    cr_assert_gt(holders_alloc(&h, B, GFP_HIGHUSER | __GFP_MEMALLOC, 0), 0, "and the reserve is there");
    page.unmapped.count = 0;
    cr_assert_eq(holders_take_relieved(&h), 0);
    end(&h);
}

/* What lies in magazines keeps a zone above low, though lower zones have plenty. */
Test(holders, magazines_count_in_the_zone_tried_first) {
    struct holders h = make();
    struct frame_magazines page = {0};
    struct runs list = {0};
    err last;
    cr_assert_eq(holders_attach(&h, A, &page), 0);
    cr_assert_eq(holders_alloc_batch(&h, A, GFP_HIGHUSER, 10, &list), 10);
    cr_assert_eq(h.holder[A].allocs, 10);
    while ((last = holders_alloc(&h, B, GFP_HIGHUSER, 0)) >= 4096) {
    }
    cr_assert_eq(zone_id_of(&h.zones, (u32)last), ZONE_NORMAL, "High is at low");
    put_in(&page.unmapped, &list);
    cr_assert_geq(holders_alloc(&h, B, GFP_HIGHUSER, 0), 4096);
    end(&h);
}

Test(holders, magazine_limit) {
    struct holders h = {0};
    static const struct {
        u32 frames, limit;
    } want[] = {{8192, 16}, {32768, 112}, {131072, 256}, {16384, 48}, {2000, 16}};
    for (u32 i = 0; i < ARRAY_LEN(want); i++) {
        void *memory = calloc(1, zones_bytes(want[i].frames, ZONE_DMA_END, ZONE_NORMAL_END));
        cr_assert_eq(zones_init(&h.zones, want[i].frames, ZONE_DMA_END, ZONE_NORMAL_END, memory), 0);
        cr_assert_eq(holders_magazine_limit(&h), want[i].limit);
        free(memory);
    }
}

/* Random requests, right and wrong, of several clients against a table of blocks. */
struct block {
    u32 first, order, client;
};

Test(holders, random_against_model) {
    u64 seed = seed_begin(0xf4a3e);
    struct holders h = make();
    static struct block blocks[FRAMES];
    static u32 at[FRAMES + 10]; /* by first frame: 1 + the block's index */
    u32 n = 0;
    u64 all = zones_free(&h.zones), used = 0;
    for (u32 step = 0; step < 1000000; step++) {
        u32 client = 1 + (u32)seed_next(&seed, 4);
        if (seed_next(&seed, 100) < (step / 3000 % 2 ? 60 : 40)) {
            u32 order = (u32)seed_next(&seed, seed_next(&seed, 4) ? 3 : MAX_ORDER);
            static const u32 masks[] = {GFP_HIGHUSER, GFP_KERNEL, GFP_DMA, GFP_USER | __GFP_MEMALLOC};
            err first = holders_alloc(&h, client, masks[seed_next(&seed, 4)], order);
            if (first > 0) {
                blocks[n++] = (struct block){(u32)first, order, client};
                at[first] = n;
                used += 1u << order;
            } else {
                cr_assert_eq(first, -E_NOMEM);
            }
        } else {
            bool known = n && seed_next(&seed, 10);
            struct block *pick = known ? &blocks[seed_next(&seed, n)] : NULL;
            u32 first = pick ? pick->first : (u32)seed_next(&seed, FRAMES + 10);
            u32 order = pick && seed_next(&seed, 10) ? pick->order : (u32)seed_next(&seed, MAX_ORDER + 1);
            if (pick && seed_next(&seed, 10))
                client = pick->client;
            pick = at[first] ? &blocks[at[first] - 1] : NULL;
            bool right = pick && pick->order == order && pick->client == client;
            cr_assert_eq(holders_free(&h, client, first, order) == 0, right);
            if (right) {
                used -= 1u << order;
                at[blocks[n - 1].first] = at[first];
                at[first] = 0;
                *pick = blocks[--n];
            }
        }
        cr_assert_eq(zones_free(&h.zones), all - used);
        if (step < 2000 || step % 5000 == 0)
            cr_assert(holders_audit(&h));
    }
    while (n--)
        cr_assert_eq(holders_free(&h, blocks[n].client, blocks[n].first, blocks[n].order), 0);
    cr_assert_eq(zones_free(&h.zones), all);
    end(&h);
}

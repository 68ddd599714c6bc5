/* SPDX-License-Identifier: MIT */
/* The client side (libipc/frame_client.c) against the server's logic in process, with a model of what is
 * mapped. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errors.h>
#include <ipc/frame.h>

#include "frame_port.h"
#include "holders.h"
#include "model/seed.h"

enum { ME = 5, FRAMES = 8192, FIRST = 16 };

char *frame_window;
struct frame_magazines frame_magazines;
static struct holders server;
static u8 mapped[FRAMES], held[FRAMES]; /* by frame: mapped in the window; not in the server's hands */
static u32 calls;
static bool no_tables, no_frames;
static u64 attach_says; /* how many frames a magazine may hold; 0: what the server says */
static u32 normal_end = ZONE_NORMAL_END;
static u64 tables[4]; /* frames of page tables in the space's pool, fed while mapping */
static u32 tables_count, tables_most;
static void (*on_call)(void); /* "another thread" that runs while this one waits */

static void wait_for_answer(void) {
    calls++;
    void (*other)(void) = on_call;
    on_call = NULL;
    if (other)
        other();
}

static void change_hands(pfn first, u64 n, bool mine) {
    for (pfn f = first; f < first + n; f++) {
        cr_assert(held[f] != mine && !mapped[f], "frame %llu changes hands", (unsigned long long)f);
        held[f] = mine;
    }
}

err port_attach(struct frame_attach_rep *rep) {
    cr_assert_eq(holders_attach(&server, ME, &frame_magazines), 0);
    u64 limit = attach_says ? attach_says : holders_magazine_limit(&server);
    *rep = (struct frame_attach_rep){limit, FRAMES, normal_end};
    return 0;
}

err port_alloc(u32 order, u32 gfp_mask) {
    err first = holders_alloc(&server, ME, gfp_mask, order);
    if (first > 0)
        change_hands((pfn)first, 1ull << order, true);
    wait_for_answer();
    return first;
}

err port_alloc_batch(u32 count, u32 gfp_mask, struct runs *runs) {
    if (no_frames)
        return -E_NOMEM;
    err n = holders_alloc_batch(&server, ME, gfp_mask, count, runs);
    for (u32 i = 0; i < runs->count; i++)
        change_hands(RUN_FIRST(runs->word[i]), RUN_COUNT(runs->word[i]), true);
    wait_for_answer();
    return n;
}

void port_free(pfn first, u32 order) {
    change_hands(first, 1ull << order, false);
    cr_assert_eq(holders_free(&server, ME, first, order), 0);
    wait_for_answer();
}

void port_free_batch(const struct runs *runs) {
    for (u32 i = 0; i < runs->count; i++)
        change_hands(RUN_FIRST(runs->word[i]), RUN_COUNT(runs->word[i]), false);
    cr_assert_eq(holders_mark(&server, ME, runs), 0);
    holders_free_marked(&server, ME, runs);
    wait_for_answer();
}

err port_map(const struct runs *runs) {
    if (no_tables)
        return -E_NOMEM;
    if (tables_count < tables_most && (tables[tables_count] = alloc_page(GFP_HIGHUSER)))
        tables_count++;
    for (u32 i = 0; i < runs->count; i++)
        for (u64 f = RUN_FIRST(runs->word[i]), end = f + RUN_COUNT(runs->word[i]); f < end; f++) {
            cr_assert(held[f] && !mapped[f]);
            mapped[f] = 1;
        }
    return 0;
}

void port_unmap(const struct runs *runs) {
    for (u32 i = 0; i < runs->count; i++)
        memset(mapped + RUN_FIRST(runs->word[i]), 0, RUN_COUNT(runs->word[i]));
}

u32 port_unfeed(u64 *list) {
    u32 n = tables_count;
    memcpy(list, tables, n * sizeof *list);
    tables_count = 0;
    return n;
}

static u64 all;

static void begin(void) {
    static char memory[FRAMES * PAGE_BYTES];
    frame_window = memory;
    free(server.zones.map); /* of an .init before this one */
    cr_assert_eq(zones_init(&server.zones, FRAMES, ZONE_DMA_END, normal_end,
                            calloc(1, zones_bytes(FRAMES, ZONE_DMA_END, normal_end))),
                 0);
    zones_reserve(&server.zones, 1, FIRST - 1);
    zones_release(&server.zones, FIRST, FRAMES - FIRST);
    zones_set_watermarks(&server.zones);
    all = zones_free(&server.zones);
    cr_assert_eq(frame_client_init(), 0);
}

static void begin_with_high(void) {
    normal_end = 6144;
    begin();
}

static void end(void) {
    drain_magazines();
    cr_assert_eq(frame_held(), 0);
    holders_look(&server, false);
    for (u32 i = 0; i < ZONES; i++)
        cr_assert_eq(server.zones.zone[i].in_magazines, 0);
    cr_assert_eq(zones_free(&server.zones), all, "%llu of %llu",
                 (unsigned long long)zones_free(&server.zones), (unsigned long long)all);
    cr_assert(holders_audit(&server));
    free(server.zones.map);
}

TestSuite(client, .init = begin); /* each test calls end(): a failure in .fini would not count */

Test(client, usual_allocations_need_no_call) {
    pfn frames[16];
    for (u32 i = 0; i < 16; i++)
        cr_assert((frames[i] = alloc_page(GFP_HIGHUSER)) && held[frames[i]] && !mapped[frames[i]]);
    cr_assert_eq(calls, 2, "a magazine of 16 is refilled by 8");
    for (u32 i = 0; i < 16; i++)
        __free_page(frames[i]);
    cr_assert_eq(calls, 2);
    cr_assert_eq(frame_held(), 16);
    cr_assert_eq(alloc_page(GFP_HIGHUSER), frames[15], "the frame freed last is taken first");
    __free_page(frames[15]);
    end();
}

/* Free frames, with what is in magazines, at any moment: no message is needed for it. */
Test(client, counts_are_never_old) {
    pfn frames[16];
    vaddr pages[5];
    for (u32 i = 0; i < 16; i++) {
        frames[i] = alloc_page(GFP_HIGHUSER);
        holders_look(&server, false);
        cr_assert_eq(zones_free(&server.zones), all - i - 1);
    }
    for (u32 i = 0; i < 5; i++)
        pages[i] = __get_free_page(GFP_USER);
    holders_look(&server, false);
    cr_assert_eq(zones_free(&server.zones), all - 21);
    for (u32 i = 0; i < 16; i++)
        __free_page(frames[i]);
    for (u32 i = 0; i < 5; i++)
        free_page(pages[i]);
    holders_look(&server, false);
    cr_assert_eq(zones_free(&server.zones), all);
    end();
}

Test(client, sizes_out_of_bounds_are_refused) {
    attach_says = FRAME_RESERVE_MAX - 1;
    cr_assert_eq(frame_client_init(), -E_PROTO);
    attach_says = MAGAZINE_MAX + 1;
    cr_assert_eq(frame_client_init(), -E_PROTO);
    attach_says = MAGAZINE_MAX;
    cr_assert_eq(frame_client_init(), 0);
    end();
}

Test(client, full_magazine_is_relieved_by_half) {
    pfn frames[40];
    for (u32 i = 0; i < 40; i++)
        frames[i] = alloc_page(GFP_HIGHUSER);
    calls = 0;
    for (u32 i = 0; i < 40; i++)
        __free_page(frames[i]);
    cr_assert_eq(calls, 3);
    cr_assert_leq(frame_held(), 16);
    end();
}

Test(client, mapped_pages_and_zeroing) {
    vaddr page = get_free_page(GFP_HIGHUSER);
    cr_assert(page && mapped[virt_to_pfn((void *)page)]);
    memset((void *)page, 7, PAGE_BYTES);
    free_page(page);
    cr_assert_eq(get_free_page(GFP_HIGHUSER), page);
    for (u32 i = 0; i < PAGE_BYTES; i++)
        cr_assert_eq(((char *)page)[i], 0);
    kunmap(virt_to_pfn((void *)page));
    __free_page(virt_to_pfn((void *)page));
    pfn frame = alloc_page(GFP_HIGHUSER);
    cr_assert_eq(kmap(frame), pfn_to_virt(frame));
    free_page((vaddr)pfn_to_virt(frame));
    end();
}

Test(client, where_there_is_no_high_any_magazine_suits) {
    __free_page(alloc_page(GFP_HIGHUSER));
    free_page(__get_free_page(GFP_USER));
    calls = 0;
    pfn frame = alloc_page(GFP_KERNEL);
    vaddr page = __get_free_page(GFP_USER);
    cr_assert(frame && page && !calls);
    pfn dma = alloc_page(GFP_DMA);
    cr_assert(dma && calls == 1);
    __free_page(dma);
    __free_page(frame);
    free_page(page);
    end();
}

Test(client, low_frames_near_the_top_of_a_magazine_are_found, .init = begin_with_high) {
    pfn low = alloc_page(GFP_KERNEL), high[4];
    cr_assert(low && low < normal_end && calls == 1, "an empty magazine is of no use");
    for (u32 i = 0; i < 4; i++)
        cr_assert_geq((high[i] = alloc_page(GFP_HIGHUSER)), normal_end);
    __free_page(low);
    for (u32 i = 0; i < 3; i++)
        __free_page(high[i]);
    calls = 0;
    cr_assert(alloc_page(GFP_KERNEL) == low && !calls, "the fourth");
    for (u32 i = 0; i < 3; i++)
        cr_assert_geq((high[i] = alloc_page(GFP_HIGHUSER)), normal_end);
    __free_page(low);
    for (u32 i = 0; i < 4; i++)
        __free_page(high[i]);
    pfn other = alloc_page(GFP_KERNEL);
    cr_assert(other && other != low && calls == 1, "the fifth is too far down");
    __free_page(other);
    end();
}

Test(client, blocks_and_low_zones_go_to_the_server) {
    pfn dma = alloc_page(GFP_DMA), normal = alloc_page(GFP_KERNEL), block = alloc_pages(GFP_DMA, 5);
    cr_assert(dma && dma < ZONE_DMA_END);
    cr_assert(normal);
    cr_assert(block && block < ZONE_DMA_END && block % 32 == 0);
    vaddr run = __get_free_pages(GFP_KERNEL, 9);
    for (u32 i = 0; i < 512; i++)
        cr_assert(mapped[virt_to_pfn((void *)run) + i]);
    cr_assert_eq(alloc_pages(GFP_KERNEL, MAX_ORDER), 0);
    cr_assert_eq(alloc_pages(0x40, 0), 0);
    cr_assert_eq(__get_free_pages(0x40, 0), 0);
    cr_assert_eq(server.holder[ME].mistakes, 3, "the server has been told of each");
    free_pages(run, 9);
    __free_pages(block, 5);
    __free_page(normal);
    __free_page(dma);
    end();
}

/* A count above 1 only falls. */
Test(client, blocks_with_several_users) {
    pfn single = alloc_page(GFP_HIGHUSER), block = alloc_pages(GFP_KERNEL, 3), many[FRAME_SHARED_MAX];
    vaddr page = get_free_page(GFP_KERNEL);
    cr_assert_eq(get_page(single), 0);
    cr_assert_eq(get_page(single), 0);
    cr_assert_eq(get_page(block), 0);
    cr_assert_eq(get_page(virt_to_pfn((void *)page)), 0);
    cr_assert(page_count(single) == 3 && page_count(block) == 2 && page_count(block + 1) == 1);
    u64 held_before = frame_held();
    __free_page(single);
    __free_page(single);
    free_page(page);
    __free_pages(block, 3);
    cr_assert(frame_held() == held_before && held[block] && mapped[virt_to_pfn((void *)page)]);
    cr_assert(page_count(single) == 1 && page_count(block) == 1);
    __free_page(single);
    free_page(page);
    __free_pages(block, 3);
    cr_assert(frame_held() == held_before + 2 && !held[block]);
    for (u32 i = 0; i < FRAME_SHARED_MAX; i++)
        cr_assert((many[i] = alloc_page(GFP_HIGHUSER)) && get_page(many[i]) == 0);
    cr_assert_eq(get_page(FIRST), -E_NOMEM, "no room for one more");
    cr_assert_eq(get_page(many[5]), 0);
    __free_page(many[5]);
    for (u32 i = 0; i < FRAME_SHARED_MAX; i++) {
        __free_page(many[i]);
        cr_assert_eq(page_count(many[i]), 1);
        __free_page(many[i]);
    }
    end();
}

Test(client, no_tables_means_no_memory) {
    no_tables = true;
    cr_assert_eq(get_free_page(GFP_HIGHUSER), 0);
    cr_assert_eq(__get_free_pages(GFP_USER, 3), 0);
    cr_assert_eq(frame_held(), 0);
    pfn frame = alloc_page(GFP_HIGHUSER);
    cr_assert_null(kmap(frame));
    __free_page(frame);
    end();
}

Test(client, reserve_makes_allocations_certain) {
    cr_assert_eq(frame_reserve(17), -E_NOMEM, "more than a magazine of this machine holds");
    cr_assert_eq(frame_reserve(FRAME_RESERVE_MAX), 0);
    calls = 0;
    pfn frames[FRAME_RESERVE_MAX];
    for (u32 i = 0; i < FRAME_RESERVE_MAX; i++)
        cr_assert(frames[i] = alloc_page(GFP_HIGHUSER));
    cr_assert_eq(calls, 0);
    for (u32 i = 0; i < FRAME_RESERVE_MAX; i++)
        __free_page(frames[i]);
    end();
}

Test(client, out_of_memory_is_an_answer) {
    static pfn frames[FRAMES];
    u32 n = 0;
    while ((frames[n] = alloc_page(GFP_HIGHUSER)))
        n++;
    cr_assert_gt(n, FRAMES - 400);
    cr_assert_eq(frame_reserve(1), -E_NOMEM);
    cr_assert(frames[n] = alloc_page(GFP_HIGHUSER | __GFP_MEMALLOC));
    cr_assert_eq(frame_held(), 0, "the reserve is not hoarded");
    for (n++; n;)
        __free_page(frames[--n]);
    end();
}

Test(client, one_magazine_helps_the_other) {
    pfn frame = alloc_page(GFP_HIGHUSER);
    __free_page(frame);
    no_frames = true;
    vaddr page = __get_free_page(GFP_HIGHUSER);
    cr_assert(page == (vaddr)pfn_to_virt(frame) && mapped[frame]);
    no_tables = true;
    u64 left = frame_held();
    cr_assert(left && !__get_free_page(GFP_HIGHUSER), "it can't be mapped");
    cr_assert_eq(frame_held(), left);
    free_page(page);
    for (; left; left--)
        __free_page(alloc_page(GFP_HIGHUSER));
    for (pfn f; (f = alloc_page(GFP_HIGHUSER));)
        cr_assert(!mapped[f] && held[f]++ == 1, "each once");
    no_frames = false;
    for (u32 f = 0; f < FRAMES; f++)
        if (held[f] == 2) {
            held[f] = 1;
            __free_page(f);
        }
    end();
}

/* While one thread waits for a refill another allocates and frees, and fills the magazine as well. */
static pfn others[24];
static void other_thread(void) {
    for (u32 i = 0; i < 24; i++)
        others[i] = alloc_page(GFP_HIGHUSER);
    for (u32 i = 0; i < 24; i++)
        __free_page(others[i]);
}

Test(client, threads_that_run_meanwhile) {
    on_call = other_thread;
    pfn frame = alloc_page(GFP_HIGHUSER);
    cr_assert(frame && frame_held() <= 16);
    on_call = other_thread;
    drain_magazines();
    on_call = other_thread;
    cr_assert_eq(frame_reserve(16), 0);
    __free_page(frame);
    end();
}

Test(client, random_against_model) {
    u64 seed = seed_begin(0xc11e47);
    tables_most = ARRAY_LEN(tables);
    static struct {
        pfn first;
        u32 order;
        bool mapped;
    } have[FRAMES];
    u32 n = 0;
    for (u32 step = 0; step < 1000000; step++) {
        if (step % 997 == 0)
            drain_magazines();
        if (n < 3000 && seed_next(&seed, 100) < (step / 4000 % 2 ? 45 : 55)) {
            u32 order = seed_next(&seed, 20) ? 0 : (u32)seed_next(&seed, 6);
            u32 gfp = seed_next(&seed, 3) ? GFP_HIGHUSER : GFP_KERNEL;
            bool map = seed_next(&seed, 2);
            pfn first = 0;
            if (map) {
                vaddr at = __get_free_pages(gfp, order);
                first = at ? virt_to_pfn((void *)at) : 0;
            } else {
                first = alloc_pages(gfp, order);
            }
            if (!first)
                continue;
            for (pfn f = first; f < first + (1u << order); f++) {
                cr_assert(held[f] == 1 && mapped[f] == map);
                held[f] = 2; /* handed out, not in a magazine */
            }
            have[n].first = first;
            have[n].order = order;
            have[n++].mapped = map;
        } else if (n) {
            u32 i = (u32)seed_next(&seed, n);
            for (pfn f = have[i].first; f < have[i].first + (1u << have[i].order); f++) {
                cr_assert_eq(held[f], 2);
                held[f] = 1;
            }
            if (have[i].mapped)
                free_pages((vaddr)pfn_to_virt(have[i].first), have[i].order);
            else
                __free_pages(have[i].first, have[i].order);
            have[i] = have[--n];
        }
        cr_assert_leq(frame_held(), 32);
    }
    while (n--) {
        for (pfn f = have[n].first; f < have[n].first + (1u << have[n].order); f++)
            held[f] = 1;
        if (have[n].mapped)
            free_pages((vaddr)pfn_to_virt(have[n].first), have[n].order);
        else
            __free_pages(have[n].first, have[n].order);
    }
    end();
}

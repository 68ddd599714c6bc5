/* SPDX-License-Identifier: MIT */
/* Messages to the frame server, over a model of the kernel's frame table. */
#include <criterion/criterion.h>
#include <string.h>

#include <abi/errors.h>
#include <proto/bits.h>

#include "model/seed.h"
#include "world.h"

enum { A = SRV_REGION, B = SRV_CACHE };

static err call(u32 client, u64 label, u64 w0, u64 w1) {
    u64 w[MSG_REG_WORDS] = {w0, w1};
    err e = world_call(client, label, w, 0);
    return e ? e : (err)w[0];
}
static err free_batch(u32 client, u64 word, u64 runs, u32 tail_words) {
    u64 w[MSG_REG_WORDS] = {runs};
    world.tail[0] = word;
    return world_call(client, frame_label_free_batch, w, tail_words);
}

TestSuite(serve, .init = world_begin);

Test(serve, a_block_comes_and_goes) {
    err first = call(A, frame_label_alloc, 3, GFP_USER);
    cr_assert(first > 0 && world.owner[first] == A && world.owner[first + 7] == A);
    cr_assert(world_give_back(A, (u64)first, 8));
    cr_assert_eq(call(A, frame_label_free, (u64)first, 3), 0);
    cr_assert_eq(world.logged, 0);
}

Test(serve, a_batch_comes_and_goes) {
    u64 w[MSG_REG_WORDS] = {20, GFP_HIGHUSER};
    cr_assert_eq(world_call(A, frame_label_alloc_batch, w, 0), 0);
    cr_assert(w[0] == 20 && w[1] == world.tail_words);
    struct runs runs = {(u32)w[1], {0}};
    memcpy(runs.word, world.tail, runs.count * 8);
    for (u32 i = 0; i < runs.count; i++)
        cr_assert(world_give_back(A, RUN_FIRST(runs.word[i]), RUN_COUNT(runs.word[i])));
    memcpy(world.tail, runs.word, runs.count * 8);
    w[0] = runs.count;
    cr_assert_eq(world_call(A, frame_label_free_batch, w, runs.count), 0);
}

/* As many runs as a message can name. */
Test(serve, a_full_batch_of_runs) {
    u64 w[MSG_REG_WORDS] = {FRAME_RUNS_MAX}, list[FRAME_RUNS_MAX];
    for (u32 i = 0; i < FRAME_RUNS_MAX; i++) {
        list[i] = (u64)call(A, frame_label_alloc, 0, GFP_USER);
        cr_assert(world_give_back(A, list[i], 1));
    }
    memcpy(world.tail, list, sizeof list);
    cr_assert_eq(world_call(A, frame_label_free_batch, w, FRAME_RUNS_MAX), 0);
    cr_assert_eq(frame_server.holders.holder[A].frames, 0);
}

/* Each is answered with what is wrong, counted, and changes nothing (world_call sees to both); the first of
 * each client is logged. */
Test(serve, mistakes) {
    err block = call(A, frame_label_alloc, 2, GFP_USER), other = call(B, frame_label_alloc, 0, GFP_USER);
    cr_assert(block > 0 && other > 0);
    cr_assert_eq(call(A, frame_label_alloc, MAX_ORDER, GFP_USER), -E_INVAL);
    cr_assert_eq(world.logged, 1);
    cr_assert_eq(call(A, frame_label_alloc, 0, GFP_ALL + 1), -E_INVAL);
    cr_assert_eq(call(A, frame_label_alloc_batch, 0, GFP_USER), -E_INVAL);
    cr_assert_eq(call(A, frame_label_alloc_batch, FRAME_BATCH_MAX + 1, GFP_USER), -E_INVAL);
    cr_assert_eq(call(A, frame_label_free, (u64)block, 2), -E_OWNER, "not given to frame's account before");
    cr_assert_eq(free_batch(A, FRAME_RUN((u64)block, 1), 1, 1), -E_KIND);
    cr_assert_eq(free_batch(A, 0, 0, 1), -E_INVAL);
    cr_assert_eq(free_batch(A, 0, 2, 1), -E_INVAL, "fewer words than it says");
    cr_assert_eq(free_batch(A, 0, FRAME_RUNS_MAX + 1, FRAME_RUNS_MAX), -E_INVAL);
    cr_assert_eq(call(A, frame_label_free, (u64)other, 0), -E_OWNER);
    cr_assert(world_give_back(A, (u64)block, 4));
    cr_assert_eq(call(A, frame_label_free, (u64)block, 1), -E_KIND);
    cr_assert_eq(call(A, frame_label_free, (u64)block, 77), -E_INVAL);
    cr_assert_eq(call(A, frame_label_free, (u64)block, 2), 0);
    cr_assert_eq(call(A, frame_label_free, (u64)block, 2), -E_STALE, "twice");
    cr_assert_eq(call(A, frame_label_free, 3, 0), -E_RANGE, "reserved");
    cr_assert_eq(call(A, frame_label_free, ~0ull, 0), -E_RANGE);
    cr_assert_eq(call(A, frame_label_zone, 3, 0), -E_INVAL);
    cr_assert_eq(call(A, 0x1ff, 0, 0), -E_NOSYS);
    cr_assert_eq(world.logged, 1, "once for each client");
    cr_assert_eq(frame_server.holders.holder[A].mistakes, 17);
    cr_assert_eq(free_batch(B, FRAME_RUN((u64)other, 1), 1, 1), -E_OWNER, "not given back");
    cr_assert_eq(world.logged, 2);
    cr_assert_eq(call(SRV_NONE, frame_label_alloc, 0, GFP_USER), -E_PERM);
    cr_assert_eq(call(SRV_COUNT, frame_label_alloc, 0, GFP_USER), -E_PERM);
}

/* While it is mapped or pinned the kernel does not let its owner give it away, and frame does not take it. */
Test(serve, a_frame_in_use_does_not_come_back) {
    err frame = call(A, frame_label_alloc, 0, GFP_USER);
    world.mapped[frame] = 1;
    cr_assert(!world_give_back(A, (u64)frame, 1));
    cr_assert_eq(call(A, frame_label_free, (u64)frame, 0), -E_OWNER);
    cr_assert_eq(free_batch(A, FRAME_RUN((u64)frame, 1), 1, 1), -E_OWNER);
    world.mapped[frame] = 0;
    cr_assert(world_give_back(A, (u64)frame, 1));
    cr_assert_eq(call(A, frame_label_free, (u64)frame, 0), 0);
}

Test(serve, a_client_that_is_gone_gets_nothing) {
    world.gone = 1ull << A;
    cr_assert_eq(call(A, frame_label_alloc, 4, GFP_USER), -E_BADCAP);
    cr_assert_eq(call(A, frame_label_alloc_batch, 4, GFP_USER), -E_BADCAP);
    cr_assert_eq(frame_server.holders.holder[A].frames, 0);
}

Test(serve, who_attached_is_asked_for_magazines) {
    cr_assert_gt(call(A, frame_label_attach, 0, 0), 0);
    cr_assert_eq(call(B, frame_label_drain, 0, 0), 0);
    cr_assert_eq(world.notified[A], BIT(BIT_DRAIN));
    cr_assert_eq(world.notified[B], 0);
    world.gone = 1ull << A;
    cr_assert_eq(call(B, frame_label_drain, 0, 0), 0);
    cr_assert_eq(world.logged, 1, "cannot be notified");
}

/* Below low cache is told; who is refused is told when frames are back, and all are asked for their
 * magazines. */
Test(serve, short_memory) {
    cr_assert_gt(call(A, frame_label_attach, 0, 0), 0);
    cr_assert_gt(call(B, frame_label_attach, 0, 0), 0);
    err last = 0, got;
    while ((got = call(A, frame_label_alloc, 0, GFP_HIGHUSER)) > 0) {
        if (zones_free(&frame_server.holders.zones) > 200)
            cr_assert_eq(world.notified[B], 0);
        last = got;
    }
    cr_assert_eq(got, -E_NOMEM);
    cr_assert_eq(world.notified[B], BIT(BIT_MEMORY_LOW) | BIT(BIT_DRAIN));
    cr_assert_eq(world.notified[A], BIT(BIT_DRAIN));
    cr_assert_gt(call(B, frame_label_alloc, 0, GFP_HIGHUSER | __GFP_MEMALLOC), 0);
    cr_assert(world_give_back(A, (u64)last, 1));
    cr_assert_eq(call(A, frame_label_free, (u64)last, 0), 0);
    cr_assert_eq(world.notified[A], BIT(BIT_DRAIN) | BIT(BIT_MEMORY_BACK));
    cr_assert_eq(world.logged, 0, "none of this is a mistake");
}

/* The sums that /proc/meminfo, zoneinfo and buddyinfo show. */
Test(serve, figures_add_up) {
    u64 w[MSG_REG_WORDS] = {0}, total, free, magazines, managed = 0, in_zones = 0, in_lists = 0, zones = 3;
    struct frame_magazines *page = &world.magazines[A];
    cr_assert_gt(call(A, frame_label_attach, 0, 0), 0);
    for (u32 i = 0; i < 30; i++)
        page->mapped.frames[page->mapped.count++] =
            (u32)call(A, frame_label_alloc, 0, i % 2 ? GFP_HIGHUSER : GFP_DMA);
    cr_assert_eq(world_call(B, frame_label_memory, w, 0), 0);
    total = w[0], free = w[1], magazines = w[2];
    cr_assert(w[3] == 2 * w[4] && w[4] == 512 / 32 + 2 * 10, "low and min, in all zones");
    cr_assert(total == WORLD_FRAMES - WORLD_RESERVED && free == total && magazines == 30);
    for (u64 i = 0; i < zones; i++) {
        struct frame_zone zone;
        u64 sum = 0, of[MSG_REG_WORDS] = {i};
        cr_assert_eq(world_call(B, frame_label_zone, of, 0), 0);
        memcpy(&zone, world.tail, sizeof zone);
        for (u32 order = 0; order < MAX_ORDER; order++)
            sum += zone.free_blocks[order] << order;
        cr_assert_eq(sum, zone.free);
        in_lists += sum;
        managed += zone.managed;
        in_zones += zone.free + zone.magazines;
    }
    cr_assert(managed == total && in_zones == free && in_lists + magazines == free);
}

Test(serve, random_messages) {
    u64 seed = seed_begin(0x5e77e);
    static u8 bytes[4000];
    for (u32 run = 0; run < 20; run++) {
        for (u32 i = 0; i < sizeof bytes; i++)
            bytes[i] = (u8)seed_next(&seed, 256);
        world_play(bytes, sizeof bytes);
    }
}

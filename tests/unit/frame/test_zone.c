/* SPDX-License-Identifier: MIT */
/* Zones: borders, watermarks, order of attempts. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include <abi/errors.h>

#include "zone.h"

static struct zones make(u32 frames, u32 dma_end, u32 normal_end) {
    struct zones z;
    cr_assert_eq(
        zones_init(&z, frames, dma_end, normal_end, calloc(1, zones_bytes(frames, dma_end, normal_end))), 0);
    return z;
}

static void release_all(struct zones *z) {
    zones_release(z, 1, z->frames - 1);
    zones_set_watermarks(z);
}

/* Leaves just `leave` frames free in a zone. */
static void exhaust(struct zones *z, enum zone_id id, u64 leave) {
    while (z->zone[id].buddy.free > leave)
        cr_assert_neq(buddy_alloc(&z->zone[id].buddy, 0), NO_PAGE);
}

Test(zone, watermarks_of_128_megabytes) {
    struct zones z = make(32768, ZONE_DMA_END, ZONE_NORMAL_END);
    release_all(&z);
    cr_assert_eq(z.zone[ZONE_DMA].buddy.managed, 4095, "frame 0 is never released, and counts here");
    cr_assert_eq(z.zone[ZONE_DMA].pages_min, 128);
    cr_assert_eq(z.zone[ZONE_DMA].pages_low, 256);
    cr_assert_eq(z.zone[ZONE_DMA].pages_high, 384);
    cr_assert_eq(z.zone[ZONE_NORMAL].pages_min, 224);
    cr_assert_eq(z.zone[ZONE_NORMAL].pages_low, 448);
    cr_assert_eq(z.zone[ZONE_NORMAL].pages_high, 672);
    cr_assert_eq(z.zone[ZONE_HIGH].pages_min, 0);
    free(z.map);
}

Test(zone, watermarks_are_clamped) {
    struct zones z = make(200000, 512, 1024);
    release_all(&z);
    cr_assert_eq(z.zone[ZONE_DMA].pages_min, 16);
    cr_assert_eq(z.zone[ZONE_NORMAL].pages_min, 10);
    cr_assert_eq(z.zone[ZONE_HIGH].pages_min, 255);
    free(z.map);
}

Test(zone, bad_borders) {
    struct zones z;
    char memory[1] = {0};
    cr_assert_eq(zones_init(&z, 0, 4096, 8192, memory), -E_INVAL);
    cr_assert_eq(zones_init(&z, 1u << 31, 4096, 8192, memory), -E_INVAL);
    cr_assert_eq(zones_init(&z, 10000, 4097, 8192, memory), -E_INVAL);
    cr_assert_eq(zones_init(&z, 10000, 4096, 8200, memory), -E_INVAL);
    cr_assert_eq(zones_init(&z, 10000, 8192, 4096, memory), -E_INVAL);
}

Test(zone, memory_for_descriptors_and_bits) {
    cr_assert_eq(zones_bytes(4000, 1024, 2048),
                 4000 * 12 + 2 * buddy_bitmap_bytes(1024) + buddy_bitmap_bytes(1952));
    cr_assert_eq(zones_bytes(1001, 1024, 2048), 12016 + buddy_bitmap_bytes(1001),
                 "ends below the first border");
}

Test(zone, release_across_borders) {
    struct zones z = make(4000, 1024, 2048);
    zones_reserve(&z, 1, 999);
    zones_release(&z, 1000, 2000);
    zones_reserve(&z, 3000, 1000);
    cr_assert_eq(z.zone[ZONE_DMA].buddy.free, 24);
    cr_assert_eq(z.zone[ZONE_NORMAL].buddy.free, 1024);
    cr_assert_eq(z.zone[ZONE_HIGH].buddy.free, 952);
    for (u32 i = 0; i < ZONES; i++)
        cr_assert(buddy_check(&z.zone[i].buddy));
    cr_assert_eq(zone_id_of(&z, 1023), ZONE_DMA);
    cr_assert_eq(zone_id_of(&z, 1024), ZONE_NORMAL);
    cr_assert_eq(zone_id_of(&z, 3999), ZONE_HIGH);
    free(z.map);
}

/* A machine that ends before a border, and inside a block. */
Test(zone, small_machine) {
    struct zones z = make(3000, ZONE_DMA_END, ZONE_NORMAL_END);
    release_all(&z);
    cr_assert_eq(zones_free(&z), 2999);
    cr_assert_eq(zones_alloc(&z, GFP_HIGHUSER, 0).zone, ZONE_DMA);
    cr_assert_eq(zones_alloc(&z, GFP_DMA, 9).zone, ZONE_DMA);
    free(z.map);
}

Test(zone, mask_chooses_the_highest_zone) {
    struct zones z = make(6144, 2048, 4096);
    release_all(&z);
    cr_assert_eq(zones_alloc(&z, GFP_HIGHUSER, 0).zone, ZONE_HIGH);
    cr_assert_eq(zones_alloc(&z, GFP_KERNEL, 0).zone, ZONE_NORMAL);
    cr_assert_eq(zones_alloc(&z, GFP_DMA, 0).zone, ZONE_DMA);
    cr_assert_eq(zones_alloc(&z, GFP_DMA | __GFP_HIGHMEM, 0).zone, ZONE_DMA);
    free(z.map);
}

/* 2048 frames a zone: DMA 63 or 64 / 127 / 191; Normal and High 16 / 32 / 48. */
Test(zone, order_of_attempts) {
    struct zones z = make(6144, 2048, 4096);
    release_all(&z);
    struct zone *dma = &z.zone[ZONE_DMA], *normal = &z.zone[ZONE_NORMAL], *high = &z.zone[ZONE_HIGH];
    cr_assert_eq(high->pages_low, 32);

    exhaust(&z, ZONE_HIGH, 33);
    struct zone_choice c = zones_alloc(&z, GFP_HIGHUSER, 0);
    cr_assert(c.zone == ZONE_HIGH && !c.wake, "stays at low");
    c = zones_alloc(&z, GFP_HIGHUSER, 0);
    cr_assert(c.zone == ZONE_NORMAL && !c.wake, "falls back before it digs below low");

    exhaust(&z, ZONE_NORMAL, normal->pages_low);
    c = zones_alloc(&z, GFP_HIGHUSER, 0);
    cr_assert(c.zone == ZONE_DMA && !c.wake);

    exhaust(&z, ZONE_DMA, dma->pages_low);
    c = zones_alloc(&z, GFP_HIGHUSER, 0);
    cr_assert(c.zone == ZONE_HIGH && c.wake, "all at low: reclaim is woken, then down to min, High first");
    c = zones_alloc(&z, GFP_KERNEL, 0);
    cr_assert(c.zone == ZONE_NORMAL && c.wake);

    cr_assert(zones_relieved(&z, ZONE_HIGH));
    exhaust(&z, ZONE_HIGH, high->pages_min);
    exhaust(&z, ZONE_NORMAL, normal->pages_min);
    exhaust(&z, ZONE_DMA, dma->pages_min);
    cr_assert_eq(zones_alloc(&z, GFP_HIGHUSER, 0).first, NO_PAGE);
    cr_assert_eq(zones_alloc(&z, GFP_ATOMIC, 0).first, NO_PAGE);
    cr_assert(!zones_relieved(&z, ZONE_HIGH));
    normal->in_magazines = 5;
    cr_assert(!zones_relieved(&z, ZONE_HIGH), "counted above min, but the lists have just the reserve");
    normal->in_magazines = 0;

    for (u64 left = high->pages_min; left > high->pages_min / 4; left--)
        cr_assert_eq(zones_alloc(&z, GFP_HIGHUSER | __GFP_MEMALLOC, 0).zone, ZONE_HIGH);
    c = zones_alloc(&z, GFP_HIGHUSER | __GFP_MEMALLOC, 0);
    cr_assert_eq(c.zone, ZONE_NORMAL, "never below min / 4");
    exhaust(&z, ZONE_NORMAL, normal->pages_min / 4);
    exhaust(&z, ZONE_DMA, dma->pages_min / 4);
    c = zones_alloc(&z, GFP_HIGHUSER | __GFP_MEMALLOC, 0);
    cr_assert(c.first == NO_PAGE && c.wake);
    free(z.map);
}

Test(zone, magazines_count_as_free) {
    struct zones z = make(2048, 2048, 4096);
    release_all(&z);
    struct zone *dma = &z.zone[ZONE_DMA];
    exhaust(&z, ZONE_NORMAL, 0);
    exhaust(&z, ZONE_DMA, dma->pages_low);
    dma->in_magazines = 3;
    for (u32 i = 0; i < 3; i++)
        cr_assert(!zones_alloc(&z, GFP_USER, 0).wake, "above low with them");
    cr_assert(zones_alloc(&z, GFP_USER, 0).wake);
    free(z.map);
}

/* Frames in magazines cannot be had at once: however many there are, an ordinary request leaves the lists their
 * reserve. */
Test(zone, magazines_are_no_reserve) {
    struct zones z = make(2048, 2048, 4096);
    struct runs list = {0};
    bool wake;
    release_all(&z);
    struct zone *dma = &z.zone[ZONE_DMA];
    exhaust(&z, ZONE_DMA, dma->pages_min + 1);
    dma->in_magazines = 1000;
    cr_assert_eq(zones_alloc_batch(&z, GFP_USER, 8, 0, &list, &wake), 1);
    cr_assert_eq(zones_alloc(&z, GFP_USER, 0).first, NO_PAGE);
    cr_assert_eq(zones_alloc_batch(&z, GFP_ATOMIC, 8, 0, &list, &wake), 0);
    cr_assert_neq(zones_alloc(&z, GFP_USER | __GFP_MEMALLOC, 0).first, NO_PAGE);
    free(z.map);
}

/* A large block that would push a zone below the mark is refused there, as a small one would be. */
Test(zone, large_blocks_respect_the_marks) {
    struct zones z = make(4096, 1024, 4096);
    release_all(&z);
    exhaust(&z, ZONE_NORMAL, 520);
    cr_assert_eq(z.zone[ZONE_NORMAL].pages_min, 24);
    struct zone_choice c = zones_alloc(&z, GFP_KERNEL, 9);
    cr_assert(c.zone == ZONE_DMA && c.first == 512, "the only whole block of the DMA zone");
    cr_assert_eq(zones_alloc(&z, GFP_KERNEL | __GFP_MEMALLOC, 9).zone, ZONE_NORMAL);
    free(z.map);
}

/* Frames that adjoin go back whatever zones they lie in. */
Test(zone, a_run_across_a_border_is_freed) {
    struct zones z = make(4000, 1024, 2048);
    release_all(&z);
    exhaust(&z, ZONE_DMA, 0);
    exhaust(&z, ZONE_NORMAL, 0);
    zones_free_run(&z, 1000, 100);
    cr_assert_eq(z.zone[ZONE_DMA].buddy.free, 24);
    cr_assert_eq(z.zone[ZONE_NORMAL].buddy.free, 76);
    for (u32 i = 0; i < ZONES; i++)
        cr_assert(buddy_check(&z.zone[i].buddy));
    free(z.map);
}

/* A batch goes through the same attempts as single requests. */
Test(zone, batch_is_like_singles) {
    for (u32 leave = 0; leave < 60; leave += 7) {
        struct zones one = make(6144, 2048, 4096), all = make(6144, 2048, 4096);
        struct zones *both[] = {&one, &all};
        for (u32 i = 0; i < 2; i++) {
            release_all(both[i]);
            exhaust(both[i], ZONE_HIGH, leave);
            exhaust(both[i], ZONE_NORMAL, 20 + leave / 2);
            exhaust(both[i], ZONE_DMA, 60 + leave);
        }
        for (u32 round = 0; round < 8; round++) {
            struct runs runs = {0};
            u32 gfp = round % 3 == 2 ? GFP_HIGHUSER | __GFP_MEMALLOC : GFP_HIGHUSER, n = 0;
            bool wake, woken = false;
            u32 got = zones_alloc_batch(&all, gfp, 20, 3, &runs, &wake);
            for (bool some = true; n < 20 && some; n += some) {
                struct zone_choice c = zones_alloc(&one, gfp, 0);
                woken |= c.wake;
                some = c.first != NO_PAGE;
            }
            cr_assert(got == n && wake == woken);
            for (u32 i = 0; i < ZONES; i++)
                cr_assert_eq(one.zone[i].buddy.free, all.zone[i].buddy.free);
        }
        free(one.map);
        free(all.map);
    }
}

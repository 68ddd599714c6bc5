/* SPDX-License-Identifier: MIT */
/* What the allocators cost, measured by a server in the place of linux: lines "bench NAME warm cold" in guest
 * instructions under icount (the TSC advances by one for each). The median of some runs is the warm figure,
 * the first the cold one. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <proto/bits.h>
#include <proto/frame.def>
#include <string.h>

#include "measure.h"

enum { FRAMES_MAX = (RUNS + 4) * FRAME_BATCH_MAX };

static pfn frames[FRAMES_MAX];
static u32 frames_count;

static pfn take(u32 gfp, u32 order) {
    pfn first = alloc_pages(gfp, order);
    ASSERT(first && frames_count < FRAMES_MAX);
    return first;
}

static void magazine_hits(void) {
    pfn frame;
    for (u32 i = 0; i < RUNS; i++) {
        MEASURE(i, frame = alloc_page(GFP_HIGHUSER));
        __free_page(frame);
    }
    report("frame_hit", 1);
    for (u32 i = 0; i < RUNS; i++) {
        frame = alloc_page(GFP_HIGHUSER);
        MEASURE(i, __free_page(frame));
    }
    report("frame_free_hit", 1);
    for (u32 i = 0; i < RUNS; i++) {
        vaddr page;
        MEASURE(i, page = get_free_page(GFP_HIGHUSER));
        free_page(page);
    }
    report("get_free_page_hit", 1);
}

/* An allocation that finds the magazine empty, and a free that finds it full; also for each frame of the
 * batch. */
static void refills(void) {
    struct frame_magazine *m = &frame_magazines.unmapped;
    u32 batch = MIN(m->limit / 2, (u32)FRAME_BATCH_MAX);
    for (u32 i = 0; i < RUNS; i++) {
        while (m->count)
            frames[frames_count++] = take(GFP_HIGHUSER, 0);
        MEASURE(i, frames[frames_count] = alloc_page(GFP_HIGHUSER));
        ASSERT(frames[frames_count++] && m->count == batch - 1);
    }
    report("frame_refill", 1);
    report("frame_refill_each", batch);
    for (u32 i = 0; i < m->limit; i++) /* so many more go back */
        frames[frames_count++] = take(GFP_HIGHUSER, 0);
    for (u32 i = 0; i < RUNS; i++) {
        while (m->count < m->limit)
            __free_page(frames[--frames_count]);
        MEASURE(i, __free_page(frames[--frames_count]));
        ASSERT(m->count == m->limit - batch + 1);
    }
    report("frame_relief", 1);
    report("frame_relief_each", batch);
    while (frames_count)
        __free_page(frames[--frames_count]);
    drain_magazines();
}

static void blocks(void) {
    pfn block = 0;
    for (u32 i = 0; i < RUNS; i++) {
        MEASURE(i, block = alloc_pages(GFP_KERNEL, 9));
        ASSERT(block);
        __free_pages(block, 9);
    }
    report("block_9", 1);
    for (u32 i = 0; i < RUNS; i++) {
        block = take(GFP_KERNEL, 9);
        MEASURE(i, __free_pages(block, 9));
    }
    report("block_9_free", 1);
}

static struct {
    pfn first;
    u32 order;
} eaten[600];

/* With only whole blocks of order 9 left in the DMA zone, a single frame splits one nine times, and its free
 * merges as often. */
static void worst_split_and_merge(void) {
    struct frame_zone_rep rep;
    struct frame_zone zone;
    u32 n = 0;
    pfn frame = 0;
    ASSERT(frame_zone(SERVICE(SRV_FRAME), &(struct frame_zone_req){0}, 0, &rep) == 0);
    memcpy(&zone, ipc_tail(), sizeof zone);
    for (u32 order = 0; order < MAX_ORDER - 1; order++)
        for (u64 left = zone.free_blocks[order]; left; left--) {
            ASSERT(n < ARRAY_LEN(eaten) && (eaten[n].first = alloc_pages(GFP_DMA, order)));
            eaten[n++].order = order;
        }
    for (u32 i = 0; i < RUNS; i++) {
        MEASURE(i, frame = alloc_pages(GFP_DMA, 0));
        ASSERT(frame % 512 == 511);
        drain_magazines();
        __free_page(frame); /* goes into the magazine; */
        drain_magazines();  /* and to frame */
    }
    report("split_9", 1);
    for (u32 i = 0; i < RUNS; i++) {
        frame = alloc_pages(GFP_DMA, 0);
        __free_page(frame);
        MEASURE(i, drain_magazines());
    }
    report("merge_9", 1);
    while (n--)
        __free_pages(eaten[n].first, eaten[n].order);
    drain_magazines();
    for (u32 i = 0; i < RUNS; i++) {
        MEASURE(i, frame = alloc_pages(GFP_DMA, 0));
        __free_page(frame);
        drain_magazines();
    }
    report("frame_dma", 1);
}

int main(void) {
    log_name("bench");
    ASSERT(frame_client_init() == 0);
    find_overhead();
    magazine_hits();
    refills();
    blocks();
    worst_split_and_merge();
    log_line("bench done");
    (void)sys_notify(SERVICE(SRV_ROOT), ROOT_EXIT(0));
    for (;;)
        ipc_sleep(SLOT_ENDPOINT, 0);
}

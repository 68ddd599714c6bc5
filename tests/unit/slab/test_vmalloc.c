/* SPDX-License-Identifier: MIT */
/* vmalloc: places, guard pages, frames, and failures, against a map of pages. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include <abi/errors.h>
#include <abi/layout.h>
#include <ipc/frame.h>
#include <ipc/vmalloc.h>

#include "kmem_checks.h"
#include "model/seed.h"
#include "vmalloc_port.h"

enum { PAGES = 4096, FRAMES = 3000 };

static pfn page[PAGES]; /* the frame mapped at HEAP_BASE + i pages; 0: none */
static pfn stack[FRAMES];
static u32 frames, asked; /* asked: how often for a frame */
static i64 map_fails_after = -1;

pfn alloc_pages(u32 gfp_mask, u32 order) {
    CHECK(gfp_mask == GFP_HIGHUSER && order == 0);
    asked++;
    return frames ? stack[--frames] : 0;
}

void __free_pages(pfn first, u32 order) {
    CHECK(order == 0 && frames < FRAMES);
    stack[frames++] = first;
}

static pfn *page_at(vaddr at) {
    CHECK(at >= HEAP_BASE && at % PAGE_BYTES == 0 && (at - HEAP_BASE) / PAGE_BYTES < PAGES);
    return &page[(at - HEAP_BASE) / PAGE_BYTES];
}

err vport_map(vaddr at, const pfn *list, u32 n) {
    CHECK(n && n <= VMALLOC_BATCH);
    if (map_fails_after == 0)
        return -E_NOMEM;
    map_fails_after -= map_fails_after > 0;
    for (u32 i = 0; i < n; i++) {
        CHECK(!page_at(at)[i] && list[i]);
        page_at(at)[i] = list[i];
    }
    return 0;
}

void vport_unmap(vaddr at, u32 n, pfn *list) {
    CHECK(n && n <= VMALLOC_BATCH);
    for (u32 i = 0; i < n; i++) {
        CHECK(page_at(at)[i]);
        list[n - 1 - i] = page_at(at)[i];
        page_at(at)[i] = 0;
    }
}

static void begin(void) {
    world_begin(SRV_CACHE);
    cr_assert_eq(kmem_cache_init(), 0);
    while (frames < FRAMES) {
        stack[frames] = 1000 + frames;
        frames++;
    }
}

TestSuite(vmalloc, .init = begin, .fini = world_check, .timeout = 240);

static vaddr place(u64 number) {
    return HEAP_BASE + number * PAGE_BYTES;
}

Test(vmalloc, first_fit_with_guard_pages) {
    void *a = vmalloc(1), *b = vmalloc(3 * PAGE_BYTES), *c = vmalloc(PAGE_BYTES + 1), *d;
    cr_assert((vaddr)a == place(0) && (vaddr)b == place(2) && (vaddr)c == place(6));
    cr_assert(page[0] && !page[1] && page[2] && page[4] && !page[5] && page[6] && page[7] && !page[8]);
    vfree(b);
    cr_assert(!page[2] && !page[4]);
    cr_assert_eq((vaddr)(d = vmalloc(4 * PAGE_BYTES)), place(9), "the gap of 4 has no room for a guard page");
    cr_assert_eq((vaddr)vmalloc(PAGE_BYTES), place(2));
    cr_assert_eq((vaddr)vmalloc(PAGE_BYTES), place(4));
    vfree(a);
    cr_assert_eq((vaddr)vmalloc(PAGE_BYTES), place(0));
    vfree(d);
    vfree(NULL);
    cr_assert_eq(frames, FRAMES - 5);
}

Test(vmalloc, bad_sizes) {
    cr_assert_null(vmalloc(0));
    cr_assert_null(vmalloc(~0ull));
    cr_assert_null(vmalloc(HEAP_END - HEAP_BASE));
    cr_assert_eq(frames, FRAMES);
}

/* The largest area there can be has a place, though not the frames; beside another it has none. */
Test(vmalloc, no_place) {
    const u64 all = HEAP_END - HEAP_BASE - PAGE_BYTES;
    cr_assert_null(vmalloc(all));
    cr_assert_gt(asked, FRAMES);
    void *other = vmalloc(1);
    cr_assert_eq((vaddr)other, place(0));
    asked = 0;
    cr_assert_null(vmalloc(all));
    cr_assert_null(vmalloc(all - PAGE_BYTES));
    cr_assert_eq(asked, 0, "no frame is asked for");
    vfree(other);
    cr_assert_eq(frames, FRAMES);
}

Test(vmalloc, no_memory_leaves_nothing_behind) {
    world.fail_after = 0;
    cr_assert_null(vmalloc(1), "not even a descriptor");
    world.fail_after = -1;
    cr_assert_null(vmalloc((FRAMES + 1) * PAGE_BYTES));
    cr_assert_eq(frames, FRAMES);
    for (i64 batches = 0; batches < 3; batches++) {
        map_fails_after = batches;
        cr_assert_null(vmalloc(3 * VMALLOC_BATCH * PAGE_BYTES + 1));
    }
    map_fails_after = 0;
    cr_assert_null(vmalloc(1));
    map_fails_after = -1;
    cr_assert_eq(frames, FRAMES);
    for (u32 i = 0; i < PAGES; i++)
        cr_assert_eq(page[i], 0);
    cr_assert_eq((vaddr)vmalloc(FRAMES * PAGE_BYTES), place(0), "the place is free again");
}

Test(vmalloc, vfree_of_what_is_no_area, .signal = SIGABRT) {
    vfree((char *)vmalloc(2 * PAGE_BYTES) + PAGE_BYTES);
}

/* A million operations; area k's pages are known to be its own. */
enum { STEPS = 1000000, AREAS = 200 };

static struct {
    vaddr at;
    u64 pages;
    pfn first, last;
} area[AREAS];

static u64 first_gap(u64 pages) {
    static bool taken[PAGES + 64];
    memset(taken, 0, sizeof taken);
    for (u32 i = 0; i < AREAS; i++)
        if (area[i].at)
            memset(taken + (area[i].at - HEAP_BASE) / PAGE_BYTES, 1, area[i].pages + 1);
    for (u64 at = 0, run = 0;; at++) {
        run = taken[at] ? 0 : run + 1;
        if (run == pages + 1)
            return at - pages;
    }
}

static void take(u32 i, u64 pages, bool look) {
    u64 gap = look ? first_gap(pages) : 0;
    vaddr at = (vaddr)vmalloc(pages * PAGE_BYTES - 7);
    CHECK(at && (!look || at == place(gap)));
    for (u64 k = 0; k < pages; k++)
        CHECK(page_at(at)[k]);
    CHECK(!page_at(at)[pages]);
    area[i].at = at;
    area[i].pages = pages;
    area[i].first = page_at(at)[0];
    area[i].last = page_at(at)[pages - 1];
}

static void give_back(u32 i) {
    CHECK(page_at(area[i].at)[0] == area[i].first && page_at(area[i].at)[area[i].pages - 1] == area[i].last);
    vfree((void *)area[i].at);
    area[i].at = 0;
}

Test(vmalloc, random_against_model) {
    u64 seed = seed_begin(0x7a11), used = 0;
    for (u32 step = 0; step < STEPS; step++) {
        u32 i = (u32)seed_next(&seed, AREAS);
        if (area[i].at) {
            used -= area[i].pages;
            give_back(i);
        } else if (used < FRAMES / 2) {
            u64 pages = 1 + seed_next(&seed, seed_next(&seed, 20) ? 8 : 200);
            take(i, pages, step % 100 == 0);
            used += pages;
        }
        CHECK(frames == FRAMES - used);
    }
    for (u32 i = 0; i < AREAS; i++)
        if (area[i].at)
            give_back(i);
    cr_assert_eq(frames, FRAMES);
}

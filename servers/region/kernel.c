/* SPDX-License-Identifier: MIT */
/* The kernel's range calls for slice.c, and the way of frames back from programs into the magazine. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <string.h>

#include "shell.h"

#define COLLECT_BATCH 64

static void frame_came_back(pfn frame) {
    shell.frames_out--;
    __free_page(frame);
}

/* A former table: its page is zero. As many as the next spaces need are kept apart, so that the kernel need
 * not clear what becomes a table again. */
static void table_came_back(pfn frame) {
    if (shell.zeroed_count == ZEROED_MAX || shell.zeroed_drained) {
        frame_came_back(frame);
        return;
    }
    shell.frames_out--;
    shell.zeroed[shell.zeroed_count++] = frame;
}

pfn frame_for_table(void) {
    shell.zeroed_drained = false;
    return shell.zeroed_count ? shell.zeroed[--shell.zeroed_count] : alloc_page(GFP_HIGHUSER);
}

pfn frame_for_page(void) {
    pfn frame = alloc_page(GFP_HIGHUSER);
    return frame || !shell.zeroed_count ? frame : shell.zeroed[--shell.zeroed_count];
}

void zeroed_drain(void) {
    shell.zeroed_drained = true;
    while (shell.zeroed_count)
        __free_page(shell.zeroed[--shell.zeroed_count]);
}

static u32 records_of(struct pair p) {
    return (u32)p.second;
}
static enum stop stop_of(struct pair p) {
    return (enum stop)(p.second >> 32);
}

static i64 k_unmap(void *self, u32 space, vaddr first, u64 pages, u64 *freed) {
    (void)self;
    struct range_record records[AREA_WORDS / 2];
    struct pair p = sys_unmap(space, first, pages, 0);
    ASSERT(p.r > 0 && records_of(p) <= ARRAY_LEN(records));
    /* Freeing may call frame, which uses the area. */
    memcpy(records, ipc_area(), records_of(p) * sizeof records[0]);
    for (u32 i = 0; i < records_of(p); i++) {
        ASSERT((records[i].address & PAGE_MASK) == RECORD_FRAME);
        if (FRAME_OF(records[i].value) != shell.ctx.zero_page)
            frame_came_back(FRAME_OF(records[i].value));
    }
    *freed += records_of(p);
    return p.r;
}

static i64 k_protect(void *self, u32 space, vaddr first, u64 pages, u64 rights) {
    (void)self;
    struct pair p = sys_protect(space, first, pages, rights);
    ASSERT(p.r > 0);
    return p.r;
}

static i64 k_clone(void *self, u32 from, u32 to, vaddr first, u64 pages, bool private) {
    (void)self;
    struct pair p = private ? sys_clone_private(from, to, first, pages) : sys_clone(from, to, first, pages);
    if (p.r < 0 || (vaddr)p.r != first)
        return p.r;
    return stop_of(p) == STOP_TABLES ? -E_NEED_TABLES : -E_NOMEM;
}

static i64 k_scan(void *self, u32 space, vaddr first, u64 pages, u64 *resident) {
    (void)self;
    struct pair p = sys_scan(space, first, pages, 0);
    ASSERT(p.r > 0);
    *resident += records_of(p);
    return p.r;
}

err tables_feed(u32 slot, u32 count) {
    u64 list[FEED_MAX];
    u32 have = 0;
    ASSERT(count <= FEED_MAX);
    while (have < count && (list[have] = frame_for_table()))
        have++;
    memcpy(ipc_area(), list, have * sizeof list[0]);
    err fed = have ? sys_feed(slot, have) : 0;
    ASSERT(fed == (err)have);
    shell.frames_out += have;
    return have == count ? 0 : -E_NOMEM;
}

static i64 k_feed(void *self, u32 space) {
    (void)self;
    err e = tables_feed(space, TABLES_FEED);
    return e < 0 ? e : TABLES_FEED;
}

static u64 k_unfeed(void *self, u32 space, u64 count) {
    (void)self;
    u64 list[FEED_MAX], all = 0;
    while (count > 0) {
        err n = sys_unfeed(space, MIN(count, FEED_MAX));
        ASSERT(n >= 0 && n <= FEED_MAX);
        if (n == 0)
            break;
        memcpy(list, ipc_area(), (u64)n * sizeof list[0]);
        for (err i = 0; i < n; i++)
            table_came_back(list[i]);
        all += (u64)n;
        count -= (u64)n;
    }
    return all;
}

static i64 k_entries(void *self, u32 space, vaddr first, u64 pages, struct range_record *entry, u64 *count) {
    (void)self;
    struct pair p = sys_scan(space, first, pages, 0);
    const struct range_record *record = (const struct range_record *)ipc_area();
    u32 n = records_of(p);
    ASSERT(p.r > 0);
    *count = MIN(n, MOVE_PAGES);
    memcpy(entry, record, *count * sizeof *entry);
    return n > MOVE_PAGES ? (i64)(record[MOVE_PAGES].address & ~PAGE_MASK) : p.r;
}

static u64 k_map(void *self, u32 space, const struct map_item *items, u64 count, err *why) {
    (void)self;
    memcpy(ipc_area(), items, count * sizeof *items);
    struct pair p = sys_map(space, count);
    *why = (err)p.second;
    return p.r < 0 ? 0 : (u64)p.r;
}

static err k_destroy(void *self, u32 space) {
    (void)self;
    err e = sys_destroy(space);
    if (e == 0)
        slot_free(space);
    return e;
}

void kernel_init(void) {
    shell.kernel = (struct vm_kernel){NULL,   k_unmap,  k_protect, k_clone, k_scan,
                                      k_feed, k_unfeed, k_entries, k_map,   k_destroy};
}

bool collect_some(void) {
    struct frame_record records[COLLECT_BATCH];
    err n = sys_collect(SLOT_ACCOUNT, COLLECT_BATCH);
    ASSERT(n >= 0 && n <= COLLECT_BATCH);
    memcpy(records, ipc_area(), (u64)n * sizeof records[0]);
    for (err i = 0; i < n; i++) {
        bool mapped = SHARES_OF(records[i].counts) || OWN_OF(records[i].counts) || PINS_OF(records[i].counts);
        if (mapped || FRAME_OF(records[i].id) == shell.ctx.zero_page)
            continue;
        if (FLAGS_OF(records[i].id) & FRAME_ZEROED)
            table_came_back(FRAME_OF(records[i].id));
        else
            frame_came_back(FRAME_OF(records[i].id));
    }
    return n == COLLECT_BATCH;
}

/* SPDX-License-Identifier: MIT */
/* Frames for the logic: from the magazine of mapped ones, and the kernel's counts of who maps them. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/slab.h>

#include "reclaim.h"
#include "shell.h"

_Static_assert((u32)RECLAIM_BATCH <= LIST_MAX, "one call tells about a batch");

pfn memory_alloc(void *ctx) {
    (void)ctx;
    vaddr at = __get_free_page(GFP_HIGHUSER);
    return at ? virt_to_pfn((const void *)at) : 0;
}

void memory_free(void *ctx, pfn frame) {
    (void)ctx;
    free_page((vaddr)pfn_to_virt(frame));
}

void *memory_address(void *ctx, pfn frame) {
    (void)ctx;
    return pfn_to_virt(frame);
}

/* A frame that waits on the collect list can't be given away: so the list is emptied before anybody looks. */
static void empty_collect_list(void) {
    err n;
    do {
        n = sys_collect(SLOT_ACCOUNT, LIST_MAX);
        ASSERT(n >= 0);
    } while (n > 0);
}

void memory_mapped(void *ctx, const pfn *frames, u32 n, bool *mapped) {
    (void)ctx;
    empty_collect_list();
    for (u32 i = 0; i < n; i++)
        ipc_area()[i] = frames[i];
    err e = sys_frames_list(n, 0);
    ASSERT(e == (err)n);
    const struct frame_record *record = (const struct frame_record *)ipc_area();
    for (u32 i = 0; i < n; i++)
        mapped[i] = SHARES_OF(record[i].counts) || PINS_OF(record[i].counts);
}

void memory_yield(void *ctx) {
    (void)ctx;
    (void)sys_yield();
}

void memory_drain(void) {
    (void)kmem_cache_drain(); /* how much went is not asked here */
    (void)drain_magazines();
}

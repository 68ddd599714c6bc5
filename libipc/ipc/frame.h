/* SPDX-License-Identifier: MIT */
/* Page frames, client side: frames of the frame server for this server's own account.
 *
 * Frames come in two kinds, and the name of the function says which:
 *   - alloc_pages, __free_pages: by frame number, *not mapped here*. For pages of programs, page tables,
 * kernel objects. Contents are undefined (the kernel zeroes what a program is to see: "zero it" in a fault's
 * answer).
 *   - __get_free_pages, free_pages: by address, mapped readable and writable in this server's own window,
 * where frame n lies at frame_window + n * PAGE_BYTES. kmap and kunmap change one into the other.
 *
 * Single frames pass through two magazines (one mapped, one not), which are filled and drained in batches:
 * the usual allocation is a pop without IPC. A refill is a call down to frame, answered within a bound: it
 * may let other threads of this server run, so re-check after it what you relied on. Requests of an order
 * above 0 and those for the DMA zone always ask frame; so do, on a machine with High memory, those for which
 * it will not do, if the magazine's next few frames are all High.
 *
 * Frame 0 is never handed out: 0 stands for "none". Failure is an answer, never a wait. */
#pragma once

#include <abi/types.h>
#include <ipc/gfp.h>
#include <proto/frame.def>

/* Where frame 0 would be mapped in this server. Set once, by frame_client_init. */
extern char *frame_window;

/* Connect to the frame server and find out how large the magazines may be. Call once, first of all that may
 * allocate. Returns 0 or an error of the call to frame. */
err frame_client_init(void) must_check;

/* 1 << order contiguous frames, aligned to their size, not mapped here, as their first frame's number; 0 if
 * there are none, if order >= MAX_ORDER, or if gfp_mask has unknown bits. */
pfn alloc_pages(u32 gfp_mask, u32 order) must_check;

/* Give back what alloc_pages gave, with the same order. The frames must not be mapped, pinned or queued
 * anywhere, nor given back twice: of a single frame this is found out only when it comes to frame out of the
 * magazine, and is fatal then; frame cannot see one that the magazine hands out again before. */
void __free_pages(pfn first, u32 order);

/* The same for one frame. */
static inline must_check pfn alloc_page(u32 gfp_mask) {
    return alloc_pages(gfp_mask, 0);
}
static inline void __free_page(pfn frame) {
    __free_pages(frame, 0);
}

/* 1 << order contiguous frames, aligned, mapped in this server; their address, or 0 if there are none. */
vaddr __get_free_pages(u32 gfp_mask, u32 order) must_check;

/* One frame, mapped; contents undefined. */
static inline must_check vaddr __get_free_page(u32 gfp_mask) {
    return __get_free_pages(gfp_mask, 0);
}

/* One frame, mapped and zeroed. */
vaddr get_free_page(u32 gfp_mask) must_check;

/* Give back what __get_free_pages or get_free_page gave, with the same order. No one else may map it or pin
 * it. */
void free_pages(vaddr address, u32 order);
static inline void free_page(vaddr address) {
    free_pages(address, 0);
}

/* One more user of a block that alloc_pages or __get_free_pages gave: of its frees all but the last only
 * lower the count. The counts are this server's own affair and kept here, as few blocks have more than one
 * user; other servers see frames only by mappings, which the kernel counts. -E_NOMEM: FRAME_SHARED_MAX blocks
 * have more than one user already. */
#define FRAME_SHARED_MAX 32
err get_page(pfn first) must_check;
/* Its users: 1, or more after get_page. */
u32 page_count(pfn first);

/* Map an own frame at its place in the window. Returns its address, or NULL if the space's page tables cannot
 * be extended (no frames). */
void *kmap(pfn frame) must_check;

/* Undo kmap, or turn a frame of __get_free_pages into an unmapped one (before it is fed, retyped or given
 * away). */
void kunmap(pfn frame);

/* Between an address in the window and its frame. */
static inline void *pfn_to_virt(pfn frame) {
    return frame_window + (frame << PAGE_SHIFT);
}
static inline pfn virt_to_pfn(const void *address) {
    return (pfn)((const char *)address - frame_window) >> PAGE_SHIFT;
}

/* MAGAZINES_PAGE: the linker knows where it is. For the two functions below alone. */
extern struct frame_magazines frame_magazines;

/* What alloc_page(GFP_HIGHUSER) would give, if that needs no call to frame; else 0. Never waits. */
static inline must_check pfn frame_pop(void) {
    struct frame_magazine *m = &frame_magazines.unmapped;
    return m->count ? m->frames[--m->count] : 0;
}
/* __free_page, where that needs no call to frame; else false, and nothing has happened. Never waits. */
static inline must_check bool frame_push(pfn frame) {
    struct frame_magazine *m = &frame_magazines.unmapped;
    if (m->count >= m->limit)
        return false;
    m->frames[m->count++] = (u32)frame;
    return true;
}

/* Make sure that the next `count` calls of alloc_page(GFP_HIGHUSER) are served without a refill (and so
 * cannot fail). Returns 0, or -E_NOMEM (also if count is more than a magazine holds: FRAME_RESERVE_MAX always
 * fits). */
#define FRAME_RESERVE_MAX 16
err frame_reserve(u32 count) must_check;

/* Give all frames in the magazines, and those of unused page tables, back to the frame server: when it asks
 * to (its notification), and on drop_caches. Returns how many. */
u64 drain_magazines(void);

/* Frames in the magazines now. */
u64 frame_held(void);

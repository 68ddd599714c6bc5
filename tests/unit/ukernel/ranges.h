/* SPDX-License-Identifier: MIT */
/* Random ranges of the model's pages, and range calls repeated until they are through. */
#pragma once

#include "model.h"
#include <criterion/criterion.h>

/* The page itself or one of the next ones. */
static inline u32 page_after(u32 p, u64 reach) {
    u64 q = p + rnd(reach);
    return (u32)MIN(q, (u64)PAGES - 1);
}

static inline void some_range(u32 *lo, u32 *hi) {
    *lo = (u32)rnd(PAGES);
    *hi = page_after(*lo, rnd(5) ? 6 : PAGES);
}

/* One range call repeated until its end: each step must make progress. */
typedef struct range_result range_call(const struct window *w, vaddr first, u64 count, u64 argument,
                                       u64 *area);
static inline u64 repeat(range_call *call, const struct window *w, u32 lo, u32 hi, u64 argument) {
    u64 records = 0;
    vaddr end = pages[hi] + PAGE_BYTES;
    for (vaddr at = pages[lo]; at < end;) {
        struct range_result r = call(w, at, (end - at) >> PAGE_SHIFT, argument, word_area);
        cr_assert(r.next > (i64)at && r.next <= (i64)end, "no progress: %ld", r.next);
        at = (vaddr)r.next;
        records += r.records;
    }
    return records;
}

static inline struct range_result protect_call(const struct window *w, vaddr first, u64 count, u64 rights,
                                               u64 *area) {
    (void)area;
    return mm_protect(w, first, count, rights);
}

static inline struct range_result scan_call(const struct window *w, vaddr first, u64 count, u64 flags,
                                            u64 *area) {
    return mm_scan(w->space, first, count, flags, area);
}

/* SPDX-License-Identifier: MIT */
/* Lists of single frames as runs of neighbours: what give and the batches of the frame protocol take. */
#pragma once

#include <proto/frame.def>

struct runs {
    u32 count;                /* words in use */
    u64 word[FRAME_RUNS_MAX]; /* FRAME_RUN */
};

/* Adds frames: to the last run, if they adjoin it at either end. False, and nothing has happened, if there is
 * no room. */
static inline bool runs_add(struct runs *r, pfn first, u64 frames) {
    if (r->count) {
        u64 *last = &r->word[r->count - 1];
        pfn begin = RUN_FIRST(*last);
        u64 length = RUN_COUNT(*last);
        if (first == begin + length || first + frames == begin) {
            *last = FRAME_RUN(MIN(first, begin), length + frames);
            return true;
        }
    }
    if (r->count == FRAME_RUNS_MAX)
        return false;
    r->word[r->count++] = FRAME_RUN(first, frames);
    return true;
}

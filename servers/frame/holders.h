/* SPDX-License-Identifier: MIT */
/* Who holds which frames: requests of clients, checked, on top of the zones.
 *
 * Each allocated block records its holder. A free that is wrong in any way changes nothing, is counted at its
 * caller, and says what is wrong: -E_INVAL  order >= MAX_ORDER, unknown bits in the mask, no frames or too
 * many, a client number out of range -E_RANGE  no such frame, or a reserved one -E_STALE  no allocated block
 * begins there: freed already, or the middle of a block -E_OWNER  another client's block -E_KIND   the block
 * is of another order Failure to find memory is -E_NOMEM, and the client is remembered as starved until
 * frames are back. */
#pragma once

#include <abi/types.h>

#include <proto/frame.def>

#include "zone.h"

#define HOLDERS 16 /* clients are numbered below this */

struct holder {
    u64 frames;                              /* held now, magazines included */
    const struct frame_magazines *magazines; /* its page; NULL: it has none */
    u64 magazine[ZONES];    /* of its frames, in its magazines, when they were last looked into */
    u32 looked;             /* how many they held then */
    u64 allocs, frees;      /* blocks, ever */
    u64 failures, mistakes; /* requests that found no memory; requests that were wrong */
    u32 starved; /* by zone that was asked for, a bit: got no frame from it or below, and has not been told of
                    any */
};

struct holders {
    struct zones zones;
    struct holder holder[HOLDERS];
    bool starving; /* some holder is starved */
    /* The shell clears these when it has told: */
    bool wake;  /* reclaim should free memory */
    bool drain; /* a request failed: what is in magazines should come back */
};

/* A block of 1 << order frames for a client: its first frame. */
err holders_alloc(struct holders *h, u32 client, u64 gfp_mask, u64 order) must_check;

/* Up to `want` (1 to FRAME_BATCH_MAX) single frames, as runs. Returns how many: at least 1, or an error. */
err holders_alloc_batch(struct holders *h, u32 client, u64 gfp_mask, u64 want, struct runs *runs) must_check;

/* Whether a client may free this block: 0 or the error that holders_free would give. Counts nothing. */
err holders_check(const struct holders *h, u32 client, u64 first, u64 order) must_check;

/* A client's block becomes free. */
err holders_free(struct holders *h, u32 client, u64 first, u64 order) must_check;

/* Single frames come back, in two steps, so that the shell can look at them in between. First all are checked
 * and marked, or (one is wrong, or listed twice, or there are none or too many) none; then they become free,
 * or go unmarked again. */
err holders_mark(struct holders *h, u32 client, const struct runs *runs) must_check;
void holders_free_marked(struct holders *h, u32 client, const struct runs *runs);
void holders_unmark(struct holders *h, const struct runs *runs);

/* A client's magazines are here; it may write to them at any time. -E_INVAL: a client number out of range. */
err holders_attach(struct holders *h, u32 client, const struct frame_magazines *magazines) must_check;

/* Counts what lies in magazines, by zone. Requests do it themselves where it matters, for the magazines whose
 * fill has changed; figures that are to be true need all of them. Of a client whose magazines claim more than
 * it holds, none. */
void holders_look(struct holders *h, bool all);

/* Notes that a request of a client was wrong in a way that the shell found out. */
void holders_mistake(struct holders *h, u32 client);

/* The i-th frame of a client's magazine, or NO_PAGE if it is not a single frame of that client; false past
 * the last. */
bool holders_magazine_frame(const struct holders *h, u32 client, const struct frame_magazine *m, u32 i,
                            u32 *frame);

/* Which clients are to be told that frames are back (a bit for each); they count as told. 0 while memory is
 * short. */
u64 holders_take_relieved(struct holders *h);

/* How many frames a magazine may hold: 1/256 of the largest zone, at least FRAME_RESERVE_MAX and at most
 * MAGAZINE_MAX. */
u64 holders_magazine_limit(const struct holders *h);

/* Whether the zones are sound and each holder's count is the sum of its blocks. Slow. */
bool holders_audit(const struct holders *h);

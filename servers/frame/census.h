/* SPDX-License-Identifier: MIT */
/* A census of the frames of one slice of the machine, by state, out of mem_map and the kernel's frame table;
 * and whether the two agree:
 *   - a free frame belongs to frame's account and is in no use;
 *   - a frame in use belongs to its holder's account (or to frame's: given back, and not yet told);
 *   - only reserved frames are not RAM, or in no account that is known here;
 *   - a frame is in one magazine at most, once;
 *   - the blocks, lists and pair bits of mem_map are sound. */
#pragma once

#include <abi/info.h>
#include <ipc/sys.h>

#include "holders.h"

struct census {
    const struct holders *holders;
    u32 first, count;             /* the slice */
    u8 account[FRAME_CENSUS_MAX]; /* whose, as enum server_id; 0: none that was shown */
    u8 kind[FRAME_CENSUS_MAX];    /* enum frame_kind, if it has an account */
    bool ram[FRAME_CENSUS_MAX];
    bool busy[FRAME_CENSUS_MAX];    /* mapped, pinned or queued */
    u8 magazines[FRAME_CENSUS_MAX]; /* how often it is in one */
};

/* The slice from `first` (a multiple of FRAME_CENSUS_MAX, below the machine's end) on. Which accounts are to
 * be shown: a bit for each, of which SRV_FRAME's last (frames may be given back meanwhile). */
u64 census_begin(struct census *c, const struct holders *h, u32 first);

/* A record of an account's frames; what lies outside the slice does not matter. */
void census_record(struct census *c, u32 whose, const struct frame_record *r);

/* The result. ram: where the machine has RAM. */
void census_end(struct census *c, const struct info_range *ram, u64 ranges, struct frame_census *out);

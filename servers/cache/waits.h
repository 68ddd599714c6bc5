/* SPDX-License-Identifier: MIT */
/* How many faults have waited for the disk, by memory descriptor: Linux calls them major. region, which knows
 * the descriptors, is not told when a forwarded fault is answered; so it sends a key along, and whoever wants
 * to know asks here with that key. Pure logic. */
#pragma once

#include <abi/types.h>

#define WAITS_PLACES                                                                                         \
    1024 /* as many as region has descriptors: a key's low bits are the descriptor's number */

struct waits {
    u64 total;
    struct {
        u64 key; /* 0: none yet */
        u64 count;
    } place[WAITS_PLACES];
};

/* A fault that came with this key has waited. A key takes the place of an older one with the same low
 * bits. */
void waits_count(struct waits *waits, u64 key);
/* How many with this key have; with key 0: all since boot. */
u64 waits_of(const struct waits *waits, u64 key);

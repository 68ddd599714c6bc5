/* SPDX-License-Identifier: MIT */
/* Seeded random numbers for a test: the seed is printed, and QUIRE_SEED overrides it. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include <abi/types.h>

static inline u64 seed_begin(u64 usual) {
    const char *set = getenv("QUIRE_SEED");
    u64 seed = set ? strtoull(set, NULL, 0) : usual;
    printf("QUIRE_SEED=%#llx\n", (unsigned long long)seed);
    return seed | 1;
}

/* xorshift64: a number below n. */
static inline u64 seed_next(u64 *state, u64 n) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (*state >> 11) % n;
}

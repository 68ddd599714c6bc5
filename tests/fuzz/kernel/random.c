/* SPDX-License-Identifier: MIT */
/* Random numbers, and what is picked by them. */
#include "fuzz.h"

static u64 state;

u64 rnd(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1d;
}

void random_seed(u64 seed, u64 of_episode) {
    state = (seed + 1) * 0x9e3779b97f4a7c15 ^ (of_episode + 1) * 0xd1342543de82ef95;
    if (!state)
        state = 1;
    for (u32 i = 0; i < 8; i++)
        rnd();
}

u64 pick(u64 n) {
    return (rnd() >> 16) % n;
}

bool chance(u64 n) {
    return pick(n) == 0;
}

/* Nothing that names a slot below W_WORLD but 0, or one with a copy. */
u64 wild(void) {
    static const u64 some[] = {0,           W_WORLD_END + 1, 1 << 20,    0xffffffff,   1ull << 32,
                               1ull << 47,  ~0ull,           1ull << 63, USER_END,     USER_END - PAGE_BYTES,
                               KERNEL_BASE, PHYS_BASE,       0x10000001, GIVE_LIST - 1};
    switch (pick(4)) {
    case 0:
        return W_WORLD + pick(W_WORLD_END - W_WORLD);
    case 1:
        return rnd() | 1ull << 40;
    default:
        return some[pick(ARRAY_LEN(some))];
    }
}

vaddr some_address(void) {
    static const vaddr windows[] = {0x10000000, 0x10200000, 0x10400000, 0x7fffff000000};
    vaddr at = windows[pick(chance(8) ? 4 : 2)] + pick(chance(4) ? 512 : 24) * PAGE_BYTES;
    return chance(24) ? at + 1 + pick(PAGE_BYTES - 1) : at;
}

vaddr some_range(u64 *pages) {
    *pages = chance(8) ? pick(2000) : chance(40) ? wild() : pick(40);
    return chance(12) ? pick(USER_END >> PAGE_SHIFT) << PAGE_SHIFT : some_address();
}

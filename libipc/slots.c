/* SPDX-License-Identifier: MIT */
/* Free capability slots of this server: a bitmap over the slots that root left to it. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/server.h>
#include <ipc/space.h>

#define SLOTS_MAX (CAPTABLE_FRAMES_MAX * CAPS_PER_FRAME)

static u64 taken[SLOTS_MAX / 64];
static u32 hint = SLOT_FREE / 64; /* a word, perhaps with a free slot: where one was freed or taken last */

static bool find_word(void) {
    u32 words = MIN(server_slots, SLOTS_MAX) / 64;
    for (u32 word = SLOT_FREE / 64; word < words; word++) {
        if (~taken[word]) {
            hint = word;
            return true;
        }
    }
    return false;
}

u32 slot_alloc(void) {
    if (!~taken[hint] && !find_word())
        return 0;
    u32 bit = (u32)__builtin_ctzll(~taken[hint]);
    taken[hint] |= 1ull << bit;
    return hint * 64 + bit;
}

void slot_free(u32 slot) {
    ASSERT(slot >= SLOT_FREE && slot < server_slots && (taken[slot / 64] >> slot % 64 & 1));
    taken[slot / 64] &= ~(1ull << slot % 64);
    hint = slot / 64;
}
_Static_assert(SLOT_FREE % 64 == 0, "the bitmap's first word is root's");

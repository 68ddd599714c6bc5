/* SPDX-License-Identifier: MIT */
/* slab's message handlers: any messages of any clients in any order, memory that runs out, clients that write
 * into all that they see, and die. Records, mappings and frames must agree at all times. */
#include <stddef.h>
#include <string.h>

#include "model/slab_world.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t n);

enum { STEP_BYTES = 8, DIE = 0x20a, WRITE = 0x20b, LABELS = 12 };

/* A word that is often sensible: a small number, flags, an address in the window, or anything. */
static u64 word(u8 kind, u8 low, u8 high) {
    u64 value = low | (u64)high << 8;
    switch (kind % 5) {
    case 0:
        return low % 16;
    case 1:
        return value << 10;
    case 2:
        return SLAB_WINDOW + value % (WORLD_CHUNKS * CHUNK_PAGES) * PAGE_BYTES;
    case 3:
        return value * 0x9e3779b97f4a7c15ull;
    default:
        return value * 4;
    }
}

static void scribble(u32 client, u64 page, u8 with) {
    vaddr at = SLAB_WINDOW + page % (2 * CHUNK_PAGES) * PAGE_BYTES;
    if (world_frame_at(client, at))
        memset(world_at(client, at), with, PAGE_BYTES);
}

static void step(const u8 *b) {
    u32 client = b[0] % (SRV_COUNT + 1);
    u64 label = 0x200 + b[1] % LABELS, tail[MSG_TAIL_WORDS] = {0};
    u64 w[MSG_REG_WORDS] = {word(b[2], b[3], b[4]), word(b[5], b[6], b[4]), word(b[5] / 8, b[6], b[3])};
    bool is_client = client != SRV_NONE && client < SRV_COUNT;
    if (label == DIE || label == WRITE) {
        if (is_client && label == DIE && b[3] % 16 == 0)
            world_kill(client);
        else if (is_client)
            scribble(client, w[1], b[7]);
        return;
    }
    tail[0] = 'a' + b[7] % 8;
    tail[2] = b[7] == 255 ? ~0ull : 0; /* a name without an end */
    world.fail_after = b[7] % 8 == 7 ? b[7] / 64 : -1;
    err e = world_call(client, label, w, tail, b[7] % 16 ? KMEM_NAME_BYTES / 8 : 0);
    if (label == slab_label_bury && !e)
        world.dead[word(b[2], b[3], b[4])] = false; /* it may start again */
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t n) {
    world_begin(SRV_LINUX);
    for (; n >= STEP_BYTES; n -= STEP_BYTES, bytes += STEP_BYTES)
        step(bytes);
    world_check();
    return 0;
}

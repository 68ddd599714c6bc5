/* SPDX-License-Identifier: MIT */
/* The frame server on the host: its message handlers over a model of the kernel's frame table, on a machine
 * of 1,636 frames with all three zones. For the tests of messages and for the fuzzer. */
#pragma once

#include <abi/layout.h>

#include "serve.h"

enum { WORLD_FRAMES = 1636, WORLD_DMA_END = 512, WORLD_NORMAL_END = 1024, WORLD_RESERVED = 16 };
/* Of the reserved frames the first three are no RAM, the next four root's, the rest the kernel's. */
enum { WORLD_HOLE = 3, WORLD_ROOT = 4 };

struct world {
    u8 owner[WORLD_FRAMES];  /* by frame: the account it belongs to, as enum server_id */
    u8 mapped[WORLD_FRAMES]; /* by frame: some space maps it */
    u8 kind[WORLD_FRAMES];   /* by frame: enum frame_kind */
    struct frame_magazines magazines[SRV_COUNT];
    u64 notified[SRV_COUNT]; /* bits set so far */
    u64 gone;                /* clients whose accounts have ended: a bit for each */
    u32 logged;              /* lines */
    bool damaged;            /* by the test: mem_map need not agree any more */
    bool lied;               /* some client about its magazines */
    u64 tail[MSG_TAIL_WORDS];
    u32 tail_words; /* of the last answer */
};
extern struct world world;

/* The server as after its start. */
void world_begin(void);

/* One message, with world.tail as its tail; the answer's words are in w. Aborts if an error has changed
 * anything, or the server's descriptors and the model no longer agree. */
err world_call(u32 client, u64 label, u64 w[MSG_REG_WORDS], u32 tail_words);

/* Frames from an account to that of frame; false, and none, if one is not its or is mapped. */
bool world_give_back(u32 client, u64 first, u64 count);

/* The census of all frames; aborts if the slices do not fit together. */
struct frame_census world_census(void);

/* Whether each free frame is frame's, each frame in use its holder's or (given back, not yet told) frame's,
 * and the logic's own audit passes. */
bool world_is_sound(void);

/* Any bytes as a sequence of messages and of what clients may do meanwhile, right and wrong. Aborts if
 * something breaks. */
void world_play(const u8 *bytes, size_t n);

/* SPDX-License-Identifier: MIT */
/* The slab server's handlers in process, with clients whose windows are real mappings of a model's frames: a
 * frame that the server maps for a client is the same memory that the server sees, and an access to what is
 * not mapped is a fault of the test. Also the port of one client (libipc/kmem_port.h). */
#pragma once

#include "handlers.h"
#include "kmem.h"
#include "kmem_port.h"

enum { WORLD_FRAMES = 8192, WORLD_DMA_FRAMES = 1024, WORLD_CHUNKS = 16 };

struct slab_world {
    u32 me;                /* the client whose port it is */
    u64 in_use;            /* frames */
    u32 grows, releases;   /* calls of the port */
    i64 fail_after;        /* requests for frames after the next n fail; -1: none */
    bool dead[SRV_COUNT];  /* the client's space is gone */
    u32 drains;            /* clients asked to drain: a bit for each */
    void (*on_call)(void); /* "another thread", once, while a call of the port waits */
    struct kmem_bug bug;   /* the last one told */
    u32 bugs;
};
extern struct slab_world world;

/* Everything anew: no client is attached, the port is client `me`'s. */
void world_begin(u32 me);

/* A message: words are the request's, and then the answer's; tail: MSG_TAIL_WORDS of it. */
err world_call(u32 client, u64 label, u64 words[MSG_REG_WORDS], u64 *tail, u32 tail_words);

/* Where a page of a client's window is seen by the test. */
char *world_at(u32 client, vaddr at);

/* The client's space goes, with all its mappings. */
void world_kill(u32 client);

bool world_is_pinned(pfn frame);
/* The frame mapped at an address of the client's; 0: none. */
pfn world_frame_at(u32 client, vaddr at);

/* Checks the server's records against the mappings and frames; aborts if they differ. */
void world_check(void);

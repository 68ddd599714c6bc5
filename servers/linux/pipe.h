/* SPDX-License-Identifier: MIT */
/* A pipe's ring: PIPE_PAGES pages, each taken when a write enters it and given back when the reader leaves
 * it; an idle pipe holds the one that it is in. Bytes are moved by the caller, straight between a program and
 * the spans that are named here; nothing counts as written or read before it is committed. Uses <ipc/frame.h>
 * for pages only. */
#pragma once

#include <abi/types.h>

#define PIPE_PAGES 16
#define PIPE_BYTES (PIPE_PAGES * PAGE_BYTES)

struct pipe_ring {
    u64 head, tail;         /* bytes ever written and read; head - tail <= PIPE_BYTES */
    vaddr page[PIPE_PAGES]; /* 0: none */
};

static inline u64 pipe_used(const struct pipe_ring *p) {
    return p->head - p->tail;
}
static inline u64 pipe_room(const struct pipe_ring *p) {
    return PIPE_BYTES - pipe_used(p);
}

/* Where bytes from `ahead` past the head go: a span inside one page of at most `most` bytes; its length is
 * the result. 0: no room. -E_NOMEM: no page for it. */
i64 pipe_write_span(struct pipe_ring *p, u64 ahead, u64 most, char **at) must_check;
void pipe_written(struct pipe_ring *p, u64 bytes);
/* The next bytes to read: a span inside one page of at most `most` bytes, beginning `ahead` past the tail. 0:
 * empty. */
u64 pipe_read_span(const struct pipe_ring *p, u64 ahead, u64 most, const char **at);
void pipe_consumed(struct pipe_ring *p, u64 bytes);
/* Gives all pages back. */
void pipe_release(struct pipe_ring *p);

/* SPDX-License-Identifier: MIT */
/* A queue of bytes of fixed size. head and tail count bytes ever put and taken; they wrap. */
#pragma once

#include <abi/types.h>

#define FIFO_BYTES 4096u

_Static_assert((FIFO_BYTES & (FIFO_BYTES - 1)) == 0, "positions wrap at a power of two");

struct fifo {
    u32 head, tail;
    u8 data[FIFO_BYTES];
};

static inline u32 fifo_used(const struct fifo *f) {
    return f->head - f->tail;
}
static inline u32 fifo_room(const struct fifo *f) {
    return FIFO_BYTES - fifo_used(f);
}
/* False, and nothing changed, if it is full. */
static inline bool fifo_put(struct fifo *f, u8 byte) {
    if (fifo_room(f) == 0)
        return false;
    f->data[f->head++ % FIFO_BYTES] = byte;
    return true;
}
/* The next byte; -1: none. */
static inline int fifo_get(struct fifo *f) {
    return fifo_used(f) ? f->data[f->tail++ % FIFO_BYTES] : -1;
}
static inline void fifo_clear(struct fifo *f) {
    f->tail = f->head;
}

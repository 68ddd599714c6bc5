/* SPDX-License-Identifier: MIT */
/* The trace ring: CTF 1.8 packets in frames set aside at boot (docs/tracing.md). One writer, interrupts off;
 * the oldest packet is overwritten. Masked off by default; a masked event costs one test of `trace_mask`. */
#pragma once

#include <abi/trace.h>

/* Bit = enum trace_kind. Also shown in the information page. */
extern u64 trace_mask;

static inline bool trace_on(enum trace_kind kind) {
    return __builtin_expect((trace_mask & 1ull << kind) != 0, 0);
}

/* Use `frames` frames from physical address `ring` on (0 frames: no ring, and the mask stays 0). */
void trace_init(u64 ring, u64 frames);

/* The call trace_mask. */
void trace_set_mask(u64 mask);

/* Append an event; call only if trace_on(kind). tid: frame of the running thread. */
void trace_write(enum trace_kind kind, u32 tid, const u64 payload[6]);

/* Append an event of up to six words, if its kind is on; the rest is 0. */
#define trace(kind, tid, ...)                                                                                \
    do {                                                                                                     \
        if (trace_on(kind))                                                                                  \
            trace_write(kind, tid, (const u64[6]){__VA_ARGS__});                                             \
    } while (0)

/* SPDX-License-Identifier: MIT */
/* The trace ring: CTF 1.8 packets in frames set aside at boot (docs/tracing.md). One writer, interrupts off;
 * the oldest packet is overwritten. Masked off by default; a masked event costs one test of `trace_mask`. */
#pragma once

#include "arch/cpu.h"
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

/* The packet that is being filled. */
struct trace_now {
    struct trace_packet *packet;
    struct trace_event *next, *end; /* never equal, once a packet has been begun */
};
extern struct trace_now trace_now;
void trace_next_packet(void);

/* Begin an event of the running thread (tid: its frame); returns where its six words go. It counts once
 * content_size covers it. Inline: what a call would have to save costs more than the rest. */
static inline u64 *trace_begin(enum trace_kind kind, u32 tid) {
    u64 now = rdtsc();
    struct trace_event *e = trace_now.next++;
    e->timestamp = trace_now.packet->timestamp_end = now;
    e->id = kind;
    e->tid = tid;
    return e->payload;
}

/* Append an event of up to six words, if its kind is on; the rest is 0. */
#define trace(kind, tid, ...)                                                                                \
    do {                                                                                                     \
        if (trace_on(kind)) {                                                                                \
            *(struct trace_words *)trace_begin(kind, tid) = (struct trace_words){{__VA_ARGS__}};             \
            __atomic_signal_fence(__ATOMIC_RELEASE);                                                         \
            trace_now.packet->content_size += sizeof(struct trace_event) * 8;                                \
            if (__builtin_expect(trace_now.next == trace_now.end, 0))                                        \
                trace_next_packet(); /* at the end, where least has to be saved over it */                   \
        }                                                                                                    \
    } while (0)
struct trace_words {
    u64 words[6];
};

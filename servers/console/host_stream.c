/* SPDX-License-Identifier: MIT */
#include "host_stream.h"

#include <abi/errors.h>

/* Between two chunks: reads the next head if all of it is there. */
static void next_chunk(struct host_stream *s, struct fifo *from) {
    if (s->left || s->ended || s->broken || fifo_used(from) < 2)
        return;
    u32 low = (u32)fifo_get(from);
    u32 length = low | (u32)fifo_get(from) << 8;
    s->ended = length == 0;
    s->broken = length > LAUNCH_CHUNK_BYTES;
    s->left = s->broken ? 0 : length;
}

bool host_stream_readable(struct host_stream *s, struct fifo *from) {
    next_chunk(s, from);
    return s->ended || s->broken || (s->left && fifo_used(from));
}

err host_stream_read(struct host_stream *s, struct fifo *from, void *to, u32 max) {
    u8 *bytes = to;
    u32 n = 0;
    for (next_chunk(s, from); n < max && s->left && fifo_used(from); next_chunk(s, from)) {
        bytes[n++] = (u8)fifo_get(from);
        s->left--;
    }
    if (n)
        return n;
    return s->broken ? -E_PROTO : s->ended ? 0 : -E_AGAIN;
}

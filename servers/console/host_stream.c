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

/* Whether all that is left of the present chunk has come. */
static bool chunk_is_here(const struct host_stream *s, const struct fifo *from) {
    return s->left && fifo_used(from) >= s->left;
}

bool host_stream_readable(struct host_stream *s, struct fifo *from) {
    next_chunk(s, from);
    return s->ended || s->broken || chunk_is_here(s, from);
}

err host_stream_read(struct host_stream *s, struct fifo *from, void *to, u32 max) {
    u8 *bytes = to;
    u32 n = 0;
    for (next_chunk(s, from); n < max && chunk_is_here(s, from); next_chunk(s, from))
        for (; n < max && s->left; s->left--)
            bytes[n++] = (u8)fifo_get(from);
    if (n)
        return n;
    return s->broken ? -E_PROTO : s->ended ? 0 : -E_AGAIN;
}

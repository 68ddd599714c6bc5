/* SPDX-License-Identifier: MIT */
/* The host's standard input as it comes over a serial line: chunks of
 *     u16 length (little-endian, 1 to LAUNCH_CHUNK_BYTES), bytes
 * and length 0 for the end of file. A chunk is read when all of it has come: a serial line brings few bytes
 * at a time, and each would wake the reader. After the end, or after a length out of range, nothing more is
 * read. */
#pragma once

#include "fifo.h"

#include <abi/launch.h>

_Static_assert(LAUNCH_CHUNK_BYTES <= FIFO_BYTES, "a whole chunk fits the queue");

struct host_stream {
    u32 left;    /* bytes of the present chunk that were not yet read */
    bool ended;  /* the end of file has come */
    bool broken; /* the host broke the rules */
};

/* Takes up to max (> 0) bytes of the stream out of what was received. Their number; 0: end of file; -E_AGAIN:
 * nothing is there yet; -E_PROTO: broken. */
must_check err host_stream_read(struct host_stream *s, struct fifo *from, void *to, u32 max);

/* Whether host_stream_read would give something other than -E_AGAIN. Takes chunk heads out of `from`. */
bool host_stream_readable(struct host_stream *s, struct fifo *from);

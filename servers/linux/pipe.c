/* SPDX-License-Identifier: MIT */
#include "pipe.h"

#include <abi/errors.h>
#include <ipc/assert.h>
#include <ipc/frame.h>

static u32 page_of(u64 position) {
    return (u32)(position / PAGE_BYTES % PIPE_PAGES);
}

i64 pipe_write_span(struct pipe_ring *p, u64 ahead, u64 most, char **at) {
    u64 from = p->head + ahead, room = p->tail + PIPE_BYTES - from;
    /* A page that the reader has not left yet may not be entered again from below. */
    u64 bytes = MIN(MIN(most, room), PAGE_BYTES - (from & PAGE_MASK));
    if (!bytes)
        return 0;
    vaddr *page = &p->page[page_of(from)];
    if (!*page && !(*page = __get_free_page(GFP_HIGHUSER)))
        return -E_NOMEM;
    *at = (char *)*page + (from & PAGE_MASK);
    return (i64)bytes;
}

void pipe_written(struct pipe_ring *p, u64 bytes) {
    ASSERT(bytes <= pipe_room(p));
    p->head += bytes;
}

u64 pipe_read_span(const struct pipe_ring *p, u64 ahead, u64 most, const char **at) {
    u64 from = p->tail + ahead;
    u64 bytes = MIN(MIN(most, p->head - from), PAGE_BYTES - (from & PAGE_MASK));
    if (bytes)
        *at = (const char *)p->page[page_of(from)] + (from & PAGE_MASK);
    return bytes;
}

void pipe_consumed(struct pipe_ring *p, u64 bytes) {
    ASSERT(bytes <= pipe_used(p));
    while (bytes) {
        u64 step = MIN(bytes, PAGE_BYTES - (p->tail & PAGE_MASK));
        u32 page = page_of(p->tail);
        p->tail += step;
        bytes -= step;
        /* Left: unless the writer has come round into the same page. */
        if ((p->tail & PAGE_MASK) == 0 && p->head - p->tail <= PIPE_BYTES - PAGE_BYTES) {
            free_page(p->page[page]);
            p->page[page] = 0;
        }
    }
}

void pipe_release(struct pipe_ring *p) {
    for (u32 i = 0; i < PIPE_PAGES; i++) {
        if (p->page[i])
            free_page(p->page[i]);
        p->page[i] = 0;
    }
    p->head = p->tail = 0;
}

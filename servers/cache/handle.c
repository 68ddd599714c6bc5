/* SPDX-License-Identifier: MIT */
#include "handle.h"

#include <ipc/assert.h>

#include "cache.h"

static struct handle *slot_at(const struct handle_table *t, u32 index) {
    return &t->chunk[index / HANDLES_PER_CHUNK][index % HANDLES_PER_CHUNK];
}

/* A frame of free handles more. */
static bool grow(struct cache *c, struct handle_table *t) {
    pfn frame = cache_frame(c);
    if (!frame)
        return false;
    if (t->chunks == HANDLE_CHUNKS) {
        c->host->free_frame(c->host->ctx, frame);
        return false;
    }
    u32 first = t->chunks * HANDLES_PER_CHUNK;
    t->chunk[t->chunks++] = c->host->address(c->host->ctx, frame);
    for (u32 i = HANDLES_PER_CHUNK; i-- > 0;) {
        *slot_at(t, first + i) = (struct handle){.next_free = t->first_free};
        t->first_free = first + i + 1;
    }
    return true;
}

u64 handle_new(struct cache *c, struct handle_table *t, void *object) {
    if (t->first_free == 0 && !grow(c, t))
        return 0;
    u32 number = t->first_free;
    struct handle *h = slot_at(t, number - 1);
    t->first_free = h->next_free;
    h->object = object;
    t->used++;
    return (u64)h->generation << 32 | number;
}

void *handle_find(const struct handle_table *t, u64 number) {
    u32 index = (u32)number - 1; /* number 0 becomes an index out of range */
    if (index >= t->chunks * HANDLES_PER_CHUNK)
        return NULL;
    const struct handle *h = slot_at(t, index);
    return h->generation == number >> 32 ? h->object : NULL;
}

void handle_end(struct handle_table *t, u64 number) {
    ASSERT(handle_find(t, number));
    struct handle *h = slot_at(t, (u32)number - 1);
    h->object = NULL;
    h->generation++;
    h->next_free = t->first_free;
    t->first_free = (u32)number;
    t->used--;
}

/* SPDX-License-Identifier: MIT */
#include "window.h"

#include <abi/errors.h>
#include <ipc/assert.h>

enum use { UNUSED, KEPT, HEAD, TAIL };

/* first frame | cache << 32 | order << 48 | use << 56 */
static u64 word_of(struct window_slab slab, enum use use) {
    return slab.first | (u64)slab.cache << 32 | (u64)slab.order << 48 | (u64)use << 56;
}

static enum use use_of(u64 word) {
    return (enum use)(word >> 56);
}

static bool run_is_unused(const u64 *table, u32 at, u32 pages) {
    for (u32 i = 0; i < pages; i++)
        if (use_of(table[at + i]) != UNUSED)
            return false;
    return true;
}

err window_find(const struct window *w, u32 order) {
    u32 pages = 1u << order;
    for (u32 chunk = 0; chunk < w->chunks; chunk++) {
        if (w->unused[chunk] < pages)
            continue;
        for (u32 at = 0; at < CHUNK_PAGES; at += pages)
            if (run_is_unused(w->table[chunk], at, pages))
                return chunk * CHUNK_PAGES + at;
    }
    return -E_NOSPC;
}

void window_keep(struct window *w, u64 page, u32 frame) {
    u64 *word = &w->table[page / CHUNK_PAGES][page % CHUNK_PAGES];
    ASSERT(use_of(*word) == UNUSED);
    *word = word_of((struct window_slab){.first = frame}, KEPT);
    w->unused[page / CHUNK_PAGES]--;
}

void window_add_chunk(struct window *w, u64 *table, u32 frame) {
    ASSERT(w->chunks < CHUNKS_MAX);
    w->table[w->chunks] = table;
    w->unused[w->chunks] = CHUNK_PAGES;
    window_keep(w, (u64)w->chunks++ * CHUNK_PAGES, frame);
}

void window_put(struct window *w, u64 page, struct window_slab slab) {
    u64 *table = w->table[page / CHUNK_PAGES] + page % CHUNK_PAGES;
    u32 pages = 1u << slab.order;
    ASSERT(run_is_unused(table, 0, pages));
    for (u32 i = 0; i < pages; i++)
        table[i] = word_of(slab, i ? TAIL : HEAD);
    w->unused[page / CHUNK_PAGES] -= pages;
    w->pages += pages;
}

static struct window_slab slab_of(u64 word) {
    return (struct window_slab){(u32)word, word >> 32 & 0xffff, word >> 48 & 0xff};
}

err window_lookup(const struct window *w, u64 page, struct window_slab *slab) {
    if (page / CHUNK_PAGES >= w->chunks)
        return -E_STALE;
    u64 word = w->table[page / CHUNK_PAGES][page % CHUNK_PAGES];
    if (use_of(word) != HEAD)
        return -E_STALE;
    *slab = slab_of(word);
    return 0;
}

err window_next(const struct window *w, u64 page, struct window_slab *slab, bool *kept) {
    for (; page < (u64)w->chunks * CHUNK_PAGES; page++) {
        u64 word = w->table[page / CHUNK_PAGES][page % CHUNK_PAGES];
        if (use_of(word) != HEAD && use_of(word) != KEPT)
            continue;
        *kept = use_of(word) == KEPT;
        *slab = slab_of(word);
        return (err)page;
    }
    return -E_NOENT;
}

void window_take(struct window *w, u64 page) {
    struct window_slab slab;
    err e = window_lookup(w, page, &slab);
    ASSERT(e == 0);
    u32 pages = 1u << slab.order;
    for (u32 i = 0; i < pages; i++)
        w->table[page / CHUNK_PAGES][page % CHUNK_PAGES + i] = 0;
    w->unused[page / CHUNK_PAGES] += pages;
    w->pages -= pages;
}

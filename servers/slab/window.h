/* SPDX-License-Identifier: MIT */
/* The slab window of one client, as the server keeps it in its own memory: what lies in each page, so that no
 * damage that the client does to its slabs matters here.
 *
 * The window consists of chunks of 512 pages. A chunk's table has one word per page:
 *     page 0       KEPT: the client's own table of its slabs by page, one frame; in the first chunk page 1,
 * too: the client's counts slab         HEAD, with its first frame, cache and order; then TAIL pages
 * otherwise UNUSED A slab lies within one chunk, at a multiple of its own size. Chunks appear one after
 * another and stay until the client is forgotten. */
#pragma once

#include <abi/types.h>

enum { CHUNK_PAGES = 512, CHUNKS_MAX = 128 };

struct window {
    u64 *table[CHUNKS_MAX]; /* CHUNK_PAGES words each, given by the caller */
    u32 chunks;             /* how many there are */
    u32 unused[CHUNKS_MAX]; /* pages of the chunk without a use */
    u64 pages;              /* in slabs */
};

struct window_slab {
    u32 first; /* frame */
    u32 cache;
    u32 order;
};

/* A place for a slab: its page number in the window; -E_NOSPC: only in a new chunk (or not at all:
 * CHUNKS_MAX). */
err window_find(const struct window *w, u32 order) must_check;

/* A new chunk, whose table is zeroed memory of CHUNK_PAGES words; its first page is kept. Only below
 * CHUNKS_MAX. */
void window_add_chunk(struct window *w, u64 *table, u32 frame);

/* Keeps one more page, which has no use. */
void window_keep(struct window *w, u64 page, u32 frame);

/* Puts a slab at the page that window_find gave. */
void window_put(struct window *w, u64 page, struct window_slab slab);

/* The slab that begins at that page; -E_STALE: none does. */
err window_lookup(const struct window *w, u64 page, struct window_slab *slab) must_check;

/* Takes the slab that begins there away. The caller has looked it up. */
void window_take(struct window *w, u64 page);

/* The first page from `page` on that begins a slab (*kept: false) or is kept (order 0), and what is there;
 * -E_NOENT: no more. To take a window apart. */
err window_next(const struct window *w, u64 page, struct window_slab *slab, bool *kept) must_check;

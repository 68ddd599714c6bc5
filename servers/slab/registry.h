/* SPDX-License-Identifier: MIT */
/* The registry of caches of all clients, and what is known of each. A cache's number is its place in its
 * client's table. */
#pragma once

#include <abi/types.h>
#include <ipc/slab.h>
#include <proto/slab.def>

#include "geometry.h"
#include "window.h"

#define CLIENTS_MAX 10 /* clients are numbered 1 to CLIENTS_MAX - 1 */

struct cache {
    union {
        char name[KMEM_NAME_BYTES]; /* with its final 0; the rest is 0 too. Empty: the place is not in use */
        u64 name_words[KMEM_NAME_BYTES / 8];
    };
    u64 size;  /* of an object, as asked for */
    u64 flags; /* that hold */
    struct geometry geometry;
    u32 client, number;
    u32 colour_next;
    u64 slabs;           /* now */
    u64 grown, released; /* slabs, ever */
    u64 failures;        /* growths without memory */
};

struct client {
    struct cache cache[SLAB_CACHES_MAX];
    struct window window;
    const volatile struct slab_counts *counts; /* SLAB_CACHES_MAX of them; NULL: not attached */
};

struct registry {
    u32 break_order;
    bool debug; /* SLAB_DEBUG for all small caches */
    struct client client[CLIENTS_MAX];
};

/* A new cache, or an error and none. name: KMEM_NAME_BYTES bytes, read up to the final 0. -E_INVAL: name
 * empty or not ended, the client not attached, or as geometry_make. -E_EXIST: the client has a cache of that
 * name. -E_NOSPC: no place. */
err registry_create(struct registry *r, u32 client, const char *name, u64 size, u64 offset, u64 flags,
                    struct cache **made) must_check;

/* The client's cache of that number; NULL: it has none. */
struct cache *registry_cache(struct registry *r, u32 client, u64 number);

/* Notes a slab that has been mapped at a page of the client's window. Returns its colour in bytes: colours
 * take turns. */
u32 registry_grown(struct registry *r, struct cache *cache, u64 page, u32 first_frame);

/* The slab of that cache at a page of the client's window; -E_STALE: there is none. */
err registry_slab(const struct registry *r, const struct cache *cache, u64 page,
                  struct window_slab *slab) must_check;

/* Forgets it: it has been unmapped. */
void registry_released(struct registry *r, struct cache *cache, u64 page);

/* Ends a cache. -E_BUSY: it has slabs. */
err registry_destroy(struct cache *cache) must_check;

/* Forgets a client whose window has been taken apart: caches, chunks and counts. */
void registry_forget(struct registry *r, u32 client);

/* The first cache at or after `at` that is no repetition: fills a line of /proc/slabinfo with totals over all
 * caches of the same name, size and geometry, and returns where to go on. -E_INVAL: no more. */
err registry_info(const struct registry *r, u64 at, struct slab_info *info) must_check;

/* All that is known of the first cache at or after `at`; returns where to go on. -E_INVAL: no more. */
err registry_stat(const struct registry *r, u64 at, struct slab_stat *stat) must_check;

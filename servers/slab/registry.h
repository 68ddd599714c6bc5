/* SPDX-License-Identifier: MIT */
/* The registry of caches of all clients, and what is known of each. A cache's number is its place in the
 * table; it is valid only for the client that made it. */
#pragma once

#include <abi/types.h>
#include <ipc/slab.h>

#include "geometry.h"
#include "window.h"

#define CACHES_MAX  256
#define CLIENTS_MAX 16 /* clients are numbered 1 to CLIENTS_MAX - 1 */

struct cache {
    char name[KMEM_NAME_BYTES]; /* with its final 0; the rest is 0 too */
    u32 client;                 /* 0: the place is not in use */
    u64 size;                   /* of an object, as asked for */
    struct geometry geometry;
    u32 colour_next;
    u64 slabs;           /* now */
    u64 active;          /* objects in use, as the client said last */
    u64 grown, released; /* slabs, ever */
    u64 failures;        /* growths without memory */
};

struct registry {
    u32 break_order;
    struct cache cache[CACHES_MAX];
    struct window window[CLIENTS_MAX];
};

/* A new cache: its number. name: KMEM_NAME_BYTES bytes, read up to the final 0. -E_INVAL: name empty or not
 * ended, or as geometry_make. -E_EXIST: the client has a cache of that name. -E_NOSPC: no place. */
err registry_create(struct registry *r, u32 client, const char *name, u64 size, u64 offset,
                    u64 flags) must_check;

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
err registry_destroy(struct registry *r, struct cache *cache) must_check;

/* What /proc/slabinfo shows of the index-th cache in use; -E_INVAL: no more. */
err registry_info(const struct registry *r, u64 index, struct slab_info *info) must_check;

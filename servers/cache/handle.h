/* SPDX-License-Identifier: MIT */
/* Numbers for what other servers refer to: number = generation << 32 | index + 1, never 0, and never the same
 * twice before a slot's 32-bit generation wraps. So a stale or invented number finds nothing. */
#pragma once

#include <abi/types.h>

struct cache;

enum { HANDLE_CHUNKS = 256, HANDLES_PER_CHUNK = PAGE_BYTES / 16 }; /* 65,536 handles of 16 bytes */

struct handle {
    void *object; /* NULL: free */
    u32 generation;
    u32 next_free; /* index + 1 of the next free one; 0: none */
};

struct handle_table {
    struct handle *chunk[HANDLE_CHUNKS]; /* one frame each, made as needed and kept */
    u32 chunks;
    u32 first_free; /* index + 1 */
    u32 used;
};

/* A number for the object (not NULL); 0: no memory, or too many. Short wait. */
u64 handle_new(struct cache *c, struct handle_table *t, void *object) must_check;

/* The object behind the number, or NULL. */
void *handle_find(const struct handle_table *t, u64 number) must_check;

/* Ends a number that handle_find knows. */
void handle_end(struct handle_table *t, u64 number);

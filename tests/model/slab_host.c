/* SPDX-License-Identifier: MIT */
/* <ipc/slab.h> on the host: see slab_host.h. */
#include "model/slab_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errors.h>

enum { HEAD_BYTES = 64 }; /* before each object: its cache, and a mark */

struct head {
    const struct kmem_cache *cache;
    u64 size;
    u64 mark;
};

#define MARK_USED 0x5ab5ab5ab5ab5abull

struct kmem_cache {
    char name[KMEM_NAME_BYTES];
    u64 size, active;
    void (*ctor)(void *);
    void (*dtor)(void *);
    struct kmem_cache *next;
};

static struct kmem_cache general = {.name = "size-N"}; /* of kmalloc */
static struct kmem_cache *caches;
static i64 fail_after = -1;
static u64 in_use;

static void die(const char *why, const char *name, const void *object) {
    fprintf(stderr, "slab_host: %s (cache %s, object %p)\n", why, name, object);
    abort();
}

void slab_host_fail_after(i64 n) {
    fail_after = n;
}
u64 slab_host_in_use(void) {
    return in_use;
}
err kmem_cache_init(void) {
    return 0;
}

static void *take(struct kmem_cache *cache, u64 size, u32 gfp_mask) {
    bool from_reserve = gfp_mask & SLAB_NO_GROW; /* which kmem_cache_reserve has made */
    if (fail_after == 0 && !from_reserve)
        return NULL;
    if (fail_after > 0 && !from_reserve)
        fail_after--;
    /* The size is kept exact at the end (for the sanitizer); malloc aligns to 16 bytes. */
    char *block = malloc(HEAD_BYTES + size);
    if (!block)
        abort();
    *(struct head *)block = (struct head){.cache = cache, .size = size, .mark = MARK_USED};
    memset(block + HEAD_BYTES, 0x5a, size);
    cache->active++;
    in_use++;
    return block + HEAD_BYTES;
}

static struct head *head_of(const void *object) {
    return (struct head *)((uintptr_t)object - HEAD_BYTES);
}

static void put(struct kmem_cache *cache, const void *object) {
    struct head *head = head_of(object);
    if (head->mark != MARK_USED || head->cache != cache)
        die("not an object of this cache", cache->name, object);
    head->mark = 0;
    cache->active--;
    in_use--;
    free(head);
}

struct kmem_cache *kmem_cache_create(const char *name, u64 size, u64 offset, u32 flags, void (*ctor)(void *),
                                     void (*dtor)(void *)) {
    (void)offset;
    if (!name || !*name || strlen(name) >= KMEM_NAME_BYTES || !size || size > KMEM_SIZE_MAX ||
        (dtor && !ctor) || (flags & ~(u32)SLAB_FLAGS))
        return NULL;
    for (struct kmem_cache *c = caches; c; c = c->next)
        if (!strcmp(c->name, name))
            return NULL;
    struct kmem_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        abort();
    strcpy(cache->name, name);
    cache->size = size;
    cache->ctor = ctor;
    cache->dtor = dtor;
    cache->next = caches;
    return caches = cache;
}

void *kmem_cache_alloc(struct kmem_cache *cache, u32 gfp_mask) {
    void *object = take(cache, cache->size, gfp_mask);
    if (object && cache->ctor)
        cache->ctor(object);
    return object;
}

void kmem_cache_free(struct kmem_cache *cache, void *object) {
    if (!object)
        die("NULL is no object", cache->name, object);
    if (cache->dtor)
        cache->dtor(object);
    put(cache, object);
}

err kmem_cache_reserve(struct kmem_cache *cache, u32 count, u32 gfp_mask) {
    (void)cache, (void)gfp_mask;
    return fail_after >= 0 && (u64)fail_after < count ? -E_NOMEM : 0;
}

u64 kmem_cache_shrink(struct kmem_cache *cache) {
    return cache->active != 0;
}

err kmem_cache_destroy(struct kmem_cache *cache) {
    if (cache->active)
        return -E_BUSY;
    struct kmem_cache **link = &caches;
    while (*link != cache)
        link = &(*link)->next;
    *link = cache->next;
    free(cache);
    return 0;
}

u64 kmem_cache_drain(void) {
    return 0;
}
u64 kmem_cache_active(const struct kmem_cache *cache) {
    return cache->active;
}

void *kmalloc(u64 size, u32 gfp_mask) {
    return size && size <= KMEM_SIZE_MAX ? take(&general, size, gfp_mask) : NULL;
}

void kfree(const void *object) {
    if (object)
        put(&general, object);
}

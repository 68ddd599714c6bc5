/* SPDX-License-Identifier: MIT */
/* Objects: taking and giving them back is local; slabs come and go here too. */
#include "kmem.h"

#include <ipc/assert.h>

#include "kmem_port.h"

enum { CHUNK_SHIFT = 21 };
_Static_assert(SLAB_CHUNK_BYTES == 1ull << CHUNK_SHIFT, "chunks are found by masking");

/* The word of the chunk's table (its first page) that belongs to the page of an address. */
static struct slab **table_entry(const void *address) {
    uintptr_t at = (uintptr_t)address;
    struct slab **table = (struct slab **)(at & ~(SLAB_CHUNK_BYTES - 1));
    return &table[(at & (SLAB_CHUNK_BYTES - 1)) >> PAGE_SHIFT];
}

struct slab *kmem_slab_of(const void *object) {
    return *table_entry(object);
}

static char *base_of(const struct slab *slab) {
    return (slab->cache->descriptors ? slab->objects : (char *)slab) - slab->colour;
}

static void set_table(const struct kmem_cache *cache, char *base, struct slab *slab) {
    for (u32 i = 0; i < 1u << cache->order; i++)
        *table_entry(base + i * PAGE_BYTES) = slab;
}

static void for_each_object(const struct slab *slab, void (*f)(void *)) {
    for (u32 i = 0; f && i < slab->cache->objects; i++)
        f(slab->objects + (u64)i * slab->cache->stride);
}

static void move(struct slab *slab, struct slab_list *to) {
    LIST_REMOVE(slab, link);
    LIST_INSERT_HEAD(to, slab, link);
}

/* Makes a new slab of mapped pages; the descriptor is given if it lies elsewhere. */
static void set_up(struct kmem_cache *cache, char *base, u32 colour, struct slab *descriptor) {
    struct slab *slab = descriptor ? descriptor : (struct slab *)(void *)(base + colour);
    u64 on_slab = ROUND_UP(SLAB_DESCRIPTOR_BYTES + (u64)cache->objects * SLAB_INDEX_BYTES, SLAB_LINE_BYTES);
    slab->cache = cache;
    slab->objects = base + colour + (descriptor ? 0 : on_slab);
    slab->in_use = 0;
    slab->free = 0;
    slab->colour = colour;
    for (u32 i = 0; i < cache->objects; i++)
        slab->next[i] = i + 1 < cache->objects ? i + 1 : LIST_END;
    for_each_object(slab, cache->ctor);
    set_table(cache, base, slab);
    LIST_INSERT_HEAD(&cache->empty, slab, link);
    cache->slabs++;
    cache->available += cache->objects;
}

err kmem_grow(struct kmem_cache *cache, u32 gfp_mask) {
    struct slab *descriptor = NULL;
    struct slab_grow_rep rep;
    cache->busy++;
    err e = 0;
    if (cache->descriptors && !(descriptor = kmem_cache_alloc(cache->descriptors, gfp_mask)))
        e = -E_NOMEM;
    if (!e)
        e = kport_grow(cache->id, gfp_mask, cache->active, &rep);
    cache->busy--;
    if (!e)
        set_up(cache, (char *)rep.slab, (u32)rep.colour, descriptor);
    else if (descriptor)
        kmem_cache_free(cache->descriptors, descriptor);
    return e;
}

/* Gives an empty slab that is in no list any more back. */
static void give_back(struct kmem_cache *cache, struct slab *slab) {
    char *base = base_of(slab);
    for_each_object(slab, cache->dtor);
    set_table(cache, base, NULL);
    if (cache->descriptors)
        kmem_cache_free(cache->descriptors, slab);
    kport_release(cache->id, (vaddr)base, cache->active);
}

void *kmem_cache_alloc(struct kmem_cache *cache, u32 gfp_mask) {
    struct slab *slab;
    while (!(slab = LIST_FIRST(&cache->partial)) && !(slab = LIST_FIRST(&cache->empty)))
        if (kmem_grow(cache, gfp_mask))
            return NULL;
    u32 index = slab->free;
    slab->free = (u16)slab->next[index];
    slab->next[index] = IN_USE;
    slab->in_use++;
    cache->active++;
    cache->available--;
    if (slab->free == LIST_END)
        move(slab, &cache->full);
    else if (slab->in_use == 1)
        move(slab, &cache->partial);
    return slab->objects + (u64)index * cache->stride;
}

void kmem_cache_free(struct kmem_cache *cache, void *object) {
    struct slab *slab = object ? kmem_slab_of(object) : NULL;
    ASSERT(slab && slab->cache == cache);
    u64 offset = (u64)((char *)object - slab->objects), index = offset / cache->stride;
    ASSERT(offset % cache->stride == 0 && index < cache->objects && slab->next[index] == IN_USE);
    slab->next[index] = slab->free;
    slab->free = (u16)index;
    slab->in_use--;
    cache->active--;
    cache->available++;
    if (!slab->in_use)
        move(slab, &cache->empty);
    else if (slab->in_use == cache->objects - 1)
        move(slab, &cache->partial);
}

err kmem_cache_reserve(struct kmem_cache *cache, u32 count, u32 gfp_mask) {
    err e = 0;
    while (!e && cache->available < count)
        e = kmem_grow(cache, gfp_mask);
    return e;
}

u64 kmem_cache_shrink(struct kmem_cache *cache) {
    cache->busy++;
    for (struct slab *slab; (slab = LIST_FIRST(&cache->empty));) {
        LIST_REMOVE(slab, link);
        cache->slabs--;
        cache->available -= cache->objects;
        give_back(cache, slab);
    }
    cache->busy--;
    return cache->slabs;
}

u64 kmem_cache_active(const struct kmem_cache *cache) {
    return cache->active;
}

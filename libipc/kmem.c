/* SPDX-License-Identifier: MIT */
/* Objects: taking and giving them back is local; slabs come here, too. */
#include "kmem.h"

#include <abi/errors.h>

#include "kmem_port.h"

enum { CHUNK_SHIFT = 21 };
_Static_assert(SLAB_CHUNK_BYTES == 1ull << CHUNK_SHIFT, "chunks are found by masking");

static vaddr window_used; /* end of the last slab that has come: beyond it, chunks may not be there */

/* The word of the chunk's table (its first page) that belongs to the page of an address. */
static struct slab **table_entry(const void *address) {
    uintptr_t at = (uintptr_t)address;
    struct slab **table = (struct slab **)(at & ~(SLAB_CHUNK_BYTES - 1));
    return &table[(at & (SLAB_CHUNK_BYTES - 1)) >> PAGE_SHIFT];
}

struct slab *kmem_slab_of(const void *object) {
    vaddr at = (vaddr)object;
    return at >= kport_window && at < window_used ? *table_entry(object) : NULL;
}

static char *base_of(const struct slab *slab) {
    const struct kmem_cache *cache = slab->cache;
    return (cache->descriptors ? slab->objects - cache->offset : (char *)slab) - slab->colour;
}

static void set_table(const struct kmem_cache *cache, char *base, struct slab *slab) {
    for (u32 i = 0; i < 1u << cache->order; i++)
        *table_entry(base + i * PAGE_BYTES) = slab;
}

static void move(struct slab *slab, struct slab_list *to) {
    LIST_REMOVE(slab, link);
    LIST_INSERT_HEAD(to, slab, link);
}

static void construct(const struct slab *slab) {
    const struct kmem_cache *cache = slab->cache;
    for (u32 i = 0; cache->ctor && i < cache->objects; i++)
        cache->ctor(kmem_object(slab, i));
    for (u32 i = 0; cache->flags & SLAB_DEBUG && i < cache->objects; i++)
        kmem_debug_fresh(cache, kmem_object(slab, i));
}

/* Makes a new slab of mapped pages; the descriptor is given if it lies elsewhere. */
static void set_up(struct kmem_cache *cache, char *base, u32 colour, struct slab *descriptor) {
    struct slab *slab = descriptor ? descriptor : (struct slab *)(void *)(base + colour);
    u64 on_slab = ROUND_UP(SLAB_DESCRIPTOR_BYTES + (u64)cache->objects * SLAB_INDEX_BYTES, SLAB_LINE_BYTES);
    slab->cache = cache;
    slab->objects = base + colour + (descriptor ? 0 : on_slab) + cache->offset;
    slab->in_use = 0;
    slab->free = 0;
    slab->colour = colour;
    for (u32 i = 0; i < cache->objects; i++)
        slab->next[i] = i + 1 < cache->objects ? i + 1 : LIST_END;
    construct(slab);
    window_used = MAX(window_used, (vaddr)base + (PAGE_BYTES << cache->order));
    set_table(cache, base, slab);
    LIST_INSERT_HEAD(&cache->empty, slab, link);
    cache->slabs++;
    cache->grown = true;
}

/* One more slab for the cache. 0, -E_NOMEM. */
static err grow(struct kmem_cache *cache, u32 gfp_mask) {
    struct slab *descriptor = NULL;
    struct slab_grow_rep rep;
    cache->busy++;
    err e = 0;
    if (cache->descriptors &&
        !(descriptor = kmem_cache_alloc(cache->descriptors, gfp_mask & ~(u32)GFP_ZONEMASK)))
        e = -E_NOMEM;
    if (!e)
        e = kport_grow(cache->id, gfp_mask, &rep);
    cache->busy--;
    if (!e)
        set_up(cache, (char *)rep.slab, (u32)rep.colour, descriptor);
    else if (descriptor)
        kmem_cache_free(cache->descriptors, descriptor);
    return e;
}

void kmem_give_back(struct kmem_cache *cache, struct slab *slab) {
    char *base = base_of(slab);
    for (u32 i = 0; cache->flags & SLAB_DEBUG && i < cache->objects; i++)
        kmem_debug_leaving(cache, kmem_object(slab, i));
    for (u32 i = 0; cache->dtor && i < cache->objects; i++)
        cache->dtor(kmem_object(slab, i));
    set_table(cache, base, NULL);
    if (cache->descriptors)
        kmem_cache_free(cache->descriptors, slab);
    kport_release(cache->id, (vaddr)base);
}

/* A slab with a free object; NULL. */
static struct slab *find_slab(struct kmem_cache *cache, u32 gfp_mask) {
    struct slab *slab;
    if (gfp_mask & __GFP_DMA && !(cache->flags & SLAB_CACHE_DMA))
        return NULL;
    while (!(slab = LIST_FIRST(&cache->partial)) && !(slab = LIST_FIRST(&cache->empty)))
        if (gfp_mask & SLAB_NO_GROW || grow(cache, gfp_mask))
            return NULL;
    return slab;
}

static inline void count_taken(struct slab_counts *counts) {
    u64 active = ++counts->taken - counts->given_back;
    if (active > counts->high)
        counts->high = active;
}

inline void *kmem_take(struct kmem_cache *cache, u32 gfp_mask, const void *caller) {
    struct slab *slab = LIST_FIRST(&cache->partial);
    if ((!slab || gfp_mask & __GFP_DMA) && !(slab = find_slab(cache, gfp_mask))) {
        cache->counts->refused++;
        return NULL;
    }
    u32 index = slab->free;
    slab->free = (u16)slab->next[index];
    slab->next[index] = IN_USE;
    slab->in_use++;
    count_taken(cache->counts);
    if (slab->free == LIST_END)
        move(slab, &cache->full);
    else if (slab->in_use == 1)
        move(slab, &cache->partial);
    void *object = kmem_object(slab, index);
    if (cache->flags & SLAB_DEBUG)
        kmem_debug_taken(cache, object, caller);
    return object;
}

void *kmem_cache_alloc(struct kmem_cache *cache, u32 gfp_mask) {
    return kmem_take(cache, gfp_mask, __builtin_return_address(0));
}

/* Why an object cannot be given back to the cache; NULL: it can, and *index is its number. */
static inline const char *refusal(const struct kmem_cache *cache, const struct slab *slab, const void *object,
                                  u32 *index) {
    if (!slab)
        return "is in no slab";
    if (slab->cache != cache)
        return "is of another cache";
    u64 offset = (u64)((const char *)object - slab->objects);
    if (offset >> 32 || (u32)offset % cache->stride || (u32)offset / cache->stride >= cache->objects)
        return "is the inside of an object, or none";
    *index = (u32)offset / cache->stride;
    return slab->next[*index] == IN_USE ? NULL : "is free already";
}

inline void kmem_put(struct kmem_cache *cache, void *object, const void *caller) {
    struct slab *slab = kmem_slab_of(object);
    u32 index;
    const char *why = refusal(cache, slab, object, &index);
    if (why) {
        kmem_debug_tell(why, cache->name, slab, object, caller);
        return;
    }
    if (cache->flags & SLAB_DEBUG && !kmem_debug_given_back(cache, object, caller))
        return;
    slab->next[index] = slab->free;
    slab->free = (u16)index;
    slab->in_use--;
    cache->counts->given_back++;
    if (!slab->in_use)
        move(slab, &cache->empty);
    else if (slab->in_use == cache->objects - 1)
        move(slab, &cache->partial);
}

void kmem_cache_free(struct kmem_cache *cache, void *object) {
    kmem_put(cache, object, __builtin_return_address(0));
}

u64 kmem_cache_active(const struct kmem_cache *cache) {
    return cache->counts->taken - cache->counts->given_back;
}

err kmem_cache_reserve(struct kmem_cache *cache, u32 count, u32 gfp_mask) {
    err e = 0;
    while (!e && cache->slabs * cache->objects - kmem_cache_active(cache) < count)
        e = grow(cache, gfp_mask);
    return e;
}

/* SPDX-License-Identifier: MIT */
/* General caches: memory by size. Each is made when first used. */
#include <ipc/assert.h>

#include "kmem.h"

static const struct {
    u64 size;
    const char *name;
} sizes[] = {{32, "size-32"},        {64, "size-64"},       {128, "size-128"},     {256, "size-256"},
             {512, "size-512"},      {1024, "size-1024"},   {2048, "size-2048"},   {4096, "size-4096"},
             {8192, "size-8192"},    {16384, "size-16384"}, {32768, "size-32768"}, {65536, "size-65536"},
             {131072, "size-131072"}};
_Static_assert(ARRAY_LEN(sizes) == 13, "the sizes of the lectures");

static struct kmem_cache *general[ARRAY_LEN(sizes)];

struct kmem_cache *kmem_general(u64 size) {
    u32 i = 0;
    while (i < ARRAY_LEN(sizes) && sizes[i].size < size)
        i++;
    if (i == ARRAY_LEN(sizes))
        return NULL;
    if (!general[i]) {
        /* Of two threads that get here at a time the server refuses the second, by the name. */
        struct kmem_cache *made =
            kmem_cache_create(sizes[i].name, sizes[i].size, 0, SLAB_HWCACHE_ALIGN, NULL, NULL);
        if (made)
            general[i] = made;
    }
    return general[i];
}

void *kmalloc(u64 size, u32 gfp_mask) {
    struct kmem_cache *cache = size ? kmem_general(size) : NULL;
    return cache ? kmem_cache_alloc(cache, gfp_mask) : NULL;
}

void kfree(const void *object) {
    if (!object)
        return;
    struct slab *slab = kmem_slab_of(object);
    ASSERT(slab);
    kmem_cache_free(slab->cache, (void *)(uintptr_t)object);
}

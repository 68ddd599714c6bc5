/* SPDX-License-Identifier: MIT */
/* General caches: memory by size, and for DMA. Each is made when first used. */
#include <abi/errors.h>

#include "kmem.h"

static const struct {
    u64 size;
    const char *name[2]; /* [1]: its twin for DMA */
} sizes[] = {{32, {"size-32", "size-32(DMA)"}},
             {64, {"size-64", "size-64(DMA)"}},
             {128, {"size-128", "size-128(DMA)"}},
             {256, {"size-256", "size-256(DMA)"}},
             {512, {"size-512", "size-512(DMA)"}},
             {1024, {"size-1024", "size-1024(DMA)"}},
             {2048, {"size-2048", "size-2048(DMA)"}},
             {4096, {"size-4096", "size-4096(DMA)"}},
             {8192, {"size-8192", "size-8192(DMA)"}},
             {16384, {"size-16384", "size-16384(DMA)"}},
             {32768, {"size-32768", "size-32768(DMA)"}},
             {65536, {"size-65536", "size-65536(DMA)"}},
             {131072, {"size-131072", "size-131072(DMA)"}}};
_Static_assert(ARRAY_LEN(sizes) == 13, "the sizes of the lectures");

static struct kmem_cache *general[ARRAY_LEN(sizes)][2];

/* Of two threads that get here at a time the server refuses the second, by the name: as without memory. */
static struct kmem_cache *make(u32 i, u32 dma) {
    u32 flags = SLAB_HWCACHE_ALIGN | (dma ? SLAB_CACHE_DMA : 0);
    struct kmem_cache *made = kmem_cache_create(sizes[i].name[dma], sizes[i].size, 0, flags, NULL, NULL);
    if (made) {
        made->is_general = true;
        general[i][dma] = made;
    }
    return general[i][dma];
}

err kmem_cache_sizes_init(void) {
    for (u32 i = 0; i < ARRAY_LEN(sizes); i++)
        for (u32 dma = 0; dma < 2; dma++)
            if (!general[i][dma] && !make(i, dma))
                return -E_NOMEM;
    return 0;
}

void *kmalloc(u64 size, u32 gfp_mask) {
    u32 i = 0, dma = gfp_mask & __GFP_DMA ? 1 : 0;
    while (i < ARRAY_LEN(sizes) && sizes[i].size < size)
        i++;
    if (!size || i == ARRAY_LEN(sizes))
        return NULL;
    struct kmem_cache *cache = general[i][dma];
    if (!cache && !(cache = make(i, dma)))
        return NULL;
    return kmem_take(cache, gfp_mask, __builtin_return_address(0));
}

void kfree(const void *object) {
    const void *caller = __builtin_return_address(0);
    if (!object)
        return;
    struct slab *slab = kmem_slab_of(object);
    if (slab && slab->cache->is_general)
        kmem_put(slab->cache, (void *)(uintptr_t)object, caller);
    else
        kmem_debug_tell("is not of kmalloc", "size-N", slab, object, caller);
}

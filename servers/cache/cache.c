/* SPDX-License-Identifier: MIT */
/* Making the state, and memory for all modules: ask the host first, then recycle what is our own. */
#include "cache.h"

#include <ipc/gfp.h>
#include <ipc/slab.h>
#include <string.h>

#include "reclaim.h"

err cache_init(struct cache *c, const struct host *host, u64 device_sectors, struct page_bucket *buckets,
               u32 bucket_count) {
    memset(c, 0, sizeof *c);
    c->host = host;
    c->device_sectors = device_sectors;
    err e = bio_init(&c->bios);
    if (!e)
        e = buffer_init(&c->buffers);
    if (!e)
        e = page_init(&c->pages, buckets, bucket_count);
    if (!e)
        e = inode_init(&c->inodes);
    if (!e)
        e = dentry_init(&c->dentries);
    if (!e)
        e = file_init(&c->files);
    if (e)
        return e;
    c->zero_frame = host->alloc_frame(host->ctx);
    if (!c->zero_frame)
        return -E_NOMEM;
    memset(host->address(host->ctx, c->zero_frame), 0, PAGE_BYTES);
    return 0;
}

pfn cache_frame(struct cache *c) {
    pfn frame = c->host->alloc_frame(c->host->ctx);
    if (!frame && reclaim(c, RECLAIM_BATCH))
        frame = c->host->alloc_frame(c->host->ctx);
    return frame;
}

err cache_wait_for_memory(struct cache *c) {
    return c->bios.nfree < BIOS ? c->host->wait(c->host->ctx, &c->bios) : -E_NOMEM;
}

void *cache_object(struct cache *c, struct kmem_cache *from) {
    void *object = kmem_cache_alloc(from, GFP_KERNEL);
    if (!object && reclaim(c, RECLAIM_BATCH))
        object = kmem_cache_alloc(from, GFP_KERNEL);
    return object;
}

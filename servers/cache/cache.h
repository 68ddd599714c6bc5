/* SPDX-License-Identifier: MIT */
/* The whole state of the cache server's logic, and its rules.
 *
 *   file handles (filp) ---> inodes ---> page cache: pages of files, by (inode, index) --+
 *   names (dentry) ------------^  \                                                     +--> bio --> disk
 *                                  `--> ext2 ---> buffer cache: metadata, by (device, block, size) --+
 *
 * Every function takes the struct cache; each module owns the member named after it and is the only one to
 * change it. All disk contents are untrusted: whatever does not make sense is -E_IO with a reason (ext2.h),
 * never an access out of bounds. This step only reads: what would write answers -E_ROFS. */
#pragma once

#include "bio.h"
#include "buffer.h"
#include "dentry.h"
#include "ext2.h"
#include "file.h"
#include "host.h"
#include "inode.h"
#include "page.h"

struct cache {
    const struct host *host;
    u64 device_sectors; /* of 512 bytes */
    pfn zero_frame;     /* a page of zeroes: what is read from a hole. Never written or freed */
    struct bio_pool bios;
    struct buffer_cache buffers;
    struct page_cache pages;
    struct inode_cache inodes;
    struct dentry_cache dentries;
    struct file_table files;
    struct ext2 fs;
};

/* Empty caches. `buckets` is the page cache's hash table, a power of two, sized by the caller after the
 * machine's memory, and stays the cache's. Short wait. -E_NOMEM: no frame or no slab cache; the struct is
 * unusable then. */
err cache_init(struct cache *c, const struct host *host, u64 device_sectors, struct page_bucket *buckets,
               u32 bucket_count) must_check;

/* A frame from the host; if it has none, after dropping pages of our own. 0 if there is none at all. Short
 * wait. */
pfn cache_frame(struct cache *c) must_check;

/* There was no frame: waits for a read under way to end, as its page can be recycled then. -E_NOMEM: none is
 * under way; -E_AGAIN: this worker may not wait. Long wait. */
err cache_wait_for_memory(struct cache *c) must_check;

/* An object of one of our slab caches, likewise; NULL if there is none at all. Short wait. */
struct kmem_cache;
void *cache_object(struct cache *c, struct kmem_cache *from) must_check;

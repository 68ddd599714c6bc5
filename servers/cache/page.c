/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <string.h>

#include <ipc/assert.h>
#include <ipc/slab.h>

#include "cache.h"

err page_init(struct page_cache *pc, struct page_bucket *buckets, u32 bucket_count) {
    if (bucket_count == 0 || (bucket_count & (bucket_count - 1)))
        return -E_INVAL;
    pc->bucket = buckets;
    pc->bucket_count = bucket_count;
    memset(buckets, 0, bucket_count * sizeof *buckets); /* as LIST_INIT leaves them, a word an instruction */
    TAILQ_INIT(&pc->lru);
    pc->heads = kmem_cache_create("page", sizeof(struct page), 0, 0, NULL, NULL);
    return pc->heads ? 0 : -E_NOMEM;
}

/* An inode's address is as good as its number, and anonymous ones have no number. Pages in a row are in
 * buckets in a row. */
static u64 key_of(const struct inode *inode) {
    return ((u64)(uintptr_t)inode >> 6) * 0x9e3779b97f4a7c15ull >> 32;
}

static struct page_bucket *bucket_of(const struct page_cache *pc, const struct inode *inode, u64 index) {
    return &pc->bucket[(key_of(inode) + index) & (pc->bucket_count - 1)];
}

static struct page *find_in(struct page_bucket *bucket, const struct inode *inode, u64 index) {
    struct page *page;
    LIST_FOREACH(page, bucket, hash) {
        if (page->index == index && page->inode == inode)
            return page;
    }
    return NULL;
}

struct page *find_page(const struct cache *c, const struct inode *inode, u64 index) {
    return find_in(bucket_of(&c->pages, inode, index), inode, index);
}

void find_frames(const struct cache *c, const struct inode *inode, u64 first, u32 n, pfn *frames) {
    u64 key = key_of(inode);
    for (u32 i = 0; i < n; i++) {
        u64 index = first + i;
        const struct page *page =
            find_in(&c->pages.bucket[(key + index) & (c->pages.bucket_count - 1)], inode, index);
        frames[i] = page && (page->flags & PG_UPTODATE) ? page->frame : 0;
    }
}

/* A descriptor with a frame, in no list; NULL: no memory. */
static struct page *page_alloc(struct cache *c) {
    struct page *page = cache_object(c, c->pages.heads);
    if (!page)
        return NULL;
    *page = (struct page){.frame = cache_frame(c)};
    if (!page->frame) {
        kmem_cache_free(c->pages.heads, page);
        return NULL;
    }
    return page;
}

void page_free(struct cache *c, struct page *page) {
    pfn frame = page->frame;
    kmem_cache_free(c->pages.heads, page);
    c->host->free_frame(c->host->ctx, frame);
}

static void page_link(struct cache *c, struct page *page, bool lru) {
    LIST_INSERT_HEAD(bucket_of(&c->pages, page->inode, page->index), page, hash);
    TAILQ_INSERT_TAIL(&page->inode->pages, page, queue);
    page->inode->npages++;
    c->pages.pages++;
    if (lru) {
        page->flags |= PG_LRU;
        TAILQ_INSERT_TAIL(&c->pages.lru, page, lru);
        c->pages.lru_pages++;
    }
}

err page_make(struct cache *c, struct inode *inode, u64 index, bool lru, struct page **out) {
    struct page *made = NULL;
    for (;;) { /* whatever was found is looked for again after each wait for memory */
        struct page *page = find_page(c, inode, index);
        if (page && made) {
            page_free(c, made);
            made = NULL;
        } else if (page) {
            *out = page;
            return 0;
        } else if (made) {
            made->inode = inode;
            made->index = index;
            page_link(c, made, lru);
            *out = made;
            return 1;
        } else {
            made = page_alloc(c);
            if (!made)
                return -E_NOMEM;
        }
    }
}

void page_unlink(struct cache *c, struct page *page) {
    ASSERT(!(page->flags & PG_LOCKED) && page->count == 0);
    LIST_REMOVE(page, hash);
    TAILQ_REMOVE(&page->inode->pages, page, queue);
    page->inode->npages--;
    c->pages.pages--;
    if (page->flags & PG_LRU) {
        TAILQ_REMOVE(&c->pages.lru, page, lru);
        c->pages.lru_pages--;
    }
}

void page_lru_first(struct cache *c, struct page *page) {
    if (page->flags & PG_LRU)
        return;
    page->flags |= PG_LRU;
    TAILQ_INSERT_HEAD(&c->pages.lru, page, lru);
    c->pages.lru_pages++;
}

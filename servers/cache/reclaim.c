/* SPDX-License-Identifier: MIT */
#include "reclaim.h"

#include "cache.h"

/* Up to RECLAIM_BATCH pages that are to go if nobody maps them: the kernel is asked about all of them at
 * once. */
struct batch {
    struct page *page[RECLAIM_BATCH];
    u32 n;
};

/* Nobody needs this page here: whether a program maps it is another question. */
static bool is_idle(const struct page *page) {
    bool disposable = page->inode->kind != INODE_SHM || page->inode->dead;
    return disposable && page->count == 0 && !(page->flags & PG_LOCKED);
}

/* Drops the pages of the batch that are not mapped, and empties it. Returns how many. All of them are out of
 * the lists before the first is freed, as others may run then. */
static u32 drop_unmapped(struct cache *c, struct batch *b) {
    pfn frames[RECLAIM_BATCH];
    bool mapped[RECLAIM_BATCH];
    u32 dropped = 0;
    for (u32 i = 0; i < b->n; i++)
        frames[i] = b->page[i]->frame;
    if (b->n > 0)
        c->host->mapped(c->host->ctx, frames, b->n, mapped);
    for (u32 i = 0; i < b->n; i++) {
        if (!mapped[i]) {
            page_unlink(c, b->page[i]);
            b->page[dropped++] = b->page[i];
        }
    }
    for (u32 i = 0; i < dropped; i++)
        page_free(c, b->page[i]);
    b->n = 0;
    return dropped;
}

/* Takes candidates from the head of the LRU list until the batch is full or `visits` pages were seen;
 * whatever stays moves to the end. `spare`: a page used since the last visit gets a second chance. Returns
 * the visits that are left. */
static u64 pick(struct cache *c, struct batch *b, u64 visits, u64 want, bool spare) {
    struct page_cache *pc = &c->pages;
    for (; visits > 0 && b->n < MIN(want, RECLAIM_BATCH) && !TAILQ_EMPTY(&pc->lru); visits--) {
        struct page *page = TAILQ_FIRST(&pc->lru);
        TAILQ_REMOVE(&pc->lru, page, lru);
        TAILQ_INSERT_TAIL(&pc->lru, page, lru);
        if (spare && (page->flags & PG_REFERENCED))
            page->flags &= ~(u32)PG_REFERENCED;
        else if (is_idle(page))
            b->page[b->n++] = page;
    }
    return visits;
}

/* Between batches, when nothing is held that others may change. */
static void pause_after(struct cache *c, u32 *batches) {
    if (++*batches % YIELD_BATCHES == 0)
        c->host->yield(c->host->ctx);
}

static u64 shrink_pages(struct cache *c, u64 want, bool spare) {
    u64 freed = 0, visits = c->pages.lru_pages;
    u32 batches = 0;
    while (visits > 0 && freed < want && !TAILQ_EMPTY(&c->pages.lru)) {
        struct batch b = {.n = 0};
        u64 step = MIN(visits, (u64)RECLAIM_VISITS);
        visits -= step - pick(c, &b, step, want - freed, spare);
        freed += drop_unmapped(c, &b);
        pause_after(c, &batches);
    }
    return freed;
}

u64 reclaim(struct cache *c, u64 want) {
    u64 buffers = c->buffers.pages, all = buffers + c->pages.lru_pages;
    u64 of_buffers = all ? want * buffers / all : 0;
    u64 freed = shrink_pages(c, want - of_buffers, true) + shrink_buffers(c, of_buffers);
    if (freed == 0)
        freed = shrink_pages(c, want, false) + shrink_buffers(c, want);
    if (freed == 0) {
        prune_dcache(c, RECLAIM_BATCH);
        prune_icache(c, RECLAIM_BATCH);
    }
    return freed;
}

void reclaim_inode(struct cache *c, struct inode *inode) {
    u64 visits = inode->npages;
    u32 batches = 0;
    while (visits > 0 && !TAILQ_EMPTY(&inode->pages)) {
        struct batch b = {.n = 0};
        for (; visits > 0 && b.n < RECLAIM_BATCH; visits--) {
            struct page *page = TAILQ_FIRST(&inode->pages);
            TAILQ_REMOVE(&inode->pages, page, queue);
            TAILQ_INSERT_TAIL(&inode->pages, page, queue);
            if (is_idle(page))
                b.page[b.n++] = page;
        }
        drop_unmapped(c, &b);
        pause_after(c, &batches);
    }
}

/* How many of the frames are mapped. */
static u64 ask_mapped(struct cache *c, const pfn *frames, u32 n) {
    bool mapped[RECLAIM_BATCH];
    u64 count = 0;
    if (n > 0)
        c->host->mapped(c->host->ctx, frames, n, mapped);
    while (n > 0)
        count += mapped[--n];
    return count;
}

u64 count_mapped(struct cache *c) {
    pfn frames[RECLAIM_BATCH];
    u64 count = 0;
    u32 n = 0, asked = 0;
    for (u32 i = 0; i < c->pages.bucket_count; i++) {
        const struct page *page;
        LIST_FOREACH(page, &c->pages.bucket[i], hash) {
            frames[n++] = page->frame;
            if (n == RECLAIM_BATCH) {
                count += ask_mapped(c, frames, n);
                n = 0;
                asked++;
            }
        }
        if (asked >= YIELD_BATCHES || i % YIELD_BUCKETS == 0) { /* nothing is held between two buckets */
            count += ask_mapped(c, frames, n);
            n = asked = 0;
            c->host->yield(c->host->ctx);
        }
    }
    return count + ask_mapped(c, frames, n);
}

u64 drop_caches(struct cache *c) {
    u64 freed = shrink_pages(c, c->pages.lru_pages, false);
    prune_dcache(c, c->dentries.dentries);
    prune_icache(c, c->inodes.nunused);
    return freed + shrink_buffers(c, c->buffers.pages);
}

/* SPDX-License-Identifier: MIT */
#include "filemap.h"

#include <ipc/assert.h>
#include <string.h>

#include "cache.h"
#include "ext2_format.h"

enum {
    PAGE_BLOCKS_MAX = PAGE_BYTES / EXT2_MIN_BLOCK_BYTES,
    ADVISED_PAGES = 512, /* looked at in one call of page_read_ahead */
};

/* Where a page's blocks lie. */
struct page_map {
    u32 blocks;                 /* in a page */
    u32 mapped;                 /* of them, not holes; 0: the page is a hole */
    u64 block[PAGE_BLOCKS_MAX]; /* on the disk; 0: hole, or beyond the end */
};

/* Finds the blocks of a page. As ext2_bmap. */
static err map_page(struct cache *c, const struct inode *inode, u64 index, enum ext2_wait may,
                    struct page_map *map) {
    u32 block_bytes = c->fs.block_bytes;
    *map = (struct page_map){.blocks = (u32)PAGE_BYTES / block_bytes};
    for (u32 i = 0; i < map->blocks; i++) {
        u64 file_block = index * map->blocks + i;
        if (file_block * block_bytes >= inode->size)
            break;
        err e = ext2_bmap(c, inode, file_block, may, &map->block[i]);
        if (e)
            return e;
        map->mapped += map->block[i] != 0;
    }
    return 0;
}

/* One segment less; at 0 the page's read is over. */
static void page_piece_done(struct cache *c, struct page *page) {
    if (--page->pending > 0)
        return;
    if (!(page->flags & (PG_ERROR | PG_FAILED))) {
        u64 valid = page->inode->size - page->index * PAGE_BYTES;
        if (valid < PAGE_BYTES)
            memset((char *)c->host->address(c->host->ctx, page->frame) + valid, 0, PAGE_BYTES - valid);
        page->flags |= PG_UPTODATE;
    }
    page->flags &= ~(u32)(PG_LOCKED | PG_FAILED);
    c->host->wake(c->host->ctx, page);
}

static bool one_page(const struct bio *bio) {
    for (u32 i = 1; i < bio->nsegs; i++)
        if (bio->seg[i].owner != bio->seg[0].owner)
            return false;
    return true;
}

static void page_end_read(struct cache *c, struct bio *bio, err status) {
    u32 failure = one_page(bio) ? PG_ERROR : PG_FAILED;
    for (u32 i = 0; i < bio->nsegs; i++) {
        struct page *page = bio->seg[i].owner;
        if (status)
            page->flags |= failure;
        page_piece_done(c, page);
    }
}

/* Reads that are being put together, so that pages that adjoin on the disk become one request. */
struct plug {
    struct bio *bio; /* not yet submitted, or NULL */
};

static void plug_flush(struct cache *c, struct plug *plug) {
    if (plug->bio)
        c->host->submit(c->host->ctx, plug->bio);
    plug->bio = NULL;
}

/* Adds a piece of a page, in a request of its own if need be. Needs a free bio. */
static void plug_add(struct cache *c, struct plug *plug, u64 sector, const struct bio_seg *piece) {
    struct page *page = piece->owner;
    if (plug->bio) {
        u32 segs = plug->bio->nsegs;
        if (bio_add(plug->bio, sector, piece)) {
            page->pending += plug->bio->nsegs > segs; /* else it lengthened a segment that is counted */
            return;
        }
    }
    plug_flush(c, plug);
    plug->bio = bio_alloc(&c->bios, page_end_read);
    ASSERT(plug->bio);
    bool added = bio_add(plug->bio, sector, piece);
    ASSERT(added);
    page->pending++;
}

/* Starts reading a page that is neither locked nor up to date and not all hole. Needs PAGE_BLOCKS_MAX free
 * bios. */
static void start_page(struct cache *c, struct plug *plug, struct page *page, const struct page_map *map) {
    u32 block_bytes = c->fs.block_bytes;
    char *data = c->host->address(c->host->ctx, page->frame);
    ASSERT(!(page->flags & (PG_LOCKED | PG_UPTODATE)));
    page->flags = (page->flags & ~(u32)(PG_ERROR | PG_FAILED)) | PG_LOCKED;
    page->pending = 1;
    for (u32 i = 0; i < map->blocks; i++) {
        struct bio_seg piece = {page->frame, i * block_bytes, block_bytes, page};
        if (map->block[i] == 0) {
            memset(data + piece.offset, 0, block_bytes);
            continue;
        }
        plug_add(c, plug, map->block[i] * c->fs.block_sectors, &piece);
    }
    page_piece_done(c, page);
}

/* Starts reading a page that nobody has asked for yet. False: no memory, no bio, or an indirect block to read
 * first: time to stop. Short wait. */
static bool start_ahead(struct cache *c, struct plug *plug, struct inode *inode, u64 index) {
    struct page_map map;
    struct page *page;
    if (find_page(c, inode, index))
        return true;
    if (map_page(c, inode, index, EXT2_CACHED_ONLY, &map))
        return false;
    if (map.mapped == 0)
        return true;
    err made = page_make(c, inode, index, true, &page);
    if (made <= 0)
        return made == 0;
    /* As many are left to whoever is waiting for its page, so that reading ahead holds nobody up. */
    if (c->bios.nfree < 2 * PAGE_BLOCKS_MAX) {
        page_unlink(c, page);
        page_free(c, page);
        return false;
    }
    start_page(c, plug, page, &map);
    c->pages.read_ahead++;
    return true;
}

/* The pages [first, end) to read when `index` is wanted; it is among them. */
struct window {
    u64 first, end;
};

/* Starts reading the pages of the window that are not there, in the order of the file, and among them the
 * wanted one, which is counted. -E_AGAIN: no bio, and this worker may not wait for one. Long wait. */
static err start_window(struct cache *c, struct page *wanted, const struct page_map *map, struct window w) {
    struct inode *inode = wanted->inode;
    struct plug plug = {NULL};
    bool go = true;
    for (u64 i = w.first; i < wanted->index && go; i++)
        go = start_ahead(c, &plug, inode, i);
    while (c->bios.nfree < PAGE_BLOCKS_MAX) {
        plug_flush(c, &plug); /* nobody may wait for us while we wait */
        err e = c->host->wait(c->host->ctx, &c->bios);
        if (e)
            return e;
    }
    if (!(wanted->flags & (PG_LOCKED | PG_UPTODATE)))
        start_page(c, &plug, wanted, map);
    go = true;
    for (u64 i = wanted->index + 1; i < w.end && go; i++)
        go = start_ahead(c, &plug, inode, i);
    plug_flush(c, &plug);
    return 0;
}

/* Waits until the page is up to date, and starts its read if nobody has: of the window the first time, of
 * this page alone after a read of several failed. The page is counted. Long wait. */
static err wait_on_page(struct cache *c, struct page *page, const struct page_map *map, struct window w) {
    while (!(page->flags & PG_UPTODATE)) {
        if (!(page->flags & PG_LOCKED)) {
            err e = start_window(c, page, map, w);
            if (e)
                return e;
            w = (struct window){page->index, page->index + 1};
            continue;
        }
        err e = c->host->wait(c->host->ctx, page);
        if (e)
            return e;
        if (page->flags & PG_ERROR)
            return -E_IO;
    }
    return 0;
}

/* The reader goes on at `index`; the pages to read now, besides index itself. Empty if enough are ahead. */
static struct window advance(struct read_ahead *ra, u64 index, bool cached, u64 pages) {
    struct window none = {index + 1, index + 1};
    if (index + 1 == ra->expected && cached)
        return none; /* the same page once more */
    bool sequential = index == ra->expected;
    ra->expected = index + 1;
    if (!sequential || ra->end < index + 1)
        ra->end = index + 1;
    if (!cached)
        ra->end = index + 1;
    if (!sequential) {
        ra->window = 0;
        return none;
    }
    if (ra->end - (index + 1) > ra->window / 2)
        return none;
    ra->window = ra->window ? MIN(2 * ra->window, (u32)READ_AHEAD_MAX) : (u32)READ_AHEAD_MIN;
    struct window w = {ra->end, MIN(ra->end + ra->window, pages)};
    if (w.end <= w.first)
        return none;
    ra->end = w.end;
    return w;
}

/* The aligned cluster around a fault. */
static struct window cluster(u64 index, u64 pages) {
    u64 first = ROUND_DOWN(index, FAULT_CLUSTER);
    return (struct window){first, MIN(first + FAULT_CLUSTER, pages)};
}

/* A sequential reader comes near the end of what is ahead of it. Short wait; the page it reads is counted. */
static void read_on(struct cache *c, struct inode *inode, struct window w) {
    struct plug plug = {NULL};
    bool go = true;
    for (u64 i = w.first; i < w.end && go; i++)
        go = start_ahead(c, &plug, inode, i);
    plug_flush(c, &plug);
}

void page_read_ahead(struct cache *c, struct inode *inode, u64 first, u64 n) {
    u64 pages = inode_page_count(inode);
    if (first < pages)
        read_on(c, inode, (struct window){first, first + MIN(MIN(n, pages - first), (u64)ADVISED_PAGES)});
}

/* The page is not here: maps, makes and reads it. *out is counted. 1: it is a hole. Long wait. */
static err read_page(struct cache *c, struct inode *inode, u64 index, struct window w, struct page **out) {
    struct page_map map;
    err e = map_page(c, inode, index, EXT2_MAY_WAIT, &map);
    if (e)
        return e;
    if (map.mapped == 0)
        return 1;
    struct page *page;
    while ((e = page_make(c, inode, index, true, &page)) == -E_NOMEM) {
        e = cache_wait_for_memory(c);
        if (e)
            return e;
    }
    page->count++;
    if (e == 0) /* it was there, after all, or a read of it has failed: then alone */
        w = (struct window){index, index + 1};
    e = wait_on_page(c, page, &map, w);
    if (e)
        page->count--;
    else
        *out = page;
    return e;
}

err page_get(struct cache *c, struct inode *inode, u64 index, struct read_ahead *ahead,
             struct page_answer *out) {
    u64 pages = inode_page_count(inode);
    if (index >= pages)
        return -E_NXIO;
    struct page *page = find_page(c, inode, index);
    bool cached = page && (page->flags & PG_UPTODATE);
    struct window w = {index + 1, index + 1};
    if (ahead)
        w = advance(ahead, index, cached, pages);
    if (cached) {
        c->pages.hits++;
        page->count++;
        read_on(c, inode, w);
    } else {
        c->pages.misses++;
        if (ahead)
            w.first = index;
        else
            w = cluster(index, pages);
        err e = read_page(c, inode, index, w, &page);
        if (e < 0)
            return e;
        if (e > 0) {
            *out = (struct page_answer){c->zero_frame, PAGE_HOLE};
            return 0;
        }
    }
    page->flags |= PG_REFERENCED;
    page->count--;
    *out = (struct page_answer){page->frame, cached ? PAGE_HIT : PAGE_READ};
    return 0;
}

bool page_next(struct cache *c, struct inode *inode, u64 index, struct read_ahead *ahead, pfn frame) {
    struct page *page = find_page(c, inode, index);
    struct read_ahead next = *ahead;
    if (!page || !(page->flags & PG_UPTODATE) || page->frame != frame)
        return false;
    struct window w = advance(&next, index, true, inode_page_count(inode));
    if (w.first < w.end)
        return false;
    *ahead = next;
    c->pages.hits++;
    page->flags |= PG_REFERENCED;
    return true;
}

err shm_page(struct cache *c, struct inode *inode, u64 index, struct page_answer *out) {
    if (index >= inode_page_count(inode))
        return -E_NXIO;
    struct page *page;
    const struct page_cache *pc = &c->pages;
    if (pc->shm_most && pc->pages - pc->lru_pages >= pc->shm_most && !find_page(c, inode, index))
        return -E_NOSPC;
    err made = page_make(c, inode, index, false, &page);
    if (made < 0)
        return made;
    if (made) {
        memset(c->host->address(c->host->ctx, page->frame), 0, PAGE_BYTES);
        page->flags |= PG_UPTODATE;
    }
    *out = (struct page_answer){page->frame, PAGE_HIT};
    return 0;
}

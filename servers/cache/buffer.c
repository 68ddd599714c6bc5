/* SPDX-License-Identifier: MIT */
#include "buffer.h"

#include <ipc/assert.h>
#include <ipc/slab.h>

#include "cache.h"

err buffer_init(struct buffer_cache *bc) {
    for (u32 i = 0; i < BUFFER_BUCKETS; i++)
        LIST_INIT(&bc->bucket[i]);
    for (u32 i = 0; i < BUFFER_SIZES; i++)
        TAILQ_INIT(&bc->free[i]);
    TAILQ_INIT(&bc->unused);
    bc->heads = kmem_cache_create("buffer_head", sizeof(struct buffer_head), 0, 0, NULL, NULL);
    return bc->heads ? 0 : -E_NOMEM;
}

static struct buffer_bucket *bucket_of(struct buffer_cache *bc, u32 dev, u64 block) {
    return &bc->bucket[((block + dev) * 0x9e3779b97f4a7c15ull >> 32) % BUFFER_BUCKETS];
}

static struct buffer_head *find_buffer(struct buffer_cache *bc, u32 dev, u64 block, u32 size) {
    struct buffer_head *bh;
    LIST_FOREACH(bh, bucket_of(bc, dev, block), hash) {
        if (bh->block == block && bh->dev == dev && bh->size == size)
            return bh;
    }
    return NULL;
}

/* The free list's number; BUFFER_SIZES if there is none for this size. */
static u32 size_index(u32 size) {
    for (u32 i = 0; i < BUFFER_SIZES; i++)
        if (size == (u32)BUFFER_MIN_BYTES << i)
            return i;
    return BUFFER_SIZES;
}

static bool on_device(const struct cache *c, u64 block, u32 size) {
    u64 blocks = c->device_sectors / (size / SECTOR_BYTES);
    return block < blocks;
}

static void take(struct buffer_cache *bc, struct buffer_head *bh) {
    if (bh->count++ == 0) {
        TAILQ_REMOVE(&bc->unused, bh, link);
        bc->nunused--;
    }
}

/* Frees the heads of a ring that is in no list. */
static void free_heads(struct buffer_cache *bc, struct buffer_head *ring) {
    struct buffer_head *bh = ring;
    do {
        struct buffer_head *next = bh->this_page;
        kmem_cache_free(bc->heads, bh);
        bh = next;
    } while (bh && bh != ring);
}

/* A ring of heads for one page of buffers of this size, linked but without a frame; NULL: no memory. */
static struct buffer_head *make_heads(struct cache *c, u32 size) {
    struct buffer_head *first = NULL, *last = NULL;
    for (u32 offset = 0; offset < PAGE_BYTES; offset += size) {
        struct buffer_head *bh = cache_object(c, c->buffers.heads);
        if (!bh) {
            if (first)
                free_heads(&c->buffers, first);
            return NULL;
        }
        *bh = (struct buffer_head){.size = size, .offset = offset};
        if (last)
            last->this_page = bh;
        else
            first = bh;
        last = bh;
    }
    last->this_page = first;
    return first;
}

/* A page of free buffers of the size with that index. Short wait. */
static err grow_buffers(struct cache *c, u32 index) {
    struct buffer_cache *bc = &c->buffers;
    u32 size = (u32)BUFFER_MIN_BYTES << index;
    pfn frame = cache_frame(c);
    if (!frame)
        return -E_NOMEM;
    struct buffer_head *ring = make_heads(c, size);
    if (!ring) {
        c->host->free_frame(c->host->ctx, frame);
        return -E_NOMEM;
    }
    char *data = c->host->address(c->host->ctx, frame);
    struct buffer_head *bh = ring;
    do {
        bh->frame = frame;
        bh->data = data + bh->offset;
        TAILQ_INSERT_TAIL(&bc->free[index], bh, link);
        bh = bh->this_page;
    } while (bh != ring);
    bc->pages++;
    return 0;
}

/* A free buffer becomes the buffer of a block. */
static void insert_buffer(struct buffer_cache *bc, struct buffer_head *bh, u32 dev, u64 block) {
    TAILQ_REMOVE(&bc->free[size_index(bh->size)], bh, link);
    bh->dev = dev;
    bh->block = block;
    bh->flags = BH_HASHED;
    bh->count = 1;
    LIST_INSERT_HEAD(bucket_of(bc, dev, block), bh, hash);
}

err getblk(struct cache *c, u32 dev, u64 block, u32 size, struct buffer_head **out) {
    struct buffer_cache *bc = &c->buffers;
    u32 index = size_index(size);
    if (index == BUFFER_SIZES || !on_device(c, block, size))
        return -E_IO;
    struct buffer_head *bh = find_buffer(bc, dev, block, size);
    if (bh) {
        bc->hits++;
        take(bc, bh);
        *out = bh;
        return 0;
    }
    bc->misses++;
    while (TAILQ_EMPTY(&bc->free[index])) {
        err e = grow_buffers(c, index);
        if (e)
            return e;
        /* Another worker may have made it while we waited for memory. */
        bh = find_buffer(bc, dev, block, size);
        if (bh) {
            take(bc, bh);
            *out = bh;
            return 0;
        }
    }
    bh = TAILQ_FIRST(&bc->free[index]);
    insert_buffer(bc, bh, dev, block);
    *out = bh;
    return 0;
}

static void buffer_end_read(struct cache *c, struct bio *bio, err status) {
    struct buffer_head *bh = bio->seg[0].owner;
    bh->flags &= ~(u32)BH_LOCKED;
    bh->flags |= status ? BH_ERROR : BH_UPTODATE;
    c->host->wake(c->host->ctx, bh);
}

/* ll_rw_block: starts reading a buffer that is neither locked nor up to date. The bio is empty. */
static void ll_read_block(struct cache *c, struct buffer_head *bh, struct bio *bio) {
    struct bio_seg piece = {.frame = bh->frame, .offset = bh->offset, .bytes = bh->size, .owner = bh};
    bool added = bio_add(bio, bh->block * (bh->size / SECTOR_BYTES), &piece);
    ASSERT(added);
    bh->flags = (bh->flags & ~(u32)BH_ERROR) | BH_LOCKED;
    c->host->submit(c->host->ctx, bio);
}

/* Waits until the buffer is up to date; starts the read if nobody has. A reader that was asleep while a read
 * failed has that error; one that comes later tries anew. */
static err wait_on_buffer(struct cache *c, struct buffer_head *bh) {
    while (!(bh->flags & BH_UPTODATE)) {
        const void *channel = bh;
        bool reading = bh->flags & BH_LOCKED;
        if (!reading) {
            struct bio *bio = bio_alloc(&c->bios, buffer_end_read);
            if (bio) {
                ll_read_block(c, bh, bio);
                reading = true;
            } else {
                channel = &c->bios;
            }
        }
        err e = c->host->wait(c->host->ctx, channel);
        if (e)
            return e;
        if (reading && (bh->flags & BH_ERROR))
            return -E_IO;
    }
    return 0;
}

err bread(struct cache *c, u32 dev, u64 block, u32 size, struct buffer_head **out) {
    struct buffer_head *bh;
    err e;
    while ((e = getblk(c, dev, block, size, &bh)) == -E_NOMEM) {
        e = cache_wait_for_memory(c);
        if (e)
            return e;
    }
    if (e)
        return e;
    e = wait_on_buffer(c, bh);
    if (e) {
        brelse(c, bh);
        return e;
    }
    *out = bh;
    return 0;
}

struct buffer_head *bread_cached(struct cache *c, u32 dev, u64 block, u32 size) {
    struct buffer_head *bh = find_buffer(&c->buffers, dev, block, size);
    if (!bh || !(bh->flags & BH_UPTODATE))
        return NULL;
    c->buffers.hits++;
    take(&c->buffers, bh);
    return bh;
}

void brelse(struct cache *c, struct buffer_head *bh) {
    ASSERT(bh->count > 0);
    if (--bh->count == 0) {
        TAILQ_INSERT_TAIL(&c->buffers.unused, bh, link);
        c->buffers.nunused++;
    }
}

static bool page_is_idle(const struct buffer_head *ring) {
    const struct buffer_head *bh = ring;
    do {
        if (bh->count > 0 || (bh->flags & BH_LOCKED))
            return false;
        bh = bh->this_page;
    } while (bh != ring);
    return true;
}

/* try_to_free_buffers: the whole page of an idle ring goes. */
static void free_buffer_page(struct cache *c, struct buffer_head *ring) {
    struct buffer_cache *bc = &c->buffers;
    struct buffer_head *bh = ring;
    do {
        if (bh->flags & BH_HASHED) {
            LIST_REMOVE(bh, hash);
            TAILQ_REMOVE(&bc->unused, bh, link);
            bc->nunused--;
        } else {
            TAILQ_REMOVE(&bc->free[size_index(bh->size)], bh, link);
        }
        bh = bh->this_page;
    } while (bh != ring);
    bc->pages--;
    pfn frame = ring->frame;
    free_heads(bc, ring);
    c->host->free_frame(c->host->ctx, frame);
}

/* One pass over a list whose members may go together with others of it: busy ones move to its end. */
static u64 shrink_list(struct cache *c, struct buffer_list *list, u64 visits, u64 want) {
    u64 freed = 0;
    while (visits-- > 0 && freed < want && !TAILQ_EMPTY(list)) {
        struct buffer_head *bh = TAILQ_FIRST(list);
        if (page_is_idle(bh)) {
            free_buffer_page(c, bh);
            freed++;
        } else {
            TAILQ_REMOVE(list, bh, link);
            TAILQ_INSERT_TAIL(list, bh, link);
        }
    }
    return freed;
}

u64 shrink_buffers(struct cache *c, u64 want) {
    struct buffer_cache *bc = &c->buffers;
    u64 freed = shrink_list(c, &bc->unused, bc->nunused, want);
    for (u32 i = 0; i < BUFFER_SIZES; i++)
        freed += shrink_list(c, &bc->free[i], PAGE_BYTES / BUFFER_MIN_BYTES, want - freed);
    return freed;
}

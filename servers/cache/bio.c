/* SPDX-License-Identifier: MIT */
#include "bio.h"

#include <ipc/assert.h>
#include <ipc/slab.h>

#include "cache.h"

err bio_init(struct bio_pool *pool) {
    *pool = (struct bio_pool){.nfree = BIOS};
    pool->cache = kmem_cache_create("bio", sizeof(struct bio), 0, SLAB_NO_REAP, NULL, NULL);
    return pool->cache ? kmem_cache_reserve(pool->cache, BIOS, GFP_KERNEL) : -E_NOMEM;
}

struct bio *bio_alloc(struct bio_pool *pool, void (*end)(struct cache *, struct bio *, err)) {
    u32 slot = 0;
    if (!pool->nfree)
        return NULL;
    while (pool->bio[slot])
        slot++;
    struct bio *bio = kmem_cache_alloc(pool->cache, GFP_KERNEL | SLAB_NO_GROW);
    ASSERT(bio); /* its slabs stay */
    bio->sectors = bio->nsegs = 0;
    bio->end = end;
    bio->slot = slot;
    pool->bio[slot] = bio;
    pool->nfree--;
    return bio;
}

void bio_free(struct bio_pool *pool, struct bio *bio) {
    pool->bio[bio->slot] = NULL;
    pool->nfree++;
    kmem_cache_free(pool->cache, bio);
}

/* The piece lengthens the last segment: the same owner, and the bytes after it. */
static bool extends_last(const struct bio *bio, const struct bio_seg *piece) {
    if (bio->nsegs == 0)
        return false;
    const struct bio_seg *last = &bio->seg[bio->nsegs - 1];
    return last->owner == piece->owner && last->frame == piece->frame &&
           last->offset + last->bytes == piece->offset;
}

bool bio_add(struct bio *bio, u64 sector, const struct bio_seg *piece) {
    u32 sectors = piece->bytes / SECTOR_BYTES;
    if (bio->nsegs > 0 && (bio->sector + bio->sectors != sector || bio->sectors + sectors > BIO_SECTORS))
        return false;
    if (extends_last(bio, piece)) {
        bio->seg[bio->nsegs - 1].bytes += piece->bytes;
    } else {
        if (bio->nsegs == BIO_SEGS)
            return false;
        if (bio->nsegs == 0)
            bio->sector = sector;
        bio->seg[bio->nsegs++] = *piece;
    }
    bio->sectors += sectors;
    return true;
}

void bio_done(struct cache *c, struct bio *bio, err status) {
    bio->end(c, bio, status);
    bio_free(&c->bios, bio);
    c->host->wake(c->host->ctx, &c->bios);
}

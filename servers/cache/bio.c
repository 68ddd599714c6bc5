/* SPDX-License-Identifier: MIT */
#include "bio.h"

#include "cache.h"

void bio_init(struct bio_pool *pool) {
    pool->free = NULL;
    for (u32 i = 0; i < BIOS; i++) {
        pool->bio[i].next = pool->free;
        pool->free = &pool->bio[i];
    }
    pool->nfree = BIOS;
}

struct bio *bio_alloc(struct bio_pool *pool, void (*end)(struct cache *, struct bio *, err)) {
    struct bio *bio = pool->free;
    if (!bio)
        return NULL;
    pool->free = bio->next;
    pool->nfree--;
    bio->sectors = bio->nsegs = 0;
    bio->end = end;
    return bio;
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
    bio->next = c->bios.free;
    c->bios.free = bio;
    c->bios.nfree++;
    c->host->wake(c->host->ctx, &c->bios);
}

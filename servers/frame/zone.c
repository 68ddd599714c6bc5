/* SPDX-License-Identifier: MIT */
#include "zone.h"

#include <abi/errors.h>
#include <ipc/assert.h>

static const u64 ratio[ZONES] = {32, 128, 128};
enum { WATERMARK_LEAST = 10, WATERMARK_MOST = 255 };

static void borders(u32 frames, u32 dma_end, u32 normal_end, u32 edge[ZONES + 1]) {
    edge[0] = 0;
    edge[1] = MIN(dma_end, frames);
    edge[2] = MIN(normal_end, frames);
    edge[3] = frames;
}

u64 zones_bytes(u32 frames, u32 dma_end, u32 normal_end) {
    u32 edge[ZONES + 1];
    borders(frames, dma_end, normal_end, edge);
    u64 bytes = ROUND_UP((u64)frames * sizeof(struct page), 8);
    for (u32 i = 0; i < ZONES; i++)
        bytes += buddy_bitmap_bytes(edge[i + 1] - edge[i]);
    return bytes;
}

err zones_init(struct zones *z, u32 frames, u32 dma_end, u32 normal_end, void *memory) {
    if (!frames || frames >> 31 || dma_end % ZONE_ALIGN || normal_end % ZONE_ALIGN || dma_end > normal_end)
        return -E_INVAL;
    *z = (struct zones){.map = memory, .frames = frames};
    u32 edge[ZONES + 1];
    borders(frames, dma_end, normal_end, edge);
    z->dma_end = edge[1];
    z->normal_end = edge[2];
    char *bits = (char *)memory + ROUND_UP((u64)frames * sizeof(struct page), 8);
    for (u32 i = 0; i < ZONES; i++) {
        /* An empty zone at the end of memory need not be aligned: give it a base that is. */
        u32 size = edge[i + 1] - edge[i];
        buddy_init(&z->zone[i].buddy, z->map, size ? edge[i] : 0, size, (u64 *)(void *)bits);
        bits += buddy_bitmap_bytes(size);
    }
    zones_reserve(z, 0, 1);
    return 0;
}

struct zone *zone_of(struct zones *z, u32 frame) {
    return &z->zone[zone_id_of(z, frame)];
}

/* f for each zone's part of a run. */
static void each_part(struct zones *z, u32 first, u32 count,
                      void (*f)(struct buddy *b, u32 first, u32 count)) {
    while (count) {
        struct buddy *buddy = &zone_of(z, first)->buddy;
        u32 here = MIN(count, buddy->base + buddy->frames - first);
        f(buddy, first, here);
        first += here;
        count -= here;
    }
}

void zones_release(struct zones *z, u32 first, u32 count) {
    ASSERT(first && first <= z->frames && count <= z->frames - first);
    each_part(z, first, count, buddy_release);
}

void zones_free_run(struct zones *z, u32 first, u32 count) {
    each_part(z, first, count, buddy_free_run);
}

void zones_reserve(struct zones *z, u32 first, u32 count) {
    ASSERT(first <= z->frames && count <= z->frames - first);
    for (u32 i = 0; i < count; i++) {
        ASSERT(z->map[first + i].state == PG_TAIL);
        z->map[first + i].state = PG_RESERVED;
    }
}

void zones_set_watermarks(struct zones *z) {
    for (u32 i = 0; i < ZONES; i++) {
        struct zone *zone = &z->zone[i];
        u64 min = zone->buddy.frames / ratio[i];
        min = MAX(min, (u64)WATERMARK_LEAST);
        min = zone->buddy.managed ? MIN(min, (u64)WATERMARK_MOST) : 0;
        zone->pages_min = min;
        zone->pages_low = 2 * min;
        zone->pages_high = 3 * min;
    }
}

enum zone_id zone_of_mask(u32 gfp_mask) {
    if (gfp_mask & __GFP_DMA)
        return ZONE_DMA;
    return gfp_mask & __GFP_HIGHMEM ? ZONE_HIGH : ZONE_NORMAL;
}

u64 zone_free(const struct zone *zone) {
    return zone->buddy.free + zone->in_magazines;
}

u64 zones_free(const struct zones *z) {
    u64 sum = 0;
    for (u32 i = 0; i < ZONES; i++)
        sum += zone_free(&z->zone[i]);
    return sum;
}

bool zones_have_plenty(const struct zones *z, u32 gfp_mask, u32 order, u64 count) {
    u32 i = zone_of_mask(gfp_mask);
    while (i && !z->zone[i].buddy.managed)
        i--;
    const struct zone *zone = &z->zone[i];
    return zone->buddy.free >= zone->pages_low + (count << order) &&
           buddy_largest(&zone->buddy) >= (i32)order;
}

enum limit { LIMIT_LOW, LIMIT_MIN, LIMIT_RESERVE };

static u64 limit_of(const struct zone *zone, enum limit limit) {
    switch (limit) {
    case LIMIT_LOW:
        return zone->pages_low;
    case LIMIT_MIN:
        return zone->pages_min;
    default:
        return zone->pages_min / 4;
    }
}

/* How many frames an attempt may take of a zone. The reserve has to be in the lists themselves: what is in
 * magazines cannot be had at once. */
static u64 room(const struct zone *zone, enum limit limit) {
    u64 free = zone_free(zone), least = limit_of(zone, limit), in_lists = zone->buddy.free;
    u64 kept = limit == LIMIT_RESERVE ? 0 : zone->pages_min;
    return MIN(free > least ? free - least : 0, in_lists > kept ? in_lists - kept : 0);
}

static struct zone_choice attempt(struct zones *z, enum zone_id from, u32 order, enum limit limit) {
    for (i32 i = (i32)from; i >= 0; i--) {
        struct zone *zone = &z->zone[i];
        if (room(zone, limit) < 1u << order)
            continue;
        u32 first = buddy_alloc(&zone->buddy, order);
        if (first != NO_PAGE)
            return (struct zone_choice){.first = first, .zone = (u32)i, .wake = limit != LIMIT_LOW};
    }
    return (struct zone_choice){.first = NO_PAGE, .wake = true};
}

struct zone_choice zones_alloc(struct zones *z, u32 gfp_mask, u32 order) {
    enum zone_id from = zone_of_mask(gfp_mask);
    enum limit last = gfp_mask & __GFP_MEMALLOC ? LIMIT_RESERVE : LIMIT_MIN;
    struct zone_choice choice = {.first = NO_PAGE};
    for (enum limit limit = LIMIT_LOW; limit <= last && choice.first == NO_PAGE; limit++)
        choice = attempt(z, from, order, limit);
    return choice;
}

u32 zones_alloc_batch(struct zones *z, u32 gfp_mask, u32 want, u8 holder, struct runs *runs, bool *wake) {
    enum limit last = gfp_mask & __GFP_MEMALLOC ? LIMIT_RESERVE : LIMIT_MIN;
    u32 got = 0;
    *wake = false;
    for (enum limit limit = LIMIT_LOW; limit <= last && got < want; limit++) {
        *wake |= limit != LIMIT_LOW;
        for (i32 i = (i32)zone_of_mask(gfp_mask); i >= 0 && got < want; i--) {
            struct zone *zone = &z->zone[i];
            u64 most = room(zone, limit);
            if (most)
                got += buddy_alloc_batch(&zone->buddy, (u32)MIN(want - got, most), holder, runs);
        }
    }
    return got;
}

bool zones_relieved(const struct zones *z, enum zone_id from) {
    for (i32 i = (i32)from; i >= 0; i--)
        if (room(&z->zone[i], LIMIT_MIN))
            return true;
    return false;
}

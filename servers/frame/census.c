/* SPDX-License-Identifier: MIT */
#include "census.h"

#include <abi/layout.h>
#include <string.h>

static void count_magazine(struct census *c, u32 client, const struct frame_magazine *m) {
    u32 frame;
    for (u32 i = 0; holders_magazine_frame(c->holders, client, m, i, &frame); i++)
        if (frame - c->first < c->count && c->magazines[frame - c->first] < 2)
            c->magazines[frame - c->first]++;
}

u64 census_begin(struct census *c, const struct holders *h, u32 first) {
    memset(c, 0, sizeof *c);
    c->holders = h;
    c->first = first;
    c->count = MIN(h->zones.frames - first, (u32)FRAME_CENSUS_MAX);
    u64 accounts = 1ull << SRV_FRAME;
    for (const struct page *page = &h->zones.map[first], *end = page + c->count; page < end; page++) {
        if (page->state == PG_RESERVED)
            accounts = (1ull << SRV_COUNT) - 2; /* could be anybody's */
        else if (page->state == PG_USED)
            accounts |= 1ull << page->holder;
    }
    for (u32 i = 1; i < SRV_COUNT; i++)
        if (accounts >> i & 1 && h->holder[i].magazines) {
            count_magazine(c, i, &h->holder[i].magazines->unmapped);
            count_magazine(c, i, &h->holder[i].magazines->mapped);
        }
    return accounts;
}

void census_record(struct census *c, u32 whose, const struct frame_record *r) {
    u64 from = MAX(FRAME_OF(r->id), (u64)c->first);
    u64 end = MIN(FRAME_OF(r->id) + ALIKE_OF(r->counts), (u64)c->first + c->count);
    for (u64 i = from; i < end; i++) {
        c->account[i - c->first] = (u8)whose;
        c->kind[i - c->first] = (u8)KIND_OF(r->id);
        c->busy[i - c->first] = USES_OF(r->counts) || FLAGS_OF(r->id) & FRAME_QUEUED;
    }
}

static void mark_ram(struct census *c, const struct info_range *ram, u64 ranges) {
    for (u64 i = 0; i < ranges; i++) {
        u64 from = MAX(ram[i].first, (u64)c->first);
        u64 end = MIN(ram[i].first + ram[i].frames, (u64)c->first + c->count);
        if (from < end)
            memset(c->ram + (from - c->first), true, end - from);
    }
}

/* What the kernel says of a frame that is not free: table or object, or what it is as DATA. */
static enum frame_state by_kind(const struct census *c, u32 i, enum frame_state data) {
    return c->kind[i] == KIND_TABLE ? FRAME_TABLE : c->kind[i] == KIND_DATA ? data : FRAME_OBJECT;
}

static bool free_agrees(const struct census *c, u32 i) {
    return c->ram[i] && c->account[i] == SRV_FRAME && c->kind[i] == KIND_DATA && !c->busy[i] &&
           !c->magazines[i];
}

static bool used_agrees(const struct census *c, u32 i, u32 holder) {
    return c->ram[i] && (c->account[i] == holder || c->account[i] == SRV_FRAME) && c->magazines[i] < 2;
}

static void note_wrong(struct frame_census *out, pfn frame) {
    if (!out->wrong++)
        out->first_wrong = frame;
}

static void count_reserved(const struct census *c, u32 i, struct frame_census *out) {
    if (!c->account[i])
        out->count[c->ram[i] ? FRAME_KERNEL : FRAME_HOLE]++;
    else
        out->count[by_kind(c, i, FRAME_RESERVED)]++;
}

/* A block that begins in the slice; it ends there, for the slice is as large as the largest block and as
 * aligned. */
static void count_block(const struct census *c, u32 at, const struct page *page, struct frame_census *out) {
    for (u32 i = at; i < at + (1u << page->order) && i < c->count; i++) {
        bool agrees = page->state == PG_FREE ? free_agrees(c, i) : used_agrees(c, i, page->holder);
        if (!agrees)
            note_wrong(out, c->first + i);
        if (page->state == PG_FREE)
            out->count[FRAME_FREE + page->order]++;
        else
            out->count[by_kind(c, i, c->magazines[i] ? FRAME_MAGAZINE : FRAME_HELD + page->holder)]++;
    }
}

void census_end(struct census *c, const struct info_range *ram, u64 ranges, struct frame_census *out) {
    const struct zones *z = &c->holders->zones;
    memset(out, 0, sizeof *out);
    mark_ram(c, ram, ranges);
    for (u32 at = 0; at < c->count;) {
        const struct page *page = &z->map[c->first + at];
        if (page->state == PG_RESERVED) {
            count_reserved(c, at++, out);
            continue;
        }
        if (page->state == PG_TAIL || page->order >= MAX_ORDER) { /* a TAIL that no block has */
            note_wrong(out, c->first + at++);
            out->count[FRAME_UNKNOWN]++;
            continue;
        }
        count_block(c, at, page, out);
        at += 1u << page->order;
    }
    const struct zone *zone = &z->zone[zone_id_of(z, c->first)];
    u32 unsound = buddy_check_slice(&zone->buddy, c->first);
    if (unsound != NO_PAGE)
        note_wrong(out, unsound);
}

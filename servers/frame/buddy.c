/* SPDX-License-Identifier: MIT */
#include "buddy.h"

#include <ipc/assert.h>

enum { TOP = MAX_ORDER - 1 };

static u64 pair_words(u64 frames, u32 order) {
    u64 pairs = (frames + (2ull << order) - 1) >> (order + 1);
    return (pairs + 63) / 64;
}

u64 buddy_bitmap_bytes(u64 frames) {
    u64 words = 0;
    for (u32 order = 0; order < TOP; order++)
        words += pair_words(frames, order);
    return words * 8;
}

void buddy_init(struct buddy *b, struct page *map, u32 base, u32 frames, u64 *bits) {
    ASSERT(base % (1u << TOP) == 0);
    *b = (struct buddy){.map = map, .base = base, .frames = frames};
    for (u32 order = 0; order < MAX_ORDER; order++) {
        b->area[order].head = NO_PAGE;
        if (order < TOP) {
            b->area[order].pairs = bits;
            bits += pair_words(frames, order);
        }
    }
}

/* Toggles the bit of the pair that the block belongs to and returns its new value. The highest order has no
 * pairs. */
static bool toggle_pair(struct buddy *b, u32 first, u32 order) {
    if (order == TOP)
        return true;
    u32 pair = (first - b->base) >> (order + 1);
    u64 *word = &b->area[order].pairs[pair / 64];
    *word ^= 1ull << pair % 64;
    return *word >> pair % 64 & 1;
}

static void push(struct buddy *b, u32 first, u32 order) {
    struct free_area *area = &b->area[order];
    b->map[first] = (struct page){.next = area->head, .prev = NO_PAGE, .state = PG_FREE, .order = (u8)order};
    if (area->head != NO_PAGE)
        b->map[area->head].prev = first;
    area->head = first;
    area->count++;
}

/* Takes a free block off its list; it is part of another block from now on, or the caller says what it is. */
static void unlink_block(struct buddy *b, u32 first, u32 order) {
    struct free_area *area = &b->area[order];
    struct page *page = &b->map[first];
    ASSERT(page->state == PG_FREE && page->order == order);
    if (page->prev == NO_PAGE)
        area->head = page->next;
    else
        b->map[page->prev].next = page->next;
    if (page->next != NO_PAGE)
        b->map[page->next].prev = page->prev;
    page->state = PG_TAIL;
    area->count--;
}

u32 buddy_alloc(struct buddy *b, u32 order) {
    u32 at = order;
    while (at < MAX_ORDER && b->area[at].head == NO_PAGE)
        at++;
    if (at == MAX_ORDER)
        return NO_PAGE;
    u32 first = b->area[at].head;
    unlink_block(b, first, at);
    toggle_pair(b, first, at);
    while (at > order) {
        at--;
        push(b, first, at);
        toggle_pair(b, first, at);
        first += 1u << at;
    }
    b->map[first] = (struct page){.state = PG_USED, .order = (u8)order};
    b->free -= 1u << order;
    return first;
}

static u32 smallest_block(const struct buddy *b) {
    u32 order = 0;
    while (order < MAX_ORDER && b->area[order].head == NO_PAGE)
        order++;
    return order;
}

u32 buddy_alloc_batch(struct buddy *b, u32 want, u8 holder, struct runs *runs) {
    u32 got = 0;
    while (got < want && b->free && runs->count < FRAME_RUNS_MAX) {
        /* A block that is just right; else of the smallest block all of it, or the upper part that is not too
         * much. Pairs inside need no change: both halves were part of a larger block, now both are in use. */
        u32 part = 31u - (u32)__builtin_clz(want - got);
        if (b->area[part].head == NO_PAGE)
            part = MIN(part, smallest_block(b));
        u32 first = buddy_alloc(b, part);
        for (struct page *page = &b->map[first], *end = page + (1u << part); page < end; page++)
            page->tag = page_single(holder);
        ASSERT(runs_add(runs, first, 1u << part));
        got += 1u << part;
    }
    return got;
}

/* Adds a block to the free ones, merging with its buddy as long as that is free. */
static void merge_in(struct buddy *b, u32 first, u32 order) {
    b->free += 1u << order;
    while (!toggle_pair(b, first, order)) {
        u32 buddy = b->base + ((first - b->base) ^ 1u << order);
        unlink_block(b, buddy, order);
        b->map[first].state = PG_TAIL;
        first = MIN(first, buddy);
        order++;
    }
    push(b, first, order);
}

void buddy_free(struct buddy *b, u32 first, u32 order) {
    ASSERT(b->map[first].state == PG_USED && b->map[first].order == order);
    merge_in(b, first, order);
}

/* Adds a run, in blocks as large as alignment allows. Descriptors inside say TAIL already. */
static void add_run(struct buddy *b, u32 first, u32 count) {
    while (count) {
        u32 order = MIN((u32)__builtin_ctz((first - b->base) | 1u << TOP), 31u - (u32)__builtin_clz(count));
        merge_in(b, first, order);
        first += 1u << order;
        count -= 1u << order;
    }
}

void buddy_free_run(struct buddy *b, u32 first, u32 count) {
    for (struct page *page = &b->map[first], *end = page + count; page < end; page++) {
        ASSERT((u16)page->tag == PG_USED); /* of order 0 */
        page->tag = PG_TAIL;
    }
    add_run(b, first, count);
}

void buddy_release(struct buddy *b, u32 first, u32 count) {
    ASSERT(first >= b->base && count <= b->frames && first - b->base <= b->frames - count);
    ASSERT(!count || (b->map[first].state == PG_TAIL && b->map[first + count - 1].state == PG_TAIL));
    b->managed += count;
    add_run(b, first, count);
}

i32 buddy_largest(const struct buddy *b) {
    i32 order = TOP;
    while (order >= 0 && b->area[order].head == NO_PAGE)
        order--;
    return order;
}

static bool list_is_sound(const struct buddy *b, u32 order, u64 *frames) {
    u32 count = 0, prev = NO_PAGE;
    for (u32 at = b->area[order].head; at != NO_PAGE; prev = at, at = b->map[at].next) {
        if (at < b->base || at - b->base >= b->frames || (at - b->base) % (1u << order))
            return false;
        const struct page *page = &b->map[at];
        if (page->state != PG_FREE || page->order != order || page->prev != prev ||
            ++count > b->area[order].count)
            return false;
    }
    *frames += (u64)count << order;
    return count == b->area[order].count;
}

static bool is_free_block(const struct buddy *b, u32 offset, u32 order) {
    const struct page *page = &b->map[b->base + offset];
    return offset < b->frames && page->state == PG_FREE && page->order == order;
}

/* low: where the lower block of a pair begins, from the base. */
static bool pair_is_sound(const struct buddy *b, u32 low, u32 order) {
    bool lower = is_free_block(b, low, order), upper = is_free_block(b, low + (1u << order), order);
    u32 pair = low >> (order + 1);
    return (b->area[order].pairs[pair / 64] >> pair % 64 & 1) == (lower != upper) && !(lower && upper);
}

static bool pairs_are_sound(const struct buddy *b, u32 order) {
    for (u32 low = 0; low < b->frames; low += 2u << order)
        if (!pair_is_sound(b, low, order))
            return false;
    return true;
}

static bool links_are_sound(const struct buddy *b, u32 first) {
    const struct page *page = &b->map[first];
    u32 before = page->prev == NO_PAGE ? b->area[page->order].head : b->map[page->prev].next;
    return before == first && (page->next == NO_PAGE || b->map[page->next].prev == first);
}

u32 buddy_check_slice(const struct buddy *b, u32 first) {
    u32 from = first - b->base, end = MIN(from + (1u << TOP), b->frames);
    for (u32 order = 0; order < TOP; order++)
        for (u32 low = from; low < end; low += 2u << order)
            if (!pair_is_sound(b, low, order))
                return b->base + low;
    for (u32 at = b->base + from; at < b->base + end; at++)
        if (b->map[at].state == PG_FREE && (b->map[at].order >= MAX_ORDER || !links_are_sound(b, at)))
            return at;
    return NO_PAGE;
}

/* Blocks lie one after another: inside one there are only TAILs, outside only RESERVED. */
static bool blocks_are_sound(const struct buddy *b) {
    u64 managed = 0;
    for (u32 at = b->base; at < b->base + b->frames;) {
        const struct page *page = &b->map[at];
        if (page->state == PG_RESERVED) {
            at++;
            continue;
        }
        if (page->state == PG_TAIL || page->order >= MAX_ORDER ||
            b->base + b->frames - at < 1u << page->order)
            return false;
        for (u32 i = 1; i < 1u << page->order; i++)
            if (b->map[at + i].state != PG_TAIL)
                return false;
        managed += 1u << page->order;
        at += 1u << page->order;
    }
    return managed == b->managed;
}

bool buddy_check(const struct buddy *b) {
    u64 frames = 0;
    for (u32 order = 0; order < MAX_ORDER; order++)
        if (!list_is_sound(b, order, &frames) || (order < TOP && !pairs_are_sound(b, order)))
            return false;
    return frames == b->free && blocks_are_sound(b);
}

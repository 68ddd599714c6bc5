/* SPDX-License-Identifier: MIT */
/* <ipc/frame.h>: magazines of single frames in front of the frame server.
 *
 * A magazine is a stack: full at `limit`, refilled and relieved by half a limit. Whatever goes to the server
 * is taken off first and whatever comes from it is put in last, since other threads may run while this one
 * waits for the answer. */
#include <ipc/frame.h>

#include <abi/errors.h>
#include <ipc/assert.h>
#include <string.h>

#include "frame_port.h"

struct frame_magazine frame_unmapped;
static struct frame_magazine mapped = {.mapped = true};
static struct frame_attach_rep sizes;

err frame_client_init(void) {
    err e = port_attach(&sizes);
    if (!e && (sizes.magazine_frames < FRAME_RESERVE_MAX || sizes.magazine_frames > MAGAZINE_MAX))
        e = -E_PROTO;
    if (!e)
        frame_unmapped.limit = (u32)sizes.magazine_frames;
    return e;
}

static void count_zones(const struct frame_magazine *m, u64 in_zone[3]) {
    for (u32 i = 0; i < m->count; i++)
        in_zone[(m->frames[i] >= sizes.dma_end) + (m->frames[i] >= sizes.normal_end)]++;
}

/* What the magazines hold, for frame's accounts. */
static u64 held_word(void) {
    u64 in_zone[3] = {0};
    count_zones(&frame_unmapped, in_zone);
    count_zones(&mapped, in_zone);
    return FRAME_HELD(in_zone[0], in_zone[1], in_zone[2]);
}

/* Frames that are in no magazine go back to the server. */
static void give_back(bool are_mapped, const u64 *list, u32 count) {
    if (are_mapped)
        port_unmap(list, count);
    port_free_batch(list, count, held_word());
}

/* Takes the `count` frames that have been in the magazine longest and gives them back. */
static void relieve(struct frame_magazine *m, u32 count) {
    u64 list[FRAME_BATCH_MAX];
    ASSERT(count <= m->count && count <= FRAME_BATCH_MAX);
    memcpy(list, m->frames, count * sizeof list[0]);
    m->count -= count;
    memmove(m->frames, m->frames + count, m->count * sizeof list[0]);
    give_back(m->mapped, list, count);
}

static err refill(struct frame_magazine *m, u32 gfp_mask) {
    u64 list[FRAME_BATCH_MAX];
    /* Who digs into the reserve takes just what it needs. */
    u32 want = gfp_mask & __GFP_MEMALLOC ? 1 : (u32)sizes.magazine_frames / 2;
    err got = port_alloc_batch(want, gfp_mask, held_word(), list);
    if (got < 0)
        return got;
    u32 count = (u32)got;
    ASSERT(count && count <= want);
    err e = m->mapped ? port_map(list, count) : 0;
    if (e) {
        give_back(false, list, count);
        return e;
    }
    u32 fits = MIN(count, (u32)sizes.magazine_frames - m->count);
    memcpy(m->frames + m->count, list, fits * sizeof list[0]);
    m->count += fits;
    if (fits < count)
        give_back(m->mapped, list + fits, count - fits);
    return 0;
}

static void push(struct frame_magazine *m, pfn frame) {
    while (m->count >= sizes.magazine_frames)
        relieve(m, (u32)sizes.magazine_frames / 2);
    m->frames[m->count++] = frame;
}

/* When frame has none: one from the other magazine, mapped or unmapped to suit. */
static pfn borrow(struct frame_magazine *from) {
    if (!from->count)
        return 0;
    pfn frame = from->frames[--from->count];
    if (from->mapped) {
        port_unmap(&frame, 1);
    } else if (port_map(&frame, 1)) {
        push(from, frame);
        return 0;
    }
    return frame;
}

static pfn pop(struct frame_magazine *m, u32 gfp_mask) {
    /* Another thread may empty the magazine while this one fills it: look again. */
    while (!m->count)
        if (refill(m, gfp_mask))
            return borrow(m->mapped ? &frame_unmapped : &mapped);
    return m->frames[--m->count];
}

enum { SEARCH_DEPTH = 4 }; /* a magazine that has been filled from High holds nothing else */

/* Whether the next frame of the magazine is below the High zone; brings one to the top if it is near. */
static bool find_low(struct frame_magazine *m) {
    for (u32 i = m->count; i && i + SEARCH_DEPTH > m->count; i--) {
        u64 frame = m->frames[i - 1];
        if (frame < sizes.normal_end) {
            m->frames[i - 1] = m->frames[m->count - 1];
            m->frames[m->count - 1] = frame;
            return true;
        }
    }
    return false;
}

/* Whether a request may be served from a magazine: these hold frames of any zone. */
static bool from_magazine(struct frame_magazine *m, u32 gfp_mask, u32 order) {
    if (order || gfp_mask & __GFP_DMA)
        return false;
    return gfp_mask & __GFP_HIGHMEM || sizes.frames <= sizes.normal_end || find_low(m);
}

static bool bad_request(u32 gfp_mask, u32 order) {
    return order >= MAX_ORDER || gfp_mask & ~(u32)GFP_ALL;
}

pfn alloc_pages(u32 gfp_mask, u32 order) {
    if (bad_request(gfp_mask, order))
        return 0;
    if (from_magazine(&frame_unmapped, gfp_mask, order))
        return pop(&frame_unmapped, gfp_mask);
    err first = port_alloc(order, gfp_mask, held_word());
    return first > 0 ? (pfn)first : 0;
}

void __free_pages(pfn first, u32 order) {
    if (order == 0)
        push(&frame_unmapped, first);
    else
        port_free(first, order, held_word());
}

static u32 next_of_run(pfn first, u32 done, u64 total, u64 *list) {
    u32 n = (u32)MIN(total - done, (u64)FRAME_BATCH_MAX);
    for (u32 i = 0; i < n; i++)
        list[i] = first + done + i;
    return n;
}

static void unmap_run(pfn first, u64 total) {
    u64 list[FRAME_BATCH_MAX];
    for (u32 done = 0, n; done < total; done += n) {
        n = next_of_run(first, done, total, list);
        port_unmap(list, n);
    }
}

static err map_run(pfn first, u64 total) {
    u64 list[FRAME_BATCH_MAX];
    for (u32 done = 0, n; done < total; done += n) {
        n = next_of_run(first, done, total, list);
        err e = port_map(list, n);
        if (e) {
            unmap_run(first, done);
            return e;
        }
    }
    return 0;
}

vaddr __get_free_pages(u32 gfp_mask, u32 order) {
    if (bad_request(gfp_mask, order))
        return 0;
    if (from_magazine(&mapped, gfp_mask, order)) {
        pfn frame = pop(&mapped, gfp_mask);
        return frame ? (vaddr)pfn_to_virt(frame) : 0;
    }
    err first = port_alloc(order, gfp_mask, held_word());
    if (first <= 0)
        return 0;
    if (map_run((pfn)first, 1ull << order)) {
        port_free((pfn)first, order, held_word());
        return 0;
    }
    return (vaddr)pfn_to_virt((pfn)first);
}

vaddr get_free_page(u32 gfp_mask) {
    vaddr page = __get_free_page(gfp_mask);
    if (page)
        memset((void *)page, 0, PAGE_BYTES);
    return page;
}

void free_pages(vaddr address, u32 order) {
    pfn first = virt_to_pfn((void *)address);
    if (order == 0) {
        push(&mapped, first);
        return;
    }
    unmap_run(first, 1ull << order);
    port_free(first, order, held_word());
}

void *kmap(pfn frame) {
    return port_map(&frame, 1) ? NULL : pfn_to_virt(frame);
}

void kunmap(pfn frame) {
    port_unmap(&frame, 1);
}

err frame_reserve(u32 count) {
    if (count > sizes.magazine_frames)
        return -E_NOMEM;
    while (frame_unmapped.count < count)
        if (refill(&frame_unmapped, GFP_HIGHUSER))
            return -E_NOMEM;
    return 0;
}

static u64 drain(struct frame_magazine *m) {
    u64 gone = 0;
    while (m->count) {
        u32 n = MIN(m->count, (u32)FRAME_BATCH_MAX);
        gone += n;
        relieve(m, n);
    }
    return gone;
}

/* Page tables that have become empty. */
static u64 drain_tables(void) {
    u64 list[FRAME_BATCH_MAX], gone = 0;
    for (u32 n; (n = port_unfeed(list)); gone += n)
        give_back(false, list, n);
    return gone;
}

u64 drain_magazines(void) {
    u64 gone = drain(&frame_unmapped);
    gone += drain(&mapped); /* whose mappings leave empty tables behind */
    return gone + drain_tables();
}
u64 frame_held(void) {
    return frame_unmapped.count + mapped.count;
}

/* SPDX-License-Identifier: MIT */
/* <ipc/frame.h>: magazines of single frames in front of the frame server.
 *
 * A magazine is a stack: full at `limit`, refilled and relieved by half a limit, or a batch if that is less.
 * Whatever goes to the server is taken off first and whatever comes from it is put in last, since other
 * threads may run while this one waits for the answer. frame reads the magazines whenever it likes. */
#include <ipc/frame.h>

#include <abi/errors.h>
#include <ipc/assert.h>
#include <string.h>

#include "frame_port.h"

static struct frame_magazine *const unmapped = &frame_magazines.unmapped;
static struct frame_magazine *const mapped = &frame_magazines.mapped;
static struct frame_attach_rep sizes;
enum { MAPPED_MAX = 64 }; /* mapping costs more than asking for the next few */

err frame_client_init(void) {
    err e = port_attach(&sizes);
    if (!e && (sizes.magazine_frames < FRAME_RESERVE_MAX || sizes.magazine_frames > MAGAZINE_MAX))
        e = -E_PROTO;
    if (!e) {
        unmapped->limit = (u32)sizes.magazine_frames;
        mapped->limit = MIN(unmapped->limit, MAPPED_MAX);
    }
    return e;
}

/* A list of one run; the rest of it stays as it is. */
static const struct runs *one_run(struct runs *r, pfn first, u64 frames) {
    r->count = 1;
    r->word[0] = FRAME_RUN(first, frames);
    return r;
}

/* Frames that are in no magazine go back to the server. */
static void give_back(bool are_mapped, const struct runs *runs) {
    if (are_mapped)
        port_unmap(runs);
    port_free_batch(runs);
}

static u32 half_of(const struct frame_magazine *m) {
    return MIN(m->limit / 2, (u32)FRAME_BATCH_MAX);
}

/* Takes up to `count` frames that have been in the magazine longest and gives them back. How many: as many as
 * a batch takes, at least one. */
static u32 relieve(struct frame_magazine *m, u32 count) {
    struct runs runs;
    u32 n = 0;
    ASSERT(count <= m->count && count <= FRAME_BATCH_MAX);
    for (runs.count = 0; n < count && runs_add(&runs, m->frames[n], 1);)
        n++;
    m->count -= n;
    memmove(m->frames, m->frames + n, m->count * sizeof m->frames[0]);
    give_back(m == mapped, &runs);
    return n;
}

/* Puts a run in so that it will be taken out in ascending order. */
static void put_run(struct frame_magazine *m, pfn first, u64 frames) {
    u32 *at = m->frames + m->count;
    for (pfn frame = first + frames; frame-- > first;)
        *at++ = (u32)frame;
    m->count += (u32)frames;
}

static err refill(struct frame_magazine *m, u32 gfp_mask) {
    struct runs runs;
    /* Who digs into the reserve takes just what it needs. */
    u32 want = gfp_mask & __GFP_MEMALLOC ? 1 : half_of(m);
    err got = port_alloc_batch(want, gfp_mask, &runs);
    if (got < 0)
        return got;
    ASSERT(got && got <= want);
    err e = m == mapped ? port_map(&runs) : 0;
    if (e) {
        give_back(false, &runs);
        return e;
    }
    while (m->count + (u32)got > m->limit) /* others have filled it meanwhile */
        relieve(m, m->count + (u32)got - m->limit);
    for (u32 i = 0; i < runs.count; i++)
        put_run(m, RUN_FIRST(runs.word[i]), RUN_COUNT(runs.word[i]));
    return 0;
}

static void push(struct frame_magazine *m, pfn frame) {
    while (m->count >= m->limit)
        relieve(m, half_of(m));
    m->frames[m->count++] = (u32)frame;
}

/* When frame has none: one from the other magazine, mapped or unmapped to suit. */
static pfn borrow(struct frame_magazine *from) {
    if (!from->count)
        return 0;
    pfn frame = from->frames[--from->count];
    struct runs run;
    one_run(&run, frame, 1);
    if (from == mapped) {
        port_unmap(&run);
    } else if (port_map(&run)) {
        push(from, frame);
        return 0;
    }
    return frame;
}

static pfn pop(struct frame_magazine *m, u32 gfp_mask) {
    /* Another thread may empty the magazine while this one fills it: look again. */
    while (!m->count)
        if (refill(m, gfp_mask))
            return borrow(m == mapped ? unmapped : mapped);
    return m->frames[--m->count];
}

enum { SEARCH_DEPTH = 4 }; /* a magazine that has been filled from High holds nothing else */

/* Whether the next frame of the magazine is below the High zone; brings one to the top if it is near. */
static bool find_low(struct frame_magazine *m) {
    for (u32 i = m->count; i && i + SEARCH_DEPTH > m->count; i--) {
        u32 frame = m->frames[i - 1];
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
    if (order < MAX_ORDER && !(gfp_mask & ~(u32)GFP_ALL))
        return false;
    err e = port_alloc(order, gfp_mask); /* the server refuses it, counts it and names us in the log */
    ASSERT(e < 0);
    return true;
}

/* Blocks with more than one user, in no order. */
static struct {
    pfn first;
    u32 more; /* users beside the first; 0: no block */
} shared[FRAME_SHARED_MAX];
static u32 shared_count;

/* Where a block is among the shared ones, or FRAME_SHARED_MAX. */
static u32 find_shared(pfn first) {
    for (u32 i = 0; i < FRAME_SHARED_MAX; i++)
        if (shared[i].more && shared[i].first == first)
            return i;
    return FRAME_SHARED_MAX;
}

err get_page(pfn first) {
    u32 i = find_shared(first);
    if (i < FRAME_SHARED_MAX)
        return shared[i].more++, 0;
    if (shared_count == FRAME_SHARED_MAX)
        return -E_NOMEM;
    for (i = 0; shared[i].more; i++) {
    }
    shared[i].first = first;
    shared[i].more = 1;
    shared_count++;
    return 0;
}

u32 page_count(pfn first) {
    u32 i = find_shared(first);
    return i < FRAME_SHARED_MAX ? shared[i].more + 1 : 1;
}

/* A free of a block with a count above 1 only lowers it: true then. */
static bool count_falls(pfn first) {
    u32 i = find_shared(first);
    if (i == FRAME_SHARED_MAX)
        return false;
    shared_count -= !--shared[i].more;
    return true;
}

pfn alloc_pages(u32 gfp_mask, u32 order) {
    if (bad_request(gfp_mask, order))
        return 0;
    if (from_magazine(unmapped, gfp_mask, order))
        return pop(unmapped, gfp_mask);
    err first = port_alloc(order, gfp_mask);
    return first > 0 ? (pfn)first : 0;
}

void __free_pages(pfn first, u32 order) {
    if (shared_count && count_falls(first))
        return;
    if (order == 0)
        push(unmapped, first);
    else
        port_free(first, order);
}

vaddr __get_free_pages(u32 gfp_mask, u32 order) {
    if (bad_request(gfp_mask, order))
        return 0;
    if (from_magazine(mapped, gfp_mask, order)) {
        pfn frame = pop(mapped, gfp_mask);
        return frame ? (vaddr)pfn_to_virt(frame) : 0;
    }
    err first = port_alloc(order, gfp_mask);
    if (first <= 0)
        return 0;
    struct runs run;
    if (port_map(one_run(&run, (pfn)first, 1ull << order))) {
        port_free((pfn)first, order);
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
    if (shared_count && count_falls(first))
        return;
    if (order == 0) {
        push(mapped, first);
        return;
    }
    struct runs run;
    port_unmap(one_run(&run, first, 1ull << order));
    port_free(first, order);
}

void *kmap(pfn frame) {
    struct runs run;
    return port_map(one_run(&run, frame, 1)) ? NULL : pfn_to_virt(frame);
}

void kunmap(pfn frame) {
    struct runs run;
    port_unmap(one_run(&run, frame, 1));
}

err frame_reserve(u32 count) {
    if (count > sizes.magazine_frames)
        return -E_NOMEM;
    while (unmapped->count < count)
        if (refill(unmapped, GFP_HIGHUSER))
            return -E_NOMEM;
    return 0;
}

static u64 drain(struct frame_magazine *m) {
    u64 gone = 0;
    while (m->count)
        gone += relieve(m, MIN(m->count, (u32)FRAME_BATCH_MAX));
    return gone;
}

/* Page tables that have become empty. */
static u64 drain_tables(void) {
    u64 list[FEED_MAX], gone = 0;
    for (u32 n; (n = port_unfeed(list)); gone += n) {
        struct runs runs;
        runs.count = 0;
        for (u32 i = 0; i < n; i++)
            runs_add(&runs, list[i], 1);
        give_back(false, &runs);
    }
    return gone;
}

u64 drain_magazines(void) {
    u64 gone = drain(unmapped);
    gone += drain(mapped); /* whose mappings leave empty tables behind */
    return gone + drain_tables();
}
u64 frame_held(void) {
    return unmapped->count + mapped->count;
}

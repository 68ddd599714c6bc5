/* SPDX-License-Identifier: MIT */
/* The client side of frame on the target: calls to frame and to the kernel. */
#include "frame_port.h"

#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/server.h>
#include <ipc/space.h>
#include <string.h>

char *frame_window = (char *)OWN_WINDOW;

err port_attach(struct frame_attach_rep *rep) {
    ASSERT(&frame_magazines == (void *)MAGAZINES_PAGE);
    return frame_attach(SERVICE(SRV_FRAME), &(struct frame_attach_req){0}, rep);
}

err port_alloc(u32 order, u32 gfp_mask) {
    struct frame_alloc_req req = {.order = order, .gfp = gfp_mask};
    struct frame_alloc_rep rep;
    err e = frame_alloc(SERVICE(SRV_FRAME), &req, &rep);
    return e ? e : (err)rep.first;
}

err port_alloc_batch(u32 count, u32 gfp_mask, struct runs *runs) {
    struct frame_alloc_batch_req req = {.count = count, .gfp = gfp_mask};
    struct frame_alloc_batch_rep rep;
    err e = frame_alloc_batch(SERVICE(SRV_FRAME), &req, 0, &rep);
    if (e)
        return e;
    ASSERT(rep.runs <= FRAME_RUNS_MAX);
    runs->count = (u32)rep.runs;
    memcpy(runs->word, ipc_tail(), runs->count * sizeof runs->word[0]);
    return (err)rep.count;
}

void port_free(pfn first, u32 order) {
    struct frame_free_req req = {.first = first, .order = order};
    struct frame_free_rep rep;
    err given = sys_give(SLOT_FRAME_ACCT, first, 1ull << order);
    ASSERT(given == 1ll << order);
    err e = frame_free(SERVICE(SRV_FRAME), &req, &rep);
    ASSERT(e == 0);
}

void port_free_batch(const struct runs *runs) {
    struct frame_free_batch_req req = {.runs = runs->count};
    struct frame_free_batch_rep rep;
    u64 frames = 0, *area = ipc_area(), *tail = ipc_tail();
    for (u32 i = 0; i < runs->count; i++) {
        area[i] = tail[i] = runs->word[i];
        frames += RUN_COUNT(runs->word[i]);
    }
    err given = sys_give(SLOT_FRAME_ACCT, GIVE_LIST, runs->count);
    ASSERT(given == (err)frames);
    err e = frame_free_batch(SERVICE(SRV_FRAME), &req, runs->count, &rep);
    ASSERT(e == 0);
}

static err map_items(const struct runs *runs) {
    struct map_item items[MAP_ITEMS_MAX];
    u32 n = 0;
    err e = 0;
    for (u32 i = 0; i < runs->count; i++) {
        pfn frame = RUN_FIRST(runs->word[i]);
        for (u64 left = RUN_COUNT(runs->word[i]); left && !e; left--, frame++) {
            items[n++] = (struct map_item){(vaddr)pfn_to_virt(frame) | MAP_READ | MAP_WRITE, frame};
            if (n == MAP_ITEMS_MAX) {
                e = space_map(SLOT_SPACE, items, n);
                n = 0;
            }
        }
    }
    return e ? e : space_map(SLOT_SPACE, items, n);
}

err port_map(const struct runs *runs) {
    err e = map_items(runs);
    ASSERT(e == 0 || e == -E_NOMEM);
    if (e)
        port_unmap(runs);
    return e;
}

void port_unmap(const struct runs *runs) {
    for (u32 i = 0; i < runs->count; i++)
        space_unmap(SLOT_SPACE, (vaddr)pfn_to_virt(RUN_FIRST(runs->word[i])), RUN_COUNT(runs->word[i]));
}

u32 port_unfeed(u64 *list) {
    err count = sys_unfeed(SLOT_SPACE, FEED_MAX);
    ASSERT(count >= 0);
    memcpy(list, ipc_area(), (u64)count * sizeof *list);
    return (u32)count;
}

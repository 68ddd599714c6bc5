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
    return frame_attach(SERVICE(SRV_FRAME), &(struct frame_attach_req){0}, rep);
}

err port_alloc(u32 order, u32 gfp_mask, u64 held) {
    struct frame_alloc_req req = {.order = order, .gfp = gfp_mask, .held = held};
    struct frame_alloc_rep rep;
    err e = frame_alloc(SERVICE(SRV_FRAME), &req, &rep);
    return e ? e : (err)rep.first;
}

err port_alloc_batch(u32 count, u32 gfp_mask, u64 held, u64 *list) {
    struct frame_alloc_batch_req req = {.count = count, .gfp = gfp_mask, .held = held};
    struct frame_alloc_batch_rep rep;
    err e = frame_alloc_batch(SERVICE(SRV_FRAME), &req, 0, &rep);
    if (e)
        return e;
    memcpy(list, ipc_tail(), rep.count * sizeof *list);
    return (err)rep.count;
}

void port_free(pfn first, u32 order, u64 held) {
    struct frame_free_req req = {.first = first, .order = order, .held = held};
    struct frame_free_rep rep;
    err given = sys_give(SLOT_FRAME_ACCT, first, 1ull << order);
    ASSERT(given == 1ll << order);
    err e = frame_free(SERVICE(SRV_FRAME), &req, &rep);
    ASSERT(e == 0);
}

void port_free_batch(const u64 *list, u32 count, u64 held) {
    struct frame_free_batch_req req = {.count = count, .held = held};
    struct frame_free_batch_rep rep;
    memcpy(ipc_area(), list, count * sizeof *list);
    err given = sys_give(SLOT_FRAME_ACCT, GIVE_LIST, count);
    ASSERT(given == count);
    memcpy(ipc_tail(), list, count * sizeof *list);
    err e = frame_free_batch(SERVICE(SRV_FRAME), &req, count, &rep);
    ASSERT(e == 0);
}

err port_map(const u64 *list, u32 count) {
    struct map_item items[FRAME_BATCH_MAX];
    for (u32 i = 0; i < count; i++)
        items[i] = (struct map_item){(vaddr)pfn_to_virt(list[i]) | MAP_READ | MAP_WRITE, list[i]};
    err e = space_map(SLOT_SPACE, items, count);
    ASSERT(e == 0 || e == -E_NOMEM);
    if (e)
        port_unmap(list, count);
    return e;
}

void port_unmap(const u64 *list, u32 count) {
    for (u32 i = 0, run; i < count; i += run) {
        for (run = 1; i + run < count && list[i + run] == list[i] + run;)
            run++;
        space_unmap(SLOT_SPACE, (vaddr)pfn_to_virt(list[i]), run);
    }
}

u32 port_unfeed(u64 *list) {
    err count = sys_unfeed(SLOT_SPACE, FEED_MAX);
    ASSERT(count >= 0);
    memcpy(list, ipc_area(), (u64)count * sizeof *list);
    return (u32)count;
}

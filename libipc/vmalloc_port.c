/* SPDX-License-Identifier: MIT */
/* vmalloc's mappings on the target. */
#include "vmalloc_port.h"

#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/server.h>
#include <ipc/space.h>

_Static_assert((u32)VMALLOC_BATCH <= MAP_ITEMS_MAX && (u32)VMALLOC_BATCH <= AREA_WORDS / 2, "one list each");

err vport_map(vaddr at, const pfn *frames, u32 n) {
    struct map_item items[VMALLOC_BATCH];
    for (u32 i = 0; i < n; i++)
        items[i] = (struct map_item){(at + i * PAGE_BYTES) | MAP_READ | MAP_WRITE, frames[i]};
    err e = space_map(SLOT_SPACE, items, n);
    if (e)
        space_unmap(SLOT_SPACE, at, n);
    return e;
}

/* The kernel tells which frames are mapped nowhere any more: no table of them is needed. */
void vport_unmap(vaddr at, u32 n, pfn *frames) {
    vaddr end = at + n * PAGE_BYTES;
    u32 got = 0;
    while (at < end) {
        struct pair p = sys_unmap(SLOT_SPACE, at, (end - at) / PAGE_BYTES, 0);
        const struct range_record *record = (const struct range_record *)ipc_area();
        ASSERT(p.r > 0 && (vaddr)p.r > at && got + (u32)p.second <= n);
        for (u32 i = 0; i < (u32)p.second; i++)
            frames[got++] = FRAME_OF(record[i].value);
        at = (vaddr)p.r;
    }
    ASSERT(got == n);
}

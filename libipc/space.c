/* SPDX-License-Identifier: MIT */
/* The server's own address space. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/server.h>
#include <ipc/space.h>
#include <string.h>

#define FEED_AHEAD 4 /* tables to feed at a time: one for each level, and one more */

err space_feed(u32 space, u32 n) {
    pfn got[FEED_MAX];
    u32 have = 0;
    ASSERT(n <= FEED_MAX);
    while (have < n && (got[have] = alloc_pages(GFP_KERNEL | __GFP_HIGHMEM, 0)))
        have++;
    if (!have)
        return -E_NOMEM;
    memcpy(ipc_area(), got, have * sizeof got[0]);
    err fed = sys_feed(space, have);
    for (u32 i = fed > 0 ? (u32)fed : 0; i < have; i++)
        __free_pages(got[i], 0);
    return fed < 0 ? fed : have < n ? -E_NOMEM : 0;
}

err space_map(u32 space, const struct map_item *items, u32 n) {
    while (n) {
        u32 batch = MIN(n, MAP_ITEMS_MAX);
        memcpy(ipc_area(), items, batch * sizeof *items);
        struct pair p = sys_map(space, batch);
        u32 done = p.r > 0 ? (u32)p.r : 0;
        err why = p.r < 0 ? p.r : done < batch ? -(err)p.second : 0;
        items += done;
        n -= done;
        if (why == -E_NEED_TABLES)
            why = space_feed(space, FEED_AHEAD);
        if (why)
            return why;
    }
    return 0;
}

void space_unmap(u32 space, vaddr first, u64 pages) {
    vaddr end = first + pages * PAGE_BYTES;
    while (first < end) {
        struct pair p = sys_unmap(space, first, (end - first) / PAGE_BYTES, 0);
        ASSERT(p.r > 0 && (vaddr)p.r > first);
        first = (vaddr)p.r;
    }
}

u64 virt_to_phys(const void *address) {
    vaddr at = (vaddr)address;
    struct pair p = sys_scan(SLOT_SPACE, ROUND_DOWN(at, PAGE_BYTES), 1, 0);
    const struct range_record *record = (const struct range_record *)ipc_area();
    ASSERT(p.r > 0 && (u32)p.second == 1 && record->value & PTE_PRESENT);
    return PTE_FRAME(record->value) * PAGE_BYTES + at % PAGE_BYTES;
}

/* SPDX-License-Identifier: MIT */
#include "boot.h"

#include <abi/info.h>
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <string.h>

#include "borders.h"

enum { RECORDS_MAX = AREA_WORDS * 8 / sizeof(struct frame_record) };

struct run {
    pfn first;
    u64 count;
};

/* A walk over the free frames of this account: those that are mapped nowhere and are no page tables. */
struct walk {
    pfn next; /* where the kernel is to go on; 0: it has been everywhere */
    u32 at, count;
    struct frame_record records[RECORDS_MAX];
};

static bool is_free(const struct frame_record *r) {
    return KIND_OF(r->id) == KIND_DATA && !USES_OF(r->counts) && !(FLAGS_OF(r->id) & FRAME_QUEUED);
}

static void read_records(struct walk *walk) {
    struct pair p = sys_frames(SLOT_ACCOUNT, walk->next, 0);
    ASSERT(p.r >= 0);
    walk->next = (pfn)p.r;
    walk->at = 0;
    walk->count = (u32)p.second;
    ASSERT(walk->count <= RECORDS_MAX);
    memcpy(walk->records, ipc_area(), walk->count * sizeof walk->records[0]);
}

/* The next run of free frames; count 0: no more. */
static struct run walk_next(struct walk *walk) {
    for (;;) {
        while (walk->at < walk->count) {
            const struct frame_record *r = &walk->records[walk->at++];
            if (is_free(r))
                return (struct run){FRAME_OF(r->id), ALIKE_OF(r->counts)};
        }
        if (!walk->next)
            return (struct run){0};
        read_records(walk);
    }
}

static struct walk walk;

/* The next n free frames. The walk begins in the upper half, for low frames are in greater demand, and goes
 * on at the bottom. */
static void take(u64 *list, u32 n) {
    static bool wrapped;
    static struct run run;
    for (u32 i = 0; i < n; i++, run.first++, run.count--) {
        if (!run.count)
            run = walk_next(&walk);
        if (!run.count && !wrapped) {
            wrapped = true;
            walk.next = 1;
            run = walk_next(&walk);
        }
        ASSERT(run.count);
        list[i] = run.first;
    }
}

static void feed(u64 n) {
    u64 list[FEED_MAX];
    for (u64 now; n; n -= now) {
        now = MIN(n, (u64)FEED_MAX);
        take(list, (u32)now);
        memcpy(ipc_area(), list, now * sizeof list[0]);
        err fed = sys_feed(SLOT_SPACE, now);
        ASSERT(fed == (err)now);
    }
}

/* Maps `pages` of the account's frames at HEAP_BASE, zeroed. */
static void *make_heap(u64 pages) {
    u64 list[MAP_ITEMS_MAX];
    feed(pages / 512 + 4); /* leaf tables, one more if they don't begin at a border, and the levels above */
    for (u64 done = 0, now; done < pages; done += now) {
        now = MIN(pages - done, (u64)MAP_ITEMS_MAX);
        take(list, (u32)now);
        struct map_item *items = (struct map_item *)ipc_area();
        for (u64 i = 0; i < now; i++)
            items[i] =
                (struct map_item){(HEAP_BASE + (done + i) * PAGE_BYTES) | MAP_READ | MAP_WRITE, list[i]};
        struct pair p = sys_map(SLOT_SPACE, now);
        ASSERT(p.r == (err)now);
    }
    return memset((void *)HEAP_BASE, 0, pages * PAGE_BYTES);
}

/* Each frame of the machine is released, or reserved. Runs that adjoin are released together. */
static void release_all(struct zones *zones) {
    u64 first = 1, end = 1;
    walk.next = 1;
    walk.at = walk.count;
    for (struct run run; (run = walk_next(&walk)).count; end += run.count) {
        if (run.first == end)
            continue;
        zones_release(zones, (u32)first, (u32)(end - first));
        zones_reserve(zones, (u32)end, (u32)(run.first - end));
        first = end = run.first;
    }
    zones_release(zones, (u32)first, (u32)(end - first));
    zones_reserve(zones, (u32)end, zones->frames - (u32)end);
}

void boot_zones(struct zones *zones) {
    const struct info_page *info = (const struct info_page *)INFO_PAGE;
    u32 frames = (u32)info->frames, dma_end = ZONE_DMA_END, normal_end = ZONE_NORMAL_END;
    if (!borders_parse(info->cmdline, &dma_end, &normal_end))
        log_line("zones= makes no sense: borders as usual");
    walk = (struct walk){.next = frames / 2};
    void *memory = make_heap(ROUND_UP(zones_bytes(frames, dma_end, normal_end), PAGE_BYTES) / PAGE_BYTES);
    err e = zones_init(zones, frames, dma_end, normal_end, memory);
    ASSERT(e == 0);
    release_all(zones);
    zones_set_watermarks(zones);
}

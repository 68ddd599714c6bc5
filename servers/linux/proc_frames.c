/* SPDX-License-Identifier: MIT */
/* Files of /proc about page frames: buddyinfo and zoneinfo as Linux has them, and quire/frames: the memory
 * map by state, out of frame's census. */
#include "proc_frames.h"

#include <string.h>

#include <abi/layout.h>
#include <ipc/server.h>
#include <proto/cache.def>
#include <proto/frame.def>
#include <proto/region.def>

typedef unsigned long long ull;

/* Zone number z; false past the last. */
static bool zone_info(u64 z, struct frame_zone *zone) {
    struct frame_zone_rep rep;
    static u64 zones = 1;
    if (z >= zones || frame_zone(SERVICE(SRV_FRAME), &(struct frame_zone_req){z}, 0, &rep) < 0)
        return false;
    memcpy(zone, ipc_tail(), sizeof *zone);
    zones = rep.zones;
    return true;
}

void proc_buddyinfo(struct text *t) {
    struct frame_zone zone;
    for (u64 z = 0; zone_info(z, &zone); z++) {
        if (!zone.managed)
            continue;
        text_printf(t, "Node 0, zone %8.16s", (char *)zone.name);
        for (u32 order = 0; order < ARRAY_LEN(zone.free_blocks); order++)
            text_printf(t, " %6llu", (ull)zone.free_blocks[order]);
        text_printf(t, " \n");
    }
}

/* "free" counts what lies in magazines, which "pagesets" shows: so free - count is the sum of buddyinfo's
 * row. */
static void one_zone(struct text *t, const struct frame_zone *zone) {
    const struct {
        const char *name;
        u64 pages;
    } row[] = {{"  pages free ", zone->free + zone->magazines},
               {"        boost", 0},
               {"        min  ", zone->min},
               {"        low  ", zone->low},
               {"        high ", zone->high},
               {"        spanned", zone->frames},
               {"        present", zone->present},
               {"        managed", zone->managed},
               {"        cma  ", 0}};
    text_printf(t, "Node 0, zone %8.16s\n", (char *)zone->name);
    for (u32 i = 0; i < ARRAY_LEN(row); i++)
        text_printf(t, "%-16s %llu\n", row[i].name, (ull)row[i].pages);
    text_printf(t, "        protection: (0, 0, 0)\n");
    if (!zone->managed)
        return;
    text_printf(t, "      nr_free_pages %llu\n  pagesets\n    cpu: 0\n              count: %llu\n",
                (ull)(zone->free + zone->magazines), (ull)zone->magazines);
    text_printf(t, "              high:  %llu\n              batch: %llu\n", (ull)zone->magazine_limit,
                (ull)MIN(zone->magazine_limit / 2, (u64)FRAME_BATCH_MAX));
    text_printf(t, "  node_unreclaimable:  0\n  start_pfn:           %llu\n", (ull)zone->first);
}

void proc_zoneinfo(struct text *t) {
    struct frame_zone zone;
    for (u64 z = 0; zone_info(z, &zone); z++)
        one_zone(t, &zone);
}

/* The census of the whole machine, or frame's error. */
static err whole_census(struct frame_census *sum) {
    struct frame_census slice;
    struct frame_census_rep rep = {0};
    *sum = (struct frame_census){0};
    do {
        err e = frame_census(SERVICE(SRV_FRAME), &(struct frame_census_req){rep.next}, 0, &rep);
        if (e < 0)
            return e;
        memcpy(&slice, ipc_tail(), sizeof slice);
        for (u32 i = 0; i < FRAME_STATES; i++)
            sum->count[i] += slice.count[i];
        if (slice.wrong && !sum->wrong)
            sum->first_wrong = slice.first_wrong;
        sum->wrong += slice.wrong;
    } while (rep.next);
    return 0;
}

static void row(struct text *t, const char *state, u64 frames) {
    text_printf(t, "%-16s %10llu %11llu\n", state, (ull)frames, (ull)frames * 4);
}

/* Part of what a server holds, and the rest: what it uses itself. */
static u64 part(u64 *of, u64 frames) {
    u64 n = MIN(*of, frames);
    *of -= n;
    return n;
}

static void held_rows(struct text *t, const u64 held[FRAME_CLIENTS]) {
    struct cache_memory_rep c = {0};
    struct region_stat_rep stat;
    struct region_stat r = {0};
    u64 cache = held[SRV_CACHE], region = held[SRV_REGION];
    if (region_stat(SERVICE(SRV_REGION), &(struct region_stat_req){0}, 0, &stat) >= 0)
        memcpy(&r, ipc_tail(), sizeof r);
    if (cache_memory(SERVICE(SRV_CACHE), &(struct cache_memory_req){0}, &c) < 0)
        c = (struct cache_memory_rep){0};
    row(t, "slab", held[SRV_SLAB]);
    row(t, "page cache", part(&cache, c.cached));
    row(t, "buffer", part(&cache, c.buffers));
    row(t, "anonymous", part(&region, r.anonymous_pages));
    row(t, "swap cache", 0);
    row(t, "servers", cache + region + held[SRV_ATA] + held[SRV_LINUX] + held[SRV_CONSOLE] + held[SRV_ROOT]);
}

/* How much of the free memory is in blocks too small for a request, in thousandths, by order. */
static void fragmentation(struct text *t, const u64 free[MAX_ORDER]) {
    u64 total = 0, small = 0;
    u32 largest = 0;
    for (u32 order = 0; order < MAX_ORDER; order++) {
        total += free[order];
        largest = free[order] ? order : largest;
    }
    text_printf(t, "\nlargest free block: order %u, of %llu frames in free blocks\n", largest, (ull)total);
    text_printf(t, "too small for order 0 to 9, in thousandths:");
    for (u32 order = 0; order < MAX_ORDER; small += free[order++])
        text_printf(t, " %llu", total ? (ull)(small * 1000 / total) : 0ull);
    text_printf(t, "\n");
}

static void holders(struct text *t) {
    static const char *const names[SRV_COUNT] = {
        [SRV_SLAB] = "slab", [SRV_REGION] = "region", [SRV_CACHE] = "cache",
        [SRV_ATA] = "ata",   [SRV_LINUX] = "linux",   [SRV_CONSOLE] = "console"};
    text_printf(t, "\nholder        frames  magazines     allocs      frees   failures   mistakes\n");
    for (u64 i = 0; i < SRV_COUNT; i++) {
        struct frame_holder_rep h;
        if (!names[i] || frame_holder(SERVICE(SRV_FRAME), &(struct frame_holder_req){i}, &h) < 0)
            continue;
        text_printf(t, "%-9s %10llu %10llu %10llu %10llu %10llu %10llu\n", names[i], (ull)h.frames,
                    (ull)h.magazines, (ull)h.allocs, (ull)h.frees, (ull)h.failures, (ull)h.mistakes);
    }
}

void proc_frames(struct text *t) {
    struct frame_census c;
    u64 sum = 0;
    err e = whole_census(&c);
    if (e < 0) {
        text_printf(t, "frame's census broke off: %s\n", err_name(e));
        return;
    }
    text_printf(t, "%-16s %10s %11s\n", "state", "frames", "kB");
    row(t, "hole", c.count[FRAME_HOLE]);
    row(t, "kernel", c.count[FRAME_KERNEL]);
    row(t, "reserved", c.count[FRAME_RESERVED]);
    row(t, "page table", c.count[FRAME_TABLE]);
    row(t, "kernel object", c.count[FRAME_OBJECT]);
    held_rows(t, &c.count[FRAME_HELD]);
    row(t, "magazine", c.count[FRAME_MAGAZINE]);
    for (u32 order = 0; order < MAX_ORDER; order++)
        text_printf(t, "free, order %-4u %10llu %11llu\n", order, (ull)c.count[FRAME_FREE + order],
                    (ull)c.count[FRAME_FREE + order] * 4);
    row(t, "unknown", c.count[FRAME_UNKNOWN]);
    for (u32 i = 0; i < FRAME_STATES; i++)
        sum += c.count[i];
    row(t, "sum", sum);
    fragmentation(t, &c.count[FRAME_FREE]);
    holders(t);
    text_printf(t, "\ncontradictions with the kernel's frame table: %llu\n", (ull)c.wrong);
    if (c.wrong)
        text_printf(t, "the first at frame %llu\n", (ull)c.first_wrong);
}

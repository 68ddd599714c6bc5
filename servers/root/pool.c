/* SPDX-License-Identifier: MIT */
/* root's frames: those of account 1 that are neither a boot module nor part of root itself. They are taken
 * from the front of each run. */
#include "root.h"
#include <ipc/assert.h>
#include <ipc/server.h>
#include <ipc/sys.h>
#include <string.h>

#define RUNS_MAX    64
#define KEEP_FRAMES 32 /* for root's own later needs */

static struct run {
    pfn first;
    u64 frames;
} runs[RUNS_MAX];
static u32 runs_count;

pfn info_frame(void) {
    static pfn frame;
    if (!frame) { /* it is mapped in root at INFO_PAGE: a scan tells its frame */
        struct pair p = sys_scan(SLOT_SPACE, INFO_PAGE, 1, 0);
        if (p.r < 0 || (u32)p.second != 1)
            fail("finding the information page", p.r);
        frame = PTE_FRAME(((const struct range_record *)ipc_area())->value);
    }
    return frame;
}

void pool_init(void) {
    pfn from = info_frame(), end = from + ROOT_FRAMES;
    do {
        struct pair p = sys_frames(SLOT_ACCOUNT, from, 0);
        if (p.r < 0)
            fail("listing root's frames", p.r);
        const struct frame_record *r = (const struct frame_record *)ipc_area();
        for (u64 i = 0; i < (u32)p.second; i++)
            if (KIND_OF(r[i].id) == KIND_DATA && !USES_OF(r[i].counts) && runs_count < RUNS_MAX)
                runs[runs_count++] = (struct run){FRAME_OF(r[i].id), ALIKE_OF(r[i].counts)};
        from = (pfn)p.r;
    } while (from && from < end);
}

pfn pool_take(u64 frames) {
    for (u32 i = 0; i < runs_count; i++) {
        struct run *r = &runs[i];
        if (r->frames < frames)
            continue;
        r->first += frames;
        r->frames -= frames;
        return r->first - frames;
    }
    fail("root is out of frames", -E_NOMEM);
}

static void feed_from_pool(u32 space) {
    enum { TABLES = 4 };
    for (u32 i = 0; i < TABLES; i++)
        ipc_area()[i] = pool_take(1);
    err e = sys_feed(space, TABLES);
    if (e < 0)
        fail("feeding a table pool", e);
}

void map_own(vaddr at, pfn first, u64 pages, u32 rights, u32 space) {
    while (pages) {
        struct map_item *items = (struct map_item *)ipc_area();
        u64 batch = MIN(pages, (u64)MAP_ITEMS_MAX);
        for (u64 i = 0; i < batch; i++)
            items[i] = (struct map_item){(at + i * PAGE_BYTES) | rights, first + i};
        struct pair p = sys_map(space, batch);
        u64 done = p.r > 0 ? (u64)p.r : 0;
        if (done < batch) {
            err why = p.r < 0 ? p.r : -(err)p.second;
            if (why != -E_NEED_TABLES)
                fail("mapping a frame", why);
            feed_from_pool(space);
        }
        at += done * PAGE_BYTES;
        first += done;
        pages -= done;
    }
}

void unmap_own(vaddr at, u64 pages) {
    vaddr end = at + pages * PAGE_BYTES;
    while (at < end) {
        struct pair p = sys_unmap(SLOT_SPACE, at, (end - at) / PAGE_BYTES, 0);
        ASSERT(p.r > 0 && (vaddr)p.r > at);
        at = (vaddr)p.r;
    }
}

static void give_run(pfn first, u64 frames) {
    while (frames) {
        u64 n = MIN(frames, (u64)RUN_MAX);
        err e = sys_give(BOOT_FRAME_ACCT, first, n);
        if (e != (err)n)
            fail("giving frames to frame", e);
        first += n;
        frames -= n;
    }
}

void pool_give_rest(void) {
    u64 keep = KEEP_FRAMES;
    for (u32 i = 0; i < runs_count; i++) {
        u64 stay = MIN(keep, runs[i].frames);
        keep -= stay;
        give_run(runs[i].first + stay, runs[i].frames - stay);
        runs[i].frames = stay;
    }
    for (u64 i = 0; i < info()->modules_count;
         i++) { /* images have been copied; the command is linux's to read */
        const struct info_module *m = &info()->modules[i];
        if (strcmp(m->name, "cmd") != 0 && strcmp(m->name, "root") != 0)
            give_run(m->first, ROUND_UP(m->bytes, PAGE_BYTES) / PAGE_BYTES);
    }
}

/* SPDX-License-Identifier: MIT */
/* cache: the cache server's shell. Memory for the tables, the disk, the workers, and who may ask for what. */
#include <abi/info.h>
#include <abi/layout.h>
#include <abi/trace.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <ipc/slab.h>
#include <ipc/vmalloc.h>
#include <ipc/space.h>
#include <proto/bits.h>
#include <proto/cache.def>
#include <proto/limits.h>

#include "reclaim.h"
#include "shell.h"

PROTO_DISPATCH(cache, CACHE_OPS)

enum {
    FRAMES_PER_BUCKET = 4,
    RECLAIM_TARGET = 128, /* frames that go when memory is low; frame asks again if that is not enough */
};

struct cache cache;
const struct host host = {.alloc_frame = memory_alloc,
                          .free_frame = memory_free,
                          .address = memory_address,
                          .mapped = memory_mapped,
                          .yield = memory_yield,
                          .submit = disk_submit,
                          .wait = worker_wait,
                          .wake = worker_wake};

/* What the disk holds is not believed: say once what was wrong with it. */
static void log_faults(void) {
    static u64 logged;
    if (cache.fs.fault.count == logged)
        return;
    logged = cache.fs.fault.count;
    log_line("ext2: %s (%lu), %lu so far", cache.fs.fault.reason, cache.fs.fault.where, logged);
}

static err dispatch(struct ipc_ctx *c, u64 label, u64 *w) {
    err e = serve_check(c, label);
    if (e)
        return e;
    e = cache_dispatch(c, label, w);
    log_faults();
    return e;
}

/* By one worker at a time: this lets others run, whose requests for memory are the next reasons to be told
 * that it is low. If all of them came here, none would be left to tell a request that there is none. */
static void make_room(void) {
    static bool under_way;
    if (under_way)
        return;
    under_way = true;
    u64 freed = reclaim(&cache, RECLAIM_TARGET) + kmem_cache_reap();
    if (freed < RECLAIM_TARGET)
        (void)kmem_cache_drain(); /* names and inodes went, or few pages are left: their slabs are empty */
    under_way = false;
    const struct info_page *info = (const struct info_page *)INFO_PAGE;
    if (info->trace_mask & BIT(TRACE_USER))
        (void)sys_trace_event(TRACE_USER_reclaim, 0, RECLAIM_TARGET, freed, 0, 0); /* nobody could be told */
}

static void on_bits(u64 bits) {
    worker_busy();
    if (bits & BIT(BIT_MEMORY_LOW))
        make_room();
    if (bits & BIT(BIT_DRAIN))
        memory_drain();
    workers_run_queue();
}

/* The page cache's hash table, by the memory of the machine: large, and so not of contiguous frames. */
static struct page_bucket *make_buckets(u32 *count) {
    u64 wanted = ((const struct info_page *)INFO_PAGE)->frames / FRAMES_PER_BUCKET;
    u32 n = PAGE_BYTES / sizeof(struct page_bucket);
    while (n < wanted)
        n *= 2;
    for (;; n /= 2) {
        struct page_bucket *table = vmalloc((u64)n * sizeof *table);
        if (table || n * sizeof *table <= PAGE_BYTES) {
            *count = n;
            return table;
        }
    }
}

#define OWN_SLOTS 128 /* for the workers' */

int main(void) {
    static const struct server server = {
        .name = "cache",
        .endpoint = SLOT_ENDPOINT,
        .on_call = worker_on_call,
        .on_bits = on_bits,
        .before_wait = worker_before_wait,
    };
    log_name(server.name);
    ASSERT(server_slots >= SLOT_FREE + TASKS_MAX + OWN_SLOTS);
    err e = frame_client_init();
    if (!e)
        e = kmem_cache_init();
    ASSERT(e == 0);
    err sectors = disk_init();
    ASSERT(sectors >= 0);
    u32 bucket_count;
    struct page_bucket *buckets = make_buckets(&bucket_count);
    ASSERT(buckets);
    e = cache_init(&cache, &host, (u64)sectors, buckets, bucket_count);
    cache.pages.shm_most = ((const struct info_page *)INFO_PAGE)->frames / 2;
    if (!e)
        e = workers_init();
    if (!e)
        e = workers_start(&server, dispatch);
    ASSERT(e == 0);
    server_run(&server);
}

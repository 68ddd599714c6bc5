/* SPDX-License-Identifier: MIT */
/* What kmem_cache_alloc and its kin, kmalloc and vmalloc cost, measured by a server in the place of linux. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/server.h>
#include <ipc/slab.h>
#include <ipc/vmalloc.h>
#include <proto/bits.h>

#include "measure.h"

enum { OBJECT_BYTES = 120, TABLE_BYTES = 1 << 20 };

static void *objects[RUNS * 64];

static void hits(const char *alloc_name, const char *free_name, u32 flags) {
    struct kmem_cache *cache = kmem_cache_create(alloc_name, OBJECT_BYTES, 0, flags, NULL, NULL);
    void *first = kmem_cache_alloc(cache, GFP_KERNEL); /* keeps the slab partial */
    for (u32 i = 0; i < RUNS; i++) {
        MEASURE(i, objects[0] = kmem_cache_alloc(cache, GFP_KERNEL));
        kmem_cache_free(cache, objects[0]);
    }
    report(alloc_name, 1);
    for (u32 i = 0; i < RUNS; i++) {
        objects[0] = kmem_cache_alloc(cache, GFP_KERNEL);
        MEASURE(i, kmem_cache_free(cache, objects[0]));
    }
    report(free_name, 1);
    kmem_cache_free(cache, first);
}

/* Objects until RUNS slabs have come; then each slab's way back. */
static void slabs(const char *grow_name, const char *release_name, u32 size) {
    struct kmem_cache *cache = kmem_cache_create(grow_name, size, 0, 0, NULL, NULL);
    u32 n = 0;
    for (u32 i = 0; i < RUNS;) {
        ASSERT(n < ARRAY_LEN(objects));
        objects[n] = kmem_cache_alloc(cache, GFP_KERNEL | SLAB_NO_GROW);
        if (!objects[n]) {
            MEASURE(i, objects[n] = kmem_cache_alloc(cache, GFP_KERNEL));
            i++;
        }
        ASSERT(objects[n++]);
    }
    report(grow_name, 1);
    for (u32 i = 0, per_slab = (n + RUNS - 1) / RUNS; i < RUNS; i++) {
        for (u32 k = 0; k < per_slab && n; k++)
            kmem_cache_free(cache, objects[--n]);
        MEASURE(i, kmem_cache_shrink(cache));
    }
    report(release_name, 1);
}

static void sizes(const char *name, u64 size) {
    for (u32 i = 0; i < RUNS; i++) {
        MEASURE(i, objects[0] = kmalloc(size, GFP_KERNEL));
        ASSERT(objects[0]);
        kfree(objects[0]);
    }
    report(name, 1);
}

static void tables(void) {
    for (u32 i = 0; i < RUNS; i++) {
        MEASURE(i, objects[0] = vmalloc(TABLE_BYTES));
        ASSERT(objects[0]);
        vfree(objects[0]);
    }
    report("vmalloc", TABLE_BYTES / PAGE_BYTES);
    for (u32 i = 0; i < RUNS; i++) {
        objects[0] = vmalloc(TABLE_BYTES);
        MEASURE(i, vfree(objects[0]));
    }
    report("vfree", TABLE_BYTES / PAGE_BYTES);
}

int main(void) {
    log_name("bench");
    ASSERT(frame_client_init() == 0);
    ASSERT(kmem_cache_init() == 0);
    find_overhead();
    hits("alloc_hit", "free_hit", 0);
    hits("alloc_debug", "free_debug", SLAB_DEBUG);
    slabs("grow_0", "release_0", 4000);
    slabs("grow_5", "release_5", KMEM_SIZE_MAX);
    sizes("kmalloc_32", 32);
    sizes("kmalloc_4096", 4096);
    sizes("kmalloc_131072", KMEM_SIZE_MAX);
    tables();
    (void)sys_notify(SERVICE(SRV_ROOT), ROOT_EXIT(0));
    for (;;)
        ipc_sleep(SLOT_ENDPOINT, 0);
}

/* SPDX-License-Identifier: MIT */
/* A client of slab in the place of linux, that does what the word slab-test= of the command line says: gets a
 * large table out of fragmented memory, misuses objects, ruins its slabs and starts anew, or measures. */
#include <abi/info.h>
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <ipc/slab.h>
#include <ipc/vmalloc.h>
#include <proto/bits.h>
#include <proto/frame.def>
#include <proto/slab.def>
#include <string.h>

static _Noreturn void end(void) {
    (void)sys_notify(SERVICE(SRV_ROOT), ROOT_EXIT(0));
    for (;;)
        ipc_sleep(SLOT_ENDPOINT, 0);
}

static struct frame_memory_rep memory(void) {
    struct frame_memory_rep m;
    ASSERT(frame_memory(SERVICE(SRV_FRAME), &(struct frame_memory_req){0}, &m) == 0);
    return m;
}

/* Vmalloc: every eighth frame of the machine stays in use, and all blocks of order 3. */

enum { HELD_MAX = 40000, TABLE_BYTES = 1 << 20 };
static u32 held[HELD_MAX], blocks[HELD_MAX / 8];

static u64 free_blocks_of_order(u32 least) {
    struct frame_zone_rep rep;
    struct frame_zone zone;
    u64 blocks_free = 0;
    for (u64 z = 0; frame_zone(SERVICE(SRV_FRAME), &(struct frame_zone_req){z}, 0, &rep) == 0; z++) {
        memcpy(&zone, ipc_tail(), sizeof zone);
        for (u32 order = least; order < MAX_ORDER; order++)
            blocks_free += zone.free_blocks[order];
    }
    return blocks_free;
}

static void fill_and_check(u64 *table) {
    for (u64 i = 0; i < TABLE_BYTES / 8; i++)
        table[i] = i * 0x9e3779b97f4a7c15ull;
    for (u64 i = 0; i < TABLE_BYTES / 8; i++)
        ASSERT(table[i] == i * 0x9e3779b97f4a7c15ull);
}

static void test_vmalloc(void) {
    u32 n = 0, kept = 0, m = 0;
    pfn frame;
    void *warm = vmalloc(TABLE_BYTES); /* page tables and slabs are there */
    ASSERT(warm);
    vfree(warm);
    drain_magazines();
    u64 before = memory().free;
    while (n < HELD_MAX && (frame = alloc_page(GFP_HIGHUSER)))
        held[n++] = (u32)frame;
    ASSERT(n < HELD_MAX);
    for (u32 i = 0; i < n; i++) {
        if (held[i] % 8)
            __free_page(held[i]);
        else
            held[kept++] = held[i];
    }
    do {
        drain_magazines(); /* whose frames may make blocks */
        while ((frame = alloc_pages(GFP_HIGHUSER, 3)))
            blocks[m++] = (u32)frame;
    } while (drain_magazines());
    u64 left = free_blocks_of_order(3);
    log_line("%lu blocks of order 3 and above left in %lu free frames", left, memory().free);
    ASSERT(left == 0 && !kmalloc(KMEM_SIZE_MAX, GFP_KERNEL));
    u64 *table = vmalloc(TABLE_BYTES);
    ASSERT(table);
    fill_and_check(table);
    vfree(table);
    while (kept)
        __free_page(held[--kept]);
    while (m)
        __free_pages(blocks[--m], 3);
    drain_magazines();
    log_line("%lu frames free, %lu before", memory().free, before);
    ASSERT(memory().free == before);
}

/* Misuse: the run ends with what kmem has to say. */

static __attribute__((noinline)) u8 *taker(struct kmem_cache *cache) {
    u8 *object = kmem_cache_alloc(cache, GFP_KERNEL);
    __asm__ volatile("" ::: "memory");
    return object;
}
static __attribute__((noinline)) void giver(struct kmem_cache *cache, void *object) {
    kmem_cache_free(cache, object);
    __asm__ volatile("" ::: "memory");
}

static void misuse(char how) {
    struct kmem_cache *cache = kmem_cache_create("watched", 50, 0, SLAB_DEBUG, NULL, NULL);
    struct kmem_cache *other = kmem_cache_create("other", 50, 0, 0, NULL, NULL);
    u8 *object = taker(cache);
    if (how == 'p')
        object[50] = 1;
    giver(how == 'w' ? other : cache, object);
    if (how == 't')
        giver(cache, object);
    object[10] = 1;
    taker(cache);
}

/* A client that ruins everything in its window, and starts anew. */

static void ruin(void) {
    for (vaddr at = SLAB_WINDOW; at < SLAB_WINDOW + 4 * SLAB_CHUNK_BYTES; at += PAGE_BYTES) {
        struct pair p = sys_scan(SLOT_SPACE, at, 1, 0);
        if (p.r > 0 && (u32)p.second)
            memset((void *)at, 0xa7, PAGE_BYTES);
    }
}

static struct slab_info info_of(const char *name) {
    struct slab_info_rep rep;
    struct slab_info info;
    for (u64 at = 0; slab_info(SERVICE(SRV_SLAB), &(struct slab_info_req){at}, 0, &rep) == 0; at = rep.next) {
        memcpy(&info, ipc_tail(), sizeof info);
        if (!strcmp((char *)info.name, name))
            return info;
    }
    return (struct slab_info){0};
}

static void give_all_back(void) {
    struct slab_shrink_rep shrunk;
    struct frame_drain_rep drained;
    ASSERT(slab_shrink(SERVICE(SRV_SLAB), &(struct slab_shrink_req){0}, &shrunk) == 0);
    ASSERT(frame_drain(SERVICE(SRV_FRAME), &(struct frame_drain_req){0}, &drained) == 0);
    drain_magazines();
}

static void live_ruinously(void) {
    struct slab_attach_rep rep;
    ASSERT(kmem_cache_init() == 0);
    for (u64 size = 20; size < KMEM_SIZE_MAX; size = size * 5 / 4) {
        struct kmem_cache *cache =
            kmem_cache_create("ruined", size, 0, size % 2 ? SLAB_CACHE_DMA : 0, NULL, NULL);
        for (u32 i = 0; i < 10; i++)
            ASSERT(cache && kmem_cache_alloc(cache, GFP_KERNEL));
        ruin();
        struct slab_info info = info_of("ruined");
        ASSERT(info.slabs * info.objects_per_slab == info.objects && info.objects >= 10 &&
               info.active_objects <= info.objects);
        ASSERT(slab_attach(SERVICE(SRV_SLAB), &(struct slab_attach_req){0}, &rep) == 0);
        ASSERT(!info_of("ruined").slabs && ((struct slab_counts *)rep.counts)->taken == 0);
        ASSERT(kmem_cache_init() == 0);
    }
}

static void test_anew(void) {
    u64 free_after[3];
    for (u32 life = 0; life < ARRAY_LEN(free_after); life++) {
        live_ruinously();
        give_all_back();
        free_after[life] = memory().free;
        log_line("%lu frames free after ruinous life %u", free_after[life], life);
    }
    ASSERT(free_after[1] == free_after[2]); /* after the first one there are page tables */
}

/* With slabs, and dead: slab has to get them back from root. */
static void test_death(void) {
    for (u32 i = 0; i < 100; i++)
        ASSERT(kmalloc(8192, GFP_KERNEL));
    log_line("dies now");
    *(volatile int *)0x123000 = 1;
}

static const char *test_word(void) {
    const char *line = ((const struct info_page *)INFO_PAGE)->cmdline, key[] = "slab-test=";
    while (*line && strncmp(line, key, sizeof key - 1))
        line++;
    ASSERT(*line);
    return line + sizeof key - 1;
}

int main(void) {
    const char *word = test_word();
    log_name("slab-test");
    ASSERT(frame_client_init() == 0);
    ASSERT(kmem_cache_init() == 0);
    if (*word == 'v')
        test_vmalloc();
    else if (*word == 'm')
        misuse(word[1]);
    else if (*word == 'a')
        test_anew();
    else
        test_death();
    log_line("done");
    end();
}

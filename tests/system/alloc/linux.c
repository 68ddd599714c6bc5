/* SPDX-License-Identifier: MIT */
/* A client of frame and slab in the place of linux: random allocations, each checked for its contents; bad
 * requests; all of memory. After each round the free frames must be as many as after the one before. Ends the
 * run with status 0, or dies of an assertion. */
#include <abi/info.h>
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <ipc/slab.h>
#include <proto/bits.h>
#include <proto/frame.def>
#include <proto/slab.def>
#include <string.h>

enum { STEPS = 4000, BLOCKS = 400, OBJECTS = 400, ROUNDS = 4 };

static u64 seed = 0x9e3779b9;
static u64 rnd(u64 n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 11) % n;
}

static struct block {
    pfn first;
    u32 order;
    bool mapped;
} blocks[BLOCKS];

static bool take_block(struct block *b) {
    static const u32 masks[] = {GFP_HIGHUSER, GFP_HIGHUSER, GFP_KERNEL, GFP_DMA};
    u32 gfp = masks[rnd(4)];
    b->order = rnd(10) ? 0 : (u32)rnd(6);
    b->mapped = rnd(2);
    if (!b->mapped)
        return (b->first = alloc_pages(gfp, b->order)) != 0;
    vaddr at = __get_free_pages(gfp, b->order);
    b->first = virt_to_pfn((void *)at);
    for (u64 i = 0; at && i < 1ull << b->order; i++)
        *(u64 *)(at + i * PAGE_BYTES) = b->first + i;
    return at != 0;
}

static void put_block(const struct block *b) {
    if (!b->mapped) {
        __free_pages(b->first, b->order);
        return;
    }
    for (u64 i = 0; i < 1ull << b->order; i++)
        ASSERT(*(u64 *)pfn_to_virt(b->first + i) == b->first + i);
    free_pages((vaddr)pfn_to_virt(b->first), b->order);
}

static void frames_round(void) {
    u32 n = 0;
    for (u32 step = 0; step < STEPS; step++) {
        if (n < BLOCKS && rnd(100) < (step / 1000 % 2 ? 40u : 60u))
            n += take_block(&blocks[n]);
        else if (n) {
            u32 i = (u32)rnd(n);
            put_block(&blocks[i]);
            blocks[i] = blocks[--n];
        }
    }
    while (n)
        put_block(&blocks[--n]);
}

static struct object { u64 *at, size; } objects[OBJECTS];

static void put_object(const struct object *o) {
    for (u64 i = 0; i < o->size / 8; i++)
        ASSERT(o->at[i] == (u64)o->at + i);
    kfree(o->at);
}

static void slab_round(void) {
    static const u64 sizes[] = {32, 96, 200, 512, 1000, 4096, 20000};
    u32 n = 0;
    for (u32 step = 0; step < STEPS; step++) {
        if (n < OBJECTS && rnd(100) < (step / 1000 % 2 ? 40u : 60u)) {
            u64 size = sizes[rnd(ARRAY_LEN(sizes))], *at = kmalloc(size, GFP_KERNEL);
            if (!at)
                continue;
            for (u64 i = 0; i < size / 8; i++)
                at[i] = (u64)at + i;
            objects[n++] = (struct object){at, size};
        } else if (n) {
            u32 i = (u32)rnd(n);
            put_object(&objects[i]);
            objects[i] = objects[--n];
        }
    }
    while (n)
        put_object(&objects[--n]);
}

/* Who frees memory by it gets more when all others are refused, but never what is below a quarter of min. */
static void dig_into_reserve(void) {
    static pfn list[1024];
    struct frame_zone_rep rep = {.zones = 1};
    struct frame_zone zone;
    u32 n = 0;
    while (n < ARRAY_LEN(list) && (list[n] = alloc_page(GFP_HIGHUSER | __GFP_MEMALLOC)))
        n++;
    ASSERT(n && n < ARRAY_LEN(list));
    for (u64 z = 0; z < rep.zones; z++) {
        ASSERT(frame_zone(SERVICE(SRV_FRAME), &(struct frame_zone_req){z}, 0, &rep) == 0);
        memcpy(&zone, ipc_tail(), sizeof zone);
        ASSERT(zone.free + zone.magazines >= zone.min / 4);
        ASSERT(zone.free + zone.magazines < zone.min || !zone.min);
    }
    while (n)
        __free_page(list[--n]);
}

/* All of memory, down to the watermarks. */
static void exhaust(u64 total) {
    pfn *next, first = 0; /* each frame's first word names the one before */
    u64 count = 0;
    for (vaddr at; count < 20000 && (at = __get_free_page(GFP_HIGHUSER)); count++) {
        *(pfn *)at = first;
        first = virt_to_pfn((void *)at);
    }
    ASSERT(count == 20000 || count > total * 9 / 10);
    ASSERT(count == 20000 || !alloc_pages(GFP_KERNEL, 1)); /* a single one may be left in a magazine */
    if (count < 20000)
        dig_into_reserve();
    for (; first; count--) {
        next = pfn_to_virt(first);
        first = *next;
        free_page((vaddr)next);
    }
    ASSERT(count == 0);
}

static u64 mistakes;

static void bad_requests(void) {
    u32 frame = SERVICE(SRV_FRAME), slab = SERVICE(SRV_SLAB);
    struct frame_free_rep free_rep;
    struct frame_alloc_rep alloc_rep;
    struct slab_release_rep release_rep;
    struct slab_grow_rep grow_rep;
    pfn mine = alloc_page(GFP_HIGHUSER);
    ASSERT(frame_free(frame, &(struct frame_free_req){.first = mine}, &free_rep) == -E_OWNER); /* not given */
    ASSERT(frame_free(frame, &(struct frame_free_req){.first = mine, .order = 1}, &free_rep) == -E_KIND);
    ASSERT(frame_free(frame, &(struct frame_free_req){.first = ~0ull}, &free_rep) == -E_RANGE);
    ASSERT(frame_alloc(frame, &(struct frame_alloc_req){.order = MAX_ORDER}, &alloc_rep) == -E_INVAL);
    ASSERT(frame_alloc(frame, &(struct frame_alloc_req){.gfp = 1 << 20}, &alloc_rep) == -E_INVAL);
    ASSERT(slab_release(slab, &(struct slab_release_req){.slab = SLAB_WINDOW}, &release_rep) == -E_STALE);
    ASSERT(slab_grow(slab, &(struct slab_grow_req){.cache = 255}, &grow_rep) == -E_INVAL);
    ASSERT(frame_free(frame, &(struct frame_free_req){.first = mine + 1, .order = 9}, &free_rep) < 0);
    /* Mapped or pinned it can't be given, and frame sees that it was not. */
    ASSERT(kmap(mine));
    ASSERT(sys_give(SLOT_FRAME_ACCT, mine, 1) == -E_MAPPED);
    ASSERT(frame_free(frame, &(struct frame_free_req){.first = mine}, &free_rep) == -E_OWNER);
    kunmap(mine);
    ipc_area()[0] = mine;
    ASSERT(sys_pin(1) == 1);
    ASSERT(sys_give(SLOT_FRAME_ACCT, mine, 1) == -E_MAPPED);
    ASSERT(frame_free(frame, &(struct frame_free_req){.first = mine}, &free_rep) == -E_OWNER);
    ipc_area()[0] = mine;
    ASSERT(sys_unpin(1) == 1);
    /* Given and named it goes; the second time it is nobody's. */
    ASSERT(sys_give(SLOT_FRAME_ACCT, mine, 1) == 1);
    ASSERT(frame_free(frame, &(struct frame_free_req){.first = mine}, &free_rep) == 0);
    ASSERT(sys_give(SLOT_FRAME_ACCT, mine, 1) == -E_OWNER);
    ASSERT(frame_free(frame, &(struct frame_free_req){.first = mine}, &free_rep) == -E_STALE);
    struct frame_holder_rep holder;
    ASSERT(frame_holder(frame, &(struct frame_holder_req){SRV_LINUX}, &holder) == 0);
    mistakes += 9;
    ASSERT(holder.mistakes == mistakes);
}

/* Whether mem_map and the kernel's frame table agree, and each frame is counted once. */
static void census(void) {
    struct frame_census c;
    struct frame_census_rep rep = {0};
    u64 sum = 0;
    do {
        ASSERT(frame_census(SERVICE(SRV_FRAME), &(struct frame_census_req){rep.next}, 0, &rep) == 0);
        memcpy(&c, ipc_tail(), sizeof c);
        ASSERT(c.wrong == 0);
        for (u32 i = 0; i < FRAME_STATES; i++)
            sum += c.count[i];
    } while (rep.next);
    ASSERT(sum == ((const struct info_page *)INFO_PAGE)->frames);
}

static struct frame_memory_rep memory(void) {
    struct frame_memory_rep m;
    ASSERT(frame_memory(SERVICE(SRV_FRAME), &(struct frame_memory_req){0}, &m) == 0);
    return m;
}

/* What /proc/sys/vm/drop_caches does, as far as frame and slab go. slab runs before us: it has done its part
 * on return. */
static void drop(void) {
    struct slab_shrink_rep shrunk;
    struct frame_drain_rep drained;
    ASSERT(slab_shrink(SERVICE(SRV_SLAB), &(struct slab_shrink_req){0}, &shrunk) == 0);
    kmem_cache_drain();
    ASSERT(frame_drain(SERVICE(SRV_FRAME), &(struct frame_drain_req){0}, &drained) == 0);
    drain_magazines();
}

static void tell_caches(void) {
    struct slab_info_rep rep;
    struct slab_info info;
    for (u64 at = 0; slab_info(SERVICE(SRV_SLAB), &(struct slab_info_req){at}, 0, &rep) == 0; at = rep.next) {
        memcpy(&info, ipc_tail(), sizeof info);
        log_line("%-12s %5lu bytes, %3lu a slab of %2lu pages, %lu slabs, %lu in use", (char *)info.name,
                 info.size, info.objects_per_slab, info.pages_per_slab, info.slabs, info.active_objects);
        ASSERT(info.active_objects == 0 || !strcmp((char *)info.name, "kmem_cache"));
    }
}

int main(void) {
    log_name("alloc");
    ASSERT(frame_client_init() == 0);
    ASSERT(kmem_cache_init() == 0);
    u64 before = 0;
    for (u32 round = 0; round < ROUNDS; round++) {
        frames_round();
        slab_round();
        bad_requests();
        drop(); /* so that nobody has frames that frame does not know of */
        exhaust(memory().total);
        census();
        drop();
        struct frame_memory_rep m = memory();
        log_line("round %u: %lu of %lu frames free, %lu in magazines", round, m.free, m.total, m.magazines);
        ASSERT(round < 2 || m.free == before);
        before = m.free;
    }
    tell_caches();
    log_line("all rounds done");
    (void)sys_notify(SERVICE(SRV_ROOT), ROOT_EXIT(0));
    for (;;)
        ipc_sleep(SLOT_ENDPOINT, 0);
}

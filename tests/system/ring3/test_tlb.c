/* SPDX-License-Identifier: MIT */
/* What is changed in the page tables counts from the next access on: in the space that is current while it is
 * changed, and in another. Each test is run in both; a probe has used the page just before. */
#include "probe.h"

#define AT (PROGRAM_DATA + 5 * PAGE_BYTES)

static struct probe probe;
static pfn one, two;

static err map_one(pfn frame, u64 rights) {
    return map_page(probe.space, AT, frame, rights);
}

static bool loads(u64 value) {
    u64 got = 0;
    return probe_load(&probe, AT, &got) == PROBED_OK && got == value;
}

static bool load_faults(void) {
    return probe_load(&probe, AT, NULL) == PROBED_FAULT;
}

static bool stores(u64 value) {
    return probe_store(&probe, AT, value) == PROBED_OK;
}

static bool store_faults(void) {
    return probe_store(&probe, AT, 1) == PROBED_FAULT;
}

static bool unmapped(void) {
    return sys_unmap(probe.space, AT, 1, 0).r == AT + PAGE_BYTES;
}

static bool protected(u64 rights) {
    return sys_protect(probe.space, AT, 1, rights).r == AT + PAGE_BYTES;
}

static int begin(u64 rights) {
    (void)sys_unmap(probe.space, AT, 1, 0);
    *(u64 *)window(one) = 1;
    *(u64 *)window(two) = 2;
    return map_one(one, rights) ? __LINE__ : 0;
}

static int another_page(void) {
    CHECK(begin(MAP_READ) == 0 && loads(1));
    CHECK(unmapped() && map_one(two, MAP_READ) == 0 && loads(2));
    return 0;
}

static int no_page(void) {
    CHECK(begin(MAP_READ | MAP_WRITE) == 0 && stores(7) && loads(7));
    CHECK(unmapped() && load_faults() && store_faults());
    return 0;
}

static int absent_page_appears(void) {
    CHECK(begin(MAP_READ) == 0 && unmapped() && load_faults());
    CHECK(map_one(two, MAP_READ) == 0 && loads(2) && store_faults());
    return 0;
}

static int less_and_more_rights(void) {
    CHECK(begin(MAP_READ | MAP_WRITE) == 0 && stores(5));
    CHECK(protected(MAP_READ) && store_faults() && loads(5));
    CHECK(protected(0) && load_faults());
    CHECK(protected(MAP_READ) && loads(5) && store_faults());
    CHECK(protected(MAP_READ | MAP_WRITE) && stores(6) && loads(6));
    return 0;
}

/* WRITE is given only where the owner has allowed it. */
static int protect_without_maywrite(void) {
    CHECK(begin(MAP_READ) == 0 && loads(1));
    CHECK(protected(MAP_READ | MAP_WRITE) && store_faults() && loads(1));
    CHECK(begin(MAP_READ | MAP_MAYWRITE) == 0 && store_faults());
    CHECK(protected(MAP_READ | MAP_WRITE) && stores(3) && loads(3));
    return 0;
}

static int source_of_a_clone(void) {
    u32 other = space_with(8);
    CHECK(begin(MAP_READ | MAP_WRITE) == 0 && stores(8));
    CHECK(sys_clone_private(probe.space, other, AT, 1).r == AT + PAGE_BYTES);
    CHECK(store_faults() && loads(8));
    CHECK(protected(MAP_READ | MAP_WRITE) && store_faults()); /* MAYWRITE went too */
    CHECK(destroy_whole(other) == 0);
    return 0;
}

/* The page table itself goes to the pool, and holds another block's entries then. */
static int upper_level(void) {
    vaddr elsewhere = AT + (1ull << 30);
    CHECK(begin(MAP_READ) == 0 && loads(1));
    CHECK(unmapped());
    CHECK(map_page(probe.space, elsewhere, two, MAP_READ) == 0);
    CHECK(load_faults());
    u64 got = 0;
    CHECK(probe_load(&probe, elsewhere, &got) == PROBED_OK && got == 2);
    CHECK(map_one(one, MAP_READ) == 0 && loads(1));
    CHECK(sys_unmap(probe.space, elsewhere, 1, 0).r > 0);
    CHECK(probe_load(&probe, elsewhere, NULL) == PROBED_FAULT && loads(1));
    return 0;
}

/* A store after the bits were cleared sets them again. */
static int dirty_again(void) {
    const struct range_record *record = (const struct range_record *)AREA;
    CHECK(begin(MAP_READ | MAP_WRITE) == 0 && stores(5));
    CHECK(sys_scan(probe.space, AT, 1, CLEAR_BITS).r > 0 && record->value & PTE_DIRTY &&
          record->value & PTE_ACCESSED);
    CHECK(sys_scan(probe.space, AT, 1, 0).r > 0 && !(record->value & (PTE_DIRTY | PTE_ACCESSED)));
    CHECK(loads(5) && sys_scan(probe.space, AT, 1, 0).r > 0 && record->value & PTE_ACCESSED &&
          !(record->value & PTE_DIRTY));
    CHECK(stores(6) && sys_scan(probe.space, AT, 1, 0).r > 0 && record->value & PTE_DIRTY);
    return 0;
}

void test_tlb(void) {
    one = frame_get();
    two = frame_get();
    for (u32 i = 0; i < 2; i++) {
        probe = probe_make(i ? space_with(10) : (u32)BOOT_SPACE);
        if (i == 0 && feed_more(BOOT_SPACE, 8))
            say("FAIL feed\n");
        say(i ? "# in another space\n" : "# in the current space\n");
        RUN(another_page);
        RUN(no_page);
        RUN(absent_page_appears);
        RUN(less_and_more_rights);
        RUN(protect_without_maywrite);
        RUN(source_of_a_clone);
        RUN(upper_level);
        RUN(dirty_again);
        (void)sys_unmap(probe.space, AT, 1, 0);
        probe_end(&probe);
    }
}

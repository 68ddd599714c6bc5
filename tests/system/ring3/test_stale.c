/* SPDX-License-Identifier: MIT */
/* Answers to faults that come late, or ask for what must not be. */
#include "probe.h"

#define AT PROGRAM_DATA
#define RW (MAP_READ | MAP_WRITE)

static u32 space, thread;
static struct message fault;

static int begin(enum program what) {
    space = space_with(8);
    thread = program_start(space, what, AT);
    fault = next_message(pager);
    CHECK(!fault.e && IPC_KIND(fault.io.r14) == MSG_FAULT && fault.io.w[0] == AT);
    return 0;
}

static int end(void) {
    CHECK(sys_stop(thread) == 0 && sys_destroy(thread) == 0 && destroy_whole(space) == 0);
    (void)sys_cap_drop(BOOT_TABLE, fault.right);
    CHECK(sys_audit() != -E_PROTO);
    return 0;
}

static i64 fill(vaddr at, u64 rights, pfn frame, enum fault_op op) {
    return fault_items(fault.right, &(struct fault_item){at | rights, ITEM_FRAME(frame, op)}, 1);
}

/* Nothing was entered: the program faults again there. */
static int again(void) {
    fault = next_message(pager);
    CHECK(!fault.e && fault.io.w[0] == AT);
    return 0;
}

static int after_unmap(void) {
    CHECK(begin(PROGRAM_STORE) == 0);
    CHECK(sys_unmap(space, AT + 64 * PAGE_BYTES, 1, 0).r > 0); /* anywhere in the space */
    CHECK(fill(AT, RW, frame_get(), FILL_ZERO) == 0 && again() == 0);
    return end();
}

static int after_protect(void) {
    CHECK(begin(PROGRAM_STORE) == 0);
    CHECK(sys_protect(space, AT, 1, MAP_READ).r > 0);
    CHECK(fill(AT, RW, frame_get(), FILL_ZERO) == 0 && again() == 0);
    return end();
}

static int after_clone(void) {
    u32 other = space_with(4);
    CHECK(begin(PROGRAM_STORE) == 0);
    CHECK(sys_clone(space, other, AT, 1).r > 0);
    CHECK(fill(AT, RW, frame_get(), FILL_ZERO) == 0 && again() == 0);
    CHECK(sys_clone(other, space, AT, 1).r > 0); /* the target's epoch too */
    CHECK(fill(AT, RW, frame_get(), FILL_ZERO) == 0 && again() == 0);
    CHECK(destroy_whole(other) == 0);
    return end();
}

static int scan_and_map_do_not_matter(void) {
    CHECK(begin(PROGRAM_STORE) == 0);
    CHECK(sys_scan(space, AT, 1, CLEAR_BITS).r > 0);
    CHECK(map_page(space, AT + 3 * PAGE_BYTES, frame_get(), MAP_READ) == 0);
    CHECK(fill(AT, RW, frame_get(), FILL_ZERO) == 1);
    return end();
}

static int after_map_of_the_page(void) {
    CHECK(begin(PROGRAM_STORE) == 0);
    CHECK(map_page(space, AT, frame_get(), MAP_READ) == 0); /* the entry is not the one shown */
    CHECK(fill(AT, RW, frame_get(), FILL_ZERO) == 0 && again() == 0 && fault.io.w[2] & PTE_PRESENT);
    return end();
}

static int after_a_second_threads_answer(void) {
    CHECK(begin(PROGRAM_STORE) == 0);
    struct message first = fault;
    u32 other = program_start(space, PROGRAM_STORE, AT);
    fault = next_message(pager);
    CHECK(!fault.e && fault.io.w[0] == AT && fault.io.rbx >> 32 == other);
    pfn frame = frame_get();
    CHECK(fill(AT, RW, frame, FILL_ZERO) == 1);
    CHECK(fault_items(first.right, &(struct fault_item){AT | RW, ITEM_FRAME(frame_get(), FILL_ZERO)}, 1) ==
          0);
    fault = next_message(pager); /* both go on to the next page */
    struct message second = next_message(pager);
    CHECK(fault.io.w[0] == AT + PAGE_BYTES && second.io.w[0] == AT + PAGE_BYTES);
    CHECK(sys_stop(other) == 0 && sys_destroy(other) == 0);
    return end();
}

static int upgrade_after_a_fork(void) {
    pfn frame = frame_get();
    u32 child = space_with(6);
    CHECK(begin(PROGRAM_STORE) == 0);
    CHECK(fill(AT, MAP_READ, frame, FILL_ZERO) == 1 && again() == 0 && FAULT_SHARES(fault.io.w[1]) == 1);
    CHECK(sys_clone_private(space, child, AT, 1).r > 0);
    CHECK(fill(AT, RW, frame, FILL_UPGRADE) == 0 && again() == 0 && FAULT_SHARES(fault.io.w[1]) == 2);
    CHECK(fill(AT, RW, frame, FILL_UPGRADE) == 0 && again() == 0); /* two share it */
    CHECK(destroy_whole(child) == 0);
    CHECK(fill(AT, RW, frame_get(), FILL_UPGRADE) == 0 && again() == 0); /* another frame */
    CHECK(fill(AT, MAP_READ, frame, FILL_UPGRADE) == 0 && again() == 0); /* WRITE not asked for */
    CHECK(fill(AT, RW, frame, FILL_UPGRADE) == 1 && sys_audit() != -E_PROTO);
    return end();
}

static int items_over_entries(void) {
    CHECK(begin(PROGRAM_STORE) == 0);
    pfn old = frame_get();
    CHECK(map_page(space, AT + PAGE_BYTES, old, MAP_READ) == 0);
    AREA[0] = (AT + 2 * PAGE_BYTES) | MAP_PAGER;
    AREA[1] = 0x77770;
    CHECK(sys_map(space, 1).r == 1);
    struct fault_item items[] = {{(AT + PAGE_BYTES) | RW, ITEM_FRAME(frame_get(), FILL_ZERO)},
                                 {(AT + 2 * PAGE_BYTES) | RW, ITEM_FRAME(frame_get(), FILL_ZERO)},
                                 {AT | RW, ITEM_FRAME(frame_get(), FILL_ZERO)},
                                 {AT | RW, ITEM_FRAME(frame_get(), FILL_ZERO)}, /* it has one now */
                                 {(AT + 3 * PAGE_BYTES) | RW, ITEM_FRAME(frame_get(), FILL_ZERO)}};
    CHECK(fault_items(fault.right, items, ARRAY_LEN(items)) == 2);
    fault = next_message(pager);
    CHECK(fault.io.w[0] == AT + PAGE_BYTES && PTE_FRAME(fault.io.w[2]) == old);
    return end();
}

static int items_that_must_not_be(void) {
    pfn pinned = frame_get(), mapped = frame_get(), given = frame_get(), good = frame_get();
    u32 child = slot_get();
    CHECK(sys_account_open(BOOT_ACCOUNT, child) == 0 && sys_give(child, given, 1) == 1);
    CHECK(begin(PROGRAM_STORE) == 0);
    CHECK(map_page(space, AT + 9 * PAGE_BYTES, mapped, MAP_READ) == 0);
    AREA[0] = pinned;
    CHECK(sys_pin(1) == 1);
    const struct fault_item bad[] = {{AT | RW, ITEM_FRAME(pinned, FILL_ZERO)},
                                     {AT | RW, ITEM_FRAME(mapped, FILL_ZERO)},
                                     {AT | RW, ITEM_FRAME(mapped, FILL_COPY)},
                                     {AT | RW, ITEM_FRAME(given, FILL_AS_IS)},
                                     {AT | RW, ITEM_FRAME(0, FILL_AS_IS)},
                                     {AT | RW, ITEM_FRAME(1ull << 39, FILL_AS_IS)},
                                     {AT | RW | MAP_EXEC, ITEM_FRAME(good, FILL_AS_IS)},
                                     {AT | RW | 0x20, ITEM_FRAME(good, FILL_AS_IS)},
                                     {AT | RW, ITEM_FRAME(good, 7)},
                                     {AT | RW, ITEM_FRAME(good, FILL_COPY)}, /* there is nothing to copy */
                                     {(AT + BLOCK_BYTES) | RW, ITEM_FRAME(good, FILL_AS_IS)},
                                     {(AT - PAGE_BYTES) | RW, ITEM_FRAME(good, FILL_AS_IS)}};
    for (u32 i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(fault_items(fault.right, &bad[i], 1) == 0 && again() == 0);
    CHECK(fill(AT, RW, good, FILL_AS_IS) == 1);
    AREA[0] = pinned;
    CHECK(sys_unpin(1) == 1 && end() == 0);
    while (sys_account_close(child, 0) > 0)
        ;
    return 0;
}

/* Where tables are missing nothing is entered, whatever else there is. */
static int too_few_tables(void) {
    space =
        space_with(6); /* three for the code; two for the top's other levels; none is left for the block */
    thread = program_start(space, PROGRAM_LOAD, AT + (1ull << 40));
    fault = next_message(pager);
    CHECK(!fault.e && FAULT_POOL(fault.io.w[1]) == 2);
    vaddr at = AT + (1ull << 40);
    pfn frames[2] = {frame_get(), frame_get()};
    struct fault_item items[] = {{at | MAP_READ, ITEM_FRAME(frames[0], FILL_AS_IS)},
                                 {(at + PAGE_BYTES) | MAP_READ, ITEM_FRAME(frames[1], FILL_AS_IS)}};
    CHECK(fault_items(fault.right, items, 2) == 0);
    fault = next_message(pager);
    CHECK(!fault.e && fault.io.w[0] == at && feed_more(space, 1) == 0);
    CHECK(fault_items(fault.right, items, 2) == 2);
    fault = next_message(pager);
    CHECK(!fault.e && fault.io.w[0] == at + 2 * PAGE_BYTES && FAULT_POOL(fault.io.w[1]) == 0);
    return end();
}

void test_stale(void) {
    RUN(after_unmap);
    RUN(after_protect);
    RUN(after_clone);
    RUN(scan_and_map_do_not_matter);
    RUN(after_map_of_the_page);
    RUN(after_a_second_threads_answer);
    RUN(upgrade_after_a_fork);
    RUN(items_over_entries);
    RUN(items_that_must_not_be);
    RUN(too_few_tables);
}

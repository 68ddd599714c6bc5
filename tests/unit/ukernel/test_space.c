/* SPDX-License-Identifier: MIT */
/* Spaces and page tables, case by case; test_random.c has the rest. */
#include "world.h"
#include <criterion/criterion.h>

TestSuite(space, .init = world_init);

enum { A = 2 }; /* the account that owns all */

static struct map_result map_one(struct space *s, vaddr va, pfn n, u64 rights) {
    struct window w = window_of_space(s, A);
    struct map_item item = {va | rights, n};
    return mm_map(&w, &item, 1);
}

static pfn first_free(void) {
    for (pfn n = 300; n < WORLD_FRAMES; n++)
        if (frame_own(n, A) && frame_is_idle(&frame_table[n]))
            return n;
    cr_assert_fail("no frame left");
    return 0;
}

Test(space, the_first_table_is_the_top_and_has_the_kernel) {
    struct space *s = world_space(0, 1);
    const u64 *top = phys_to_virt(s->top);
    cr_assert_eq(s->pool_count, 0);
    cr_assert_eq(top[511], 0x77000 | PTE_PRESENT);
    cr_assert_eq(top[0], 0);
    cr_assert_eq(map_one(s, 0x1000, 300, MAP_READ).done, -E_NEED_TABLES);
    cr_assert_eq(s->pool_count, 0);
}

Test(space, too_few_tables_change_nothing) {
    struct space *s = world_space(0, 3);
    cr_assert_eq(map_one(s, 0x1000, 300, MAP_READ).done, -E_NEED_TABLES);
    cr_assert_eq(s->pool_count, 2);
}

Test(space, map_checks_every_argument) {
    struct space *s = world_space(0, 10);
    cr_assert_eq(map_one(s, 0, 300, MAP_READ).done, -E_INVAL);
    cr_assert_eq(map_one(s, USER_END, 300, MAP_READ).done, -E_INVAL);
    cr_assert_eq(map_one(s, 0xffff800000000000, 300, MAP_READ).done, -E_INVAL);
    cr_assert_eq(map_one(s, 0x8000000000000000, 300, MAP_READ).done, -E_INVAL);
    cr_assert_eq(map_one(s, 0x1000, 0, MAP_READ).done, -E_OWNER);
    cr_assert_eq(map_one(s, 0x1000, WORLD_FRAMES, MAP_READ).done, -E_OWNER);
    cr_assert_eq(map_one(s, 0x1000, ~0ull, MAP_READ).done, -E_OWNER);
    cr_assert_eq(map_one(s, 0x1000, s->top >> PAGE_SHIFT, MAP_READ).done, -E_OWNER);
    cr_assert_eq(map_one(s, 0x1000, 300, 0x20).done, -E_INVAL);
    cr_assert_eq(map_one(s, 0x1000, 300, MAP_WRITE | MAP_EXEC).done, -E_RIGHTS);
    cr_assert_eq(map_one(s, 0x1000, 1, MAP_PAGER).done, -E_INVAL);
    cr_assert_eq(map_one(s, 0x1000, 300, MAP_READ).done, 1);
    cr_assert_eq(map_one(s, 0x1000, 301, MAP_READ).done, -E_OCCUPIED);
    struct window w = window_of_space(s, A);
    struct map_item many[MAP_ITEMS_MAX + 1] = {{0}};
    cr_assert_eq(mm_map(&w, many, MAP_ITEMS_MAX + 1).done, -E_INVAL);
}

Test(space, a_list_stops_where_it_fails_and_says_why) {
    struct space *s = world_space(0, 10);
    struct window w = window_of_space(s, A);
    struct map_item items[] = {{0x1000 | MAP_READ, 300}, {0x2000 | MAP_READ, 301}, {0x1000 | MAP_READ, 302}};
    struct map_result r = mm_map(&w, items, 3);
    cr_assert(r.done == 2 && r.why == E_OCCUPIED);
    cr_assert_eq(frame_table[302].shares, 0);
}

Test(space, a_list_may_jump_between_tables_and_rights) {
    struct space *s = world_space(0, 12);
    struct window w = window_of_space(s, A);
    struct map_item items[] = {{0x1ff000 | MAP_READ, 300},
                               {0x200000 | MAP_READ | MAP_WRITE, 301},
                               {0x1fe000 | MAP_READ | MAP_EXEC, 302},
                               {0x40000000 | MAP_READ, 303},
                               {0x201000 | MAP_READ, 304},
                               {0x202000 | MAP_WRITE | MAP_EXEC, 305}};
    struct map_result r = mm_map(&w, items, ARRAY_LEN(items));
    cr_assert(r.done == 5 && r.why == E_RIGHTS);
    for (u32 i = 0; i < 5; i++) {
        u64 want = items[i].frame << PAGE_SHIFT | pt_bits(items[i].address & PAGE_MASK);
        cr_assert_eq(*pt_leaf(s, items[i].address & ~PAGE_MASK), want);
    }
    pfn where;
    cr_assert_null(mm_audit(&where));
}

Test(space, a_permit_limits_place_rights_and_frames) {
    struct space *s = world_space(0, 10);
    i64 i = space_permit(s, 0x200000, 2, MAP_READ | MAP_WRITE);
    cr_assert_eq(i, 0);
    own(300, 3);
    struct window w = window_of_permit(s, &s->permits[i], 3);
    struct map_item item = {0x200000 | MAP_READ, 300};
    cr_assert_eq(mm_map(&w, &item, 1).done, 1);
    item.address = 0x202000 | MAP_READ;
    cr_assert_eq(mm_map(&w, &item, 1).done, -E_INVAL);
    item.address = 0x201000 | MAP_EXEC;
    cr_assert_eq(mm_map(&w, &item, 1).done, -E_RIGHTS);
    cr_assert_eq(mm_unmap(&w, 0x1ff000, 2, 0, word_area).next, -E_INVAL);
    cr_assert_eq(map_one(s, 0x201000, 301, MAP_READ).done, 1);
    struct range_result r = mm_unmap(&w, 0x200000, 2, 0, word_area);
    cr_assert(r.next == 0x202000 && r.records == 1 && word_area[1] == 300);
    cr_assert_eq(frame_table[301].shares, 1);
    cr_assert_eq(space_permit_end(s, 0), 0);
    cr_assert_eq(space_permit_end(s, 0), -E_INVAL);
    cr_assert_eq(space_permit_end(s, 99), -E_INVAL);
}

Test(space, permits_are_checked_and_run_out) {
    struct space *s = world_space(0, 1);
    cr_assert_eq(space_permit(s, 0, 1, MAP_READ), -E_INVAL);
    cr_assert_eq(space_permit(s, 0x1000, 0, MAP_READ), -E_INVAL);
    cr_assert_eq(space_permit(s, 0x1000, ~0ull, MAP_READ), -E_INVAL);
    cr_assert_eq(space_permit(s, USER_END, 1, MAP_READ), -E_INVAL);
    cr_assert_eq(space_permit(s, 0x1001, 1, MAP_READ), -E_INVAL);
    cr_assert_eq(space_permit(s, 0x1000, 1, MAP_PAGER), -E_INVAL);
    for (u32 i = 0; i < PERMITS_PER_SPACE; i++)
        cr_assert_eq(space_permit(s, 0x1000, 1, MAP_READ), i);
    cr_assert_eq(space_permit(s, 0x1000, 1, MAP_READ), -E_NOSPC);
}

Test(space, a_walk_is_bounded_and_goes_on) {
    struct space *s = world_space(0, 30);
    for (u32 i = 0; i < 4; i++)
        cr_assert_eq(map_one(s, 0x200000 * (i + 1), 300 + i, MAP_READ).done, 1);
    u32 steps = 0, records = 0;
    for (vaddr at = USER_FIRST; at < USER_END; steps++) {
        struct range_result r = mm_scan(s, at, (USER_END - at) >> PAGE_SHIFT, 0, word_area);
        cr_assert(r.next > (i64)at && r.stop == STOP_BOUND);
        at = (vaddr)r.next;
        records += r.records;
    }
    cr_assert(steps >= 5 && steps < 12, "%u steps", steps);
    cr_assert_eq(records, 4);
    struct window w = window_of_space(s, A);
    for (vaddr at = USER_FIRST; at < USER_END;)
        at = (vaddr)mm_unmap(&w, at, (USER_END - at) >> PAGE_SHIFT, 0, word_area).next;
    cr_assert_eq(s->pool_count, 29);
}

Test(space, range_arguments_are_checked) {
    struct space *s = world_space(0, 4), *t = world_space(0, 4);
    struct window w = window_of_space(s, A);
    cr_assert_eq(mm_unmap(&w, 0x1001, 1, 0, word_area).next, -E_INVAL);
    cr_assert_eq(mm_unmap(&w, 0, 1, 0, word_area).next, -E_INVAL);
    cr_assert_eq(mm_unmap(&w, 0x1000, ~0ull, 0, word_area).next, -E_INVAL);
    cr_assert_eq(mm_unmap(&w, 0x1000, 1, 2, word_area).next, -E_INVAL);
    cr_assert_eq(mm_unmap(&w, 0xffff800000000000, 1, 0, word_area).next, -E_INVAL);
    cr_assert_eq(mm_protect(&w, 0x1000, 1, 0x10).next, -E_INVAL);
    cr_assert_eq(mm_scan(s, 0x1000, 1, 2, word_area).next, -E_INVAL);
    cr_assert_eq(mm_clone(s, s, 0x1000, 1, false, word_area).next, -E_INVAL);
    t->flags = SPACE_WX;
    cr_assert_eq(mm_clone(t, s, 0x1000, 1, false, word_area).next, -E_RIGHTS);
    cr_assert_eq(s->epoch, 0);
    cr_assert_eq(mm_unmap(&w, 0x1000, 0, 0, word_area).next, 0x1000);
}

Test(space, records_stop_before_the_area_overflows) {
    struct space *s = world_space(0, 10);
    for (u32 i = 0; i < AREA_RECORDS + 5; i++)
        cr_assert_eq(map_one(s, 0x200000 + i * PAGE_BYTES, 300 + i, MAP_READ).done, 1);
    struct window w = window_of_space(s, A);
    struct range_result r = mm_unmap(&w, 0x200000, 400, 0, word_area);
    cr_assert(r.records == AREA_RECORDS && r.stop == STOP_FULL);
    cr_assert_eq(r.next, (i64)(0x200000 + AREA_RECORDS * PAGE_BYTES));
    r = mm_unmap(&w, (vaddr)r.next, 400 - AREA_RECORDS, 0, word_area);
    cr_assert_eq(r.records, 5);
}

Test(space, own_mappings_overflow_at_255) {
    struct space *s = world_space(A, 10);
    for (u32 i = 0; i < 255; i++)
        cr_assert_eq(map_one(s, 0x200000 + i * PAGE_BYTES, 300, MAP_READ).done, 1);
    cr_assert_eq(map_one(s, 0x400000, 300, MAP_READ).done, -E_OVERRUN);
    pfn where;
    cr_assert_null(mm_audit(&where));
}

Test(space, shares_overflow_stops_a_clone) {
    struct space *s = world_space(0, 10), *t = world_space(0, 10);
    cr_assert_eq(map_one(s, 0x1000, 300, MAP_READ).done, 1);
    frame_table[300].shares = UINT32_MAX;
    struct range_result r = mm_clone(s, t, 0x1000, 1, false, word_area);
    cr_assert(r.next == 0x1000 && r.stop == STOP_OVERFLOW);
    cr_assert_eq(t->pool_count, 9);
}

Test(space, the_account_changes_only_while_nothing_is_mapped) {
    struct space *s = world_space(0, 10);
    cr_assert_eq(map_one(s, 0x1000, 300, MAP_READ).done, 1);
    cr_assert_eq(space_set_account(s, 3), -E_MAPPED);
    struct window w = window_of_space(s, A);
    cr_assert_eq(mm_unmap(&w, 0x1000, 1, 0, word_area).records, 1);
    cr_assert_eq(space_set_account(s, 3), 0);
    cr_assert_eq(space_set_account(s, 99), -E_BADCAP);
    cr_assert_eq(accounts[3].spaces, 1);
}

Test(space, destroy_is_bounded_and_returns_everything) {
    struct space *s = world_space(0, 60);
    pfn frame = space_frame(s);
    for (u32 i = 0; i < 20; i++) {
        cr_assert_eq(map_one(s, 0x200000 * (i + 1), 300 + i, MAP_READ | MAP_WRITE).done, 1);
        cr_assert_eq(map_one(s, 0x200000 * (i + 1) + 0x1ff000, 300 + i, MAP_READ).done, 1);
    }
    world_enter(s);
    u32 steps = 1;
    for (; space_destroy_step(s) == -E_AGAIN; steps++) {
        cr_assert_eq(map_one(s, 0x9000000000, 330, MAP_READ).done, -E_INVAL);
        cr_assert_lt(steps, 100);
    }
    cr_assert_gt(steps, 10);
    cr_assert_null(cpu.space);
    frame_end(frame, 1);
    i64 collected = 0, n;
    while ((n = frame_collect(A, 16, word_area)) > 0)
        collected += n;
    cr_assert_eq(collected, 80);
    pfn where;
    cr_assert_null(mm_audit(&where));
}

Test(space, copy_crosses_pages_and_says_where_it_stopped) {
    struct space *s = world_space(0, 10);
    cr_assert_eq(map_one(s, 0x1000, 300, MAP_READ).done, 1);
    cr_assert_eq(map_one(s, 0x2000, 301, MAP_READ).done, 1);
    cr_assert_eq(map_one(s, 0x5000, 302, MAP_READ | MAP_WRITE).done, 1);
    u8 *from = frame_to_virt(300);
    for (u32 i = 0; i < 2 * PAGE_BYTES; i++)
        from[i] = (u8)(i * 7);
    struct copy_side a = {s, 0x1ff5, 0}, b = {s, 0x5003, 0}, c = {NULL, 303 * PAGE_BYTES + 1, A};
    struct copy_result r = mm_copy(&b, &a, 100);
    cr_assert(r.done == 100 && r.stopped == 0);
    const u8 *to = frame_to_virt(302);
    for (u32 i = 0; i < 100; i++)
        cr_assert_eq(to[3 + i], (u8)((0xff5 + i) * 7));
    cr_assert(frame_has(&frame_table[302], FRAME_DIRTY) && frame_has(&frame_table[301], FRAME_ACCESSED));
    r = mm_copy(&b, &a, 6000);
    cr_assert(r.done == 4093 && r.stopped == (0x6000 | COPY_AT_TARGET), "%ld %lx", r.done, r.stopped);
    r = mm_copy(&c, &a, 8192);
    cr_assert(r.done == 4107 && r.stopped == 0x3000, "%ld %lx", r.done, r.stopped);
    cr_assert_eq(mm_copy(&a, &c, 1).stopped, 0x1000 | COPY_AT_TARGET);
    cr_assert_eq(mm_copy(&a, &c, COPY_BYTES_MAX + 1).done, -E_INVAL);
    c.account = 3;
    cr_assert_eq(mm_copy(&c, &a, 1).done, -E_OWNER);
    c = (struct copy_side){NULL, ~0ull - 3, A};
    cr_assert_eq(mm_copy(&c, &a, 16).done, -E_INVAL);
    a.at = 0xffff800000001000;
    cr_assert_eq(mm_copy(&b, &a, 16).done, 0);
    a.at = ~0ull - 3;
    cr_assert_eq(mm_copy(&b, &a, 16).done, -E_INVAL);
}

/* Both sides come to the end of a leaf table, one a page before the other; behind it one has a table and the
 * other has none, or its pages are of other frames. */
Test(space, copy_goes_on_in_the_next_leaf_table) {
    struct space *s = world_space(0, 10), *t = world_space(0, 10);
    for (u32 i = 0; i < 4; i++) {
        cr_assert_eq(map_one(s, BLOCK_BYTES - 2 * PAGE_BYTES + i * PAGE_BYTES, 300 + i, MAP_READ).done, 1);
        cr_assert_eq(map_one(t, 3 * BLOCK_BYTES - PAGE_BYTES + i * PAGE_BYTES, 310 - i, MAP_WRITE).done, 1);
        u64 *words = frame_to_virt(300 + i);
        for (u32 k = 0; k < PAGE_BYTES / 8; k++)
            words[k] = i << 16 | k;
        memset(frame_to_virt(310 - i), 0xee, PAGE_BYTES);
    }
    struct copy_side from = {s, BLOCK_BYTES - 2 * PAGE_BYTES + 16, 0},
                     to = {t, 3 * BLOCK_BYTES - PAGE_BYTES, 0};
    struct copy_result r = mm_copy(&to, &from, 4 * PAGE_BYTES - 16);
    cr_assert(r.done == 4 * PAGE_BYTES - 16 && r.stopped == 0, "%ld %lx", r.done, r.stopped);
    for (u32 k = 2; k < 4 * PAGE_BYTES / 8; k++) {
        const u64 *words = frame_to_virt(310 - (k - 2) / 512);
        cr_assert_eq(words[(k - 2) % 512], k / 512 << 16 | k % 512);
    }
    for (u32 i = 0; i < 4; i++) {
        cr_assert(frame_has(&frame_table[300 + i], FRAME_ACCESSED) &&
                  !frame_has(&frame_table[300 + i], FRAME_DIRTY));
        cr_assert(frame_has(&frame_table[310 - i], FRAME_DIRTY) &&
                  frame_has(&frame_table[310 - i], FRAME_ACCESSED));
    }
    const u64 *last = frame_to_virt(307);
    cr_assert_eq(last[511], 0xeeeeeeeeeeeeeeee);
    struct space *u = world_space(0, 10);
    cr_assert_eq(map_one(u, 3 * BLOCK_BYTES - PAGE_BYTES, 311, MAP_WRITE).done, 1);
    to.space = u;
    r = mm_copy(&to, &from, 2 * PAGE_BYTES);
    cr_assert(r.done == PAGE_BYTES && r.stopped == (3 * BLOCK_BYTES | COPY_AT_TARGET), "%ld %lx", r.done,
              r.stopped);
    struct copy_side frames = {NULL, 312 * PAGE_BYTES, A};
    from = (struct copy_side){s, BLOCK_BYTES, 0};
    r = mm_copy(&frames, &from, 3 * PAGE_BYTES);
    cr_assert(r.done == 2 * PAGE_BYTES && r.stopped == BLOCK_BYTES + 2 * PAGE_BYTES, "%ld %lx", r.done,
              r.stopped);
}

Test(space, page_zero_is_never_mapped_by_an_answer) {
    struct space *s = world_space(0, 10);
    struct answer a = {
        .space = s, .epoch = s->epoch, .account = A, .rights = MAP_ALL, .lo = USER_FIRST, .hi = BLOCK_BYTES};
    struct fault_item item = {MAP_READ, ITEM_FRAME(first_free(), FILL_ZERO)};
    cr_assert_eq(mm_answer(&a, &item, 1), 0);
    cr_assert_eq(s->pool_count, 9);
}

Test(space, unfeed_comes_to_the_whole_pool) {
    enum { OTHERS = RANGE_VISITS_MAX + 5, OWN = 20 };
    struct space *s = world_space(0, 1);
    for (u64 n = WORLD_FRAMES - OWN - 2 - OTHERS; n < WORLD_FRAMES; n++) {
        if (frame_table[n].state != KIND_DATA)
            continue;
        bool others = n >= WORLD_FRAMES - OWN - 1 - OTHERS && n < WORLD_FRAMES - OWN;
        if (!others)
            own(n, 3);
        cr_assert_eq(space_feed(s, others ? A : 3, &n, 1), 1);
    }
    u64 list[FEED_MAX];
    u32 before = s->pool_count;
    i64 first = space_unfeed(s, 3, list, FEED_MAX), second = space_unfeed(s, 3, list, FEED_MAX);
    cr_assert_eq(first + second, OWN + 1);
    cr_assert_eq(s->pool_count, before - OWN - 1);
    cr_assert_eq(space_unfeed(s, A, list, FEED_MAX), FEED_MAX);
    pfn where;
    cr_assert_null(mm_audit(&where));
    while (space_unfeed(s, A, list, FEED_MAX) > 0)
        ;
    cr_assert_eq(s->pool_count, 0);
    cr_assert_eq(space_feed(s, A, list, 1), 1);
    cr_assert_null(mm_audit(&where));
}

Test(space, unfeed_gives_back_what_is_not_used) {
    struct space *s = world_space(0, 6);
    cr_assert_eq(map_one(s, 0x1000, 300, MAP_READ).done, 1);
    u64 list[FEED_MAX];
    cr_assert_eq(space_unfeed(s, 3, list, 8), 0);
    cr_assert_eq(space_unfeed(s, A, list, 8), 2);
    cr_assert(frame_has(&frame_table[list[0]], FRAME_ZEROED));
    cr_assert_eq(space_unfeed(s, A, list, FEED_MAX + 1), -E_INVAL);
    cr_assert_eq(space_feed(s, A, list, FEED_MAX + 1), -E_INVAL);
}

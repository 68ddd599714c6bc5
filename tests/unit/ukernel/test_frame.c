/* SPDX-License-Identifier: MIT */
/* Frames and accounts: who may give, pin and retype; collect lists; closing. */
#include "world.h"
#include <criterion/criterion.h>

TestSuite(frame, .init = world_init);

static struct endpoint somewhere;

Test(frame, begin_clears_and_end_kills_capabilities) {
    u32 generation = frame_table[10].generation;
    cr_assert_eq(frame_begin(10, 3, 2, KIND_CAPTABLE), 0);
    cr_assert_eq(content(11), 0);
    cr_assert_eq(frame_kind(&frame_table[12]), KIND_CAPTABLE);
    frame_end(10, 3);
    cr_assert_eq(frame_table[10].generation, generation + 1);
    cr_assert_eq(frame_kind(&frame_table[12]), KIND_DATA);
}

Test(frame, begin_refuses_and_changes_nothing) {
    u64 pinned = 12;
    cr_assert_eq(frame_pin(2, &pinned, 1, true), 1);
    cr_assert_eq(frame_begin(10, 3, 2, KIND_CAPTABLE), -E_MAPPED);
    cr_assert_eq(frame_kind(&frame_table[10]), KIND_DATA);
    cr_assert_eq(frame_begin(10, 1, 1, KIND_SPACE), -E_OWNER);
    cr_assert_eq(frame_begin(0, 1, 2, KIND_SPACE), -E_OWNER);
    cr_assert_eq(frame_begin(WORLD_FRAMES - 1, 2, 2, KIND_CAPTABLE), -E_OWNER);
    cr_assert_eq(frame_begin(~0ull, 2, 2, KIND_CAPTABLE), -E_OWNER);
    cr_assert_eq(frame_begin(5, ~0ull, 2, KIND_CAPTABLE), -E_OWNER);
}

Test(frame, give_stops_at_the_first_that_cannot_go) {
    u64 pinned = 22;
    cr_assert_eq(frame_pin(2, &pinned, 1, true), 1);
    cr_assert_eq(frame_give_run(2, 3, 20, 5), 2);
    cr_assert_eq(frame_table[21].account, 3);
    cr_assert_eq(frame_table[22].account, 2);
    cr_assert_eq(frame_give_run(2, 3, 22, 3), -E_MAPPED);
    u64 list[] = {30, 31, 20};
    cr_assert_eq(frame_give_list(2, 3, list, 3), 2);
    u64 runs[] = {FRAME_RUN(60, 3), 63, FRAME_RUN(20, 2), FRAME_RUN(64, 2)};
    cr_assert_eq(frame_give_list(2, 3, runs, 2), 4, "frames are counted, not words");
    cr_assert(frame_table[60].account == 3 && frame_table[63].account == 3 && frame_table[64].account == 2);
    cr_assert_eq(frame_give_list(3, 2, runs, 4), 6, "up to the frame that is not the giver's");
    cr_assert(frame_table[21].account == 2 && frame_table[64].account == 2);
    frame_table[21].shares = 1;
    cr_assert_eq(frame_give_list(2, 3, runs + 2, 2), 1, "stops in the middle of a run");
    frame_table[21].shares = 0;
    frame_table[21].account = 3;
    u64 end = FRAME_RUN(WORLD_FRAMES - 1, 2), many[] = {FRAME_RUN(70, 500), FRAME_RUN(570, 13)};
    cr_assert_eq(frame_give_list(2, 3, &end, 1), 1, "up to the end of memory");
    cr_assert_eq(frame_give_list(2, 2, many, 2), 500, "RUN_MAX frames at most");
    many[0] = FRAME_RUN(70, 513);
    cr_assert_eq(frame_give_list(2, 2, many, 1), -E_INVAL);
    many[0] = ~0ull;
    cr_assert_eq(frame_give_list(2, 2, many, 1), -E_INVAL);
    many[0] = (1ull << 40) - 1;
    cr_assert_eq(frame_give_list(2, 2, many, 1), -E_OWNER);
    cr_assert_eq(frame_give_list(2, 3, runs, 0), 0);
    cr_assert_eq(frame_give_run(2, 2, 30, 10), -E_OWNER, "30 is another's");
    cr_assert_eq(frame_give_run(2, 2, 32, 8), 8, "to oneself: a check");
    cr_assert_eq(frame_give_run(2, 9, 40, 1), -E_BADCAP);
    cr_assert_eq(frame_give_run(2, ACCOUNT_KERNEL, 40, 1), -E_BADCAP);
    cr_assert_eq(frame_give_run(2, 3, 40, RUN_MAX + 1), -E_INVAL);
    cr_assert_eq(frame_give_run(ACCOUNT_KERNEL, 3, 0, 1), -E_OWNER);
    cr_assert_eq(frame_give_run(2, 3, ~0ull, 2), -E_OWNER);
}

Test(frame, give_clears_dirty_and_accessed_but_keeps_zeroed) {
    frame_set(&frame_table[20], FRAME_DIRTY | FRAME_ACCESSED | FRAME_ZEROED);
    cr_assert_eq(frame_give_run(2, 3, 20, 1), 1);
    cr_assert_eq(frame_table[20].state >> 4, FRAME_ZEROED);
}

Test(frame, pins_count_and_do_not_overflow) {
    u64 n = 50;
    for (u32 i = 0; i < 63; i++)
        cr_assert_eq(frame_pin(2, &n, 1, true), 1);
    cr_assert_eq(frame_pin(2, &n, 1, true), -E_OVERRUN);
    for (u32 i = 0; i < 3; i++)
        cr_assert_eq(frame_pin_one(n, 2), 0);
    cr_assert_eq(frame_pin_one(n, 2), -E_OVERRUN);
    for (u32 i = 0; i < 63; i++)
        cr_assert_eq(frame_pin(2, &n, 1, false), 1);
    cr_assert_eq(frame_pin(2, &n, 1, false), -E_INVAL); /* the kernel's are not the user's to take away */
    cr_assert_eq(frame_begin(n, 1, 2, KIND_SPACE), -E_MAPPED);
    for (u32 i = 0; i < 3; i++)
        frame_unpin_one(n);
    cr_assert(frame_is_idle(&frame_table[n]));
    cr_assert_eq(frame_pin(1, &n, 1, true), -E_OWNER);
}

Test(frame, collect_tells_once_per_filling) {
    account_bind(2, (struct endpoint_ref){.endpoint = &somewhere});
    frame_queue(&frame_table[20]);
    frame_queue(&frame_table[21]);
    frame_queue(&frame_table[20]);
    cr_assert_eq(notified, 1);
    cr_assert_eq(frame_give_run(2, 3, 20, 1), -E_MAPPED);
    cr_assert_eq(frame_collect(2, 1, word_area), 1);
    cr_assert_eq(FRAME_OF(word_area[0]), 21);
    cr_assert_eq(frame_collect(2, 1000, word_area), 1);
    cr_assert_eq(frame_collect(2, 1000, word_area), 0);
    frame_queue(&frame_table[20]);
    cr_assert_eq(notified, 2);
    account_bind(2, (struct endpoint_ref){.endpoint = &somewhere});
    cr_assert_eq(notified, 3);
}

Test(frame, lists_show_all_and_clear_bits) {
    own(20, 3);
    own(600, 3);
    frame_set(&frame_table[600], FRAME_DIRTY);
    struct range_result r = frame_scan(3, 0, CLEAR_BITS, word_area);
    cr_assert(r.records == 1 && r.next == RANGE_VISITS_MAX && FRAME_OF(word_area[0]) == 20);
    r = frame_scan(3, (pfn)r.next, CLEAR_BITS, word_area);
    cr_assert(r.records == 1 && r.next == 0 && FRAME_OF(word_area[0]) == 600);
    cr_assert_eq(FLAGS_OF(word_area[0]), FRAME_DIRTY);
    cr_assert(!frame_has(&frame_table[600], FRAME_DIRTY));
    for (pfn n = 100; n < 580; n += 2)
        frame_table[n].own = 1;
    r = frame_scan(2, 0, 0, word_area);
    cr_assert(r.records == AREA_RECORDS && r.stop == STOP_FULL);
    cr_assert_eq((pfn)r.next, 100 + AREA_RECORDS - 2, "two for 2 to 99 but 20");
    r = frame_scan(3, ~0ull, 0, word_area);
    cr_assert(r.records == 0 && r.next == 0);
    word_area[0] = 600;
    word_area[1] = 20;
    cr_assert_eq(frame_scan_list(3, 2, 0, word_area), 2);
    cr_assert(FRAME_OF(word_area[0]) == 600 && FRAME_OF(word_area[2]) == 20);
    word_area[0] = 20;
    word_area[1] = 21;
    cr_assert_eq(frame_scan_list(3, 2, 0, word_area), -E_OWNER);
    cr_assert_eq(frame_scan_list(3, LIST_MAX + 1, 0, word_area), -E_INVAL);
}

Test(frame, neighbours_that_are_alike_share_a_record) {
    for (pfn n = 40; n < 50; n++)
        own(n, 3);
    frame_set(&frame_table[43], FRAME_DIRTY);
    frame_set(&frame_table[44], FRAME_DIRTY);
    frame_table[46].pins = 1;
    frame_table[48].shares = 9;
    static const u64 first[] = {40, 43, 45, 46, 47, 48, 49}, frames[] = {3, 2, 1, 1, 1, 1, 1};
    struct range_result r = frame_scan(3, 30, CLEAR_BITS, word_area);
    cr_assert_eq(r.records, ARRAY_LEN(first));
    for (u32 i = 0; i < r.records; i++) {
        u64 counts = word_area[2 * i + 1];
        cr_assert(FRAME_OF(word_area[2 * i]) == first[i] && ALIKE_OF(counts) == frames[i]);
        cr_assert_eq(USES_OF(counts) != 0, first[i] == 46 || first[i] == 48);
    }
    cr_assert(!frame_has(&frame_table[43], FRAME_DIRTY) && !frame_has(&frame_table[44], FRAME_DIRTY));
    r = frame_scan(2, 100, 0, word_area);
    cr_assert(r.records == 1 && ALIKE_OF(word_area[1]) == RANGE_VISITS_MAX, "as far as the bound");
    cr_assert(r.next == 100 + RANGE_VISITS_MAX && r.stop == STOP_BOUND);
    r = frame_scan(2, (pfn)r.next, 0, word_area);
    cr_assert(r.records == 1 && ALIKE_OF(word_area[1]) == 28 && r.next == 0, "as far as memory goes");
}

Test(frame, closing_hands_frames_and_children_to_the_parent) {
    i64 a = account_open(2), b = account_open((u8)a);
    cr_assert(a > 3 && b > a);
    u32 generation = accounts[a].generation;
    for (pfn n = 20; n < 30; n++)
        own(n, (u8)a);
    frame_queue(&frame_table[25]);
    u32 steps = 0;
    for (i64 r; (r = account_close((u8)a)) != 0; steps++) {
        cr_assert_gt(r, 0);
        cr_assert_eq(frame_give_run(2, (u8)a, 40, 1), -E_BADCAP);
        cr_assert_eq(account_open((u8)a), -E_BADCAP);
    }
    cr_assert_geq(steps, 1);
    cr_assert_eq(frame_table[25].account, 2);
    cr_assert(!frame_has(&frame_table[25], FRAME_QUEUED));
    cr_assert_eq(accounts[b].parent, 2);
    cr_assert_eq(account_open(2), a);
    cr_assert_eq(accounts[a].generation, generation + 1);
    pfn where;
    cr_assert_null(mm_audit(&where));
}

Test(frame, closing_waits_for_spaces_and_mappings) {
    i64 a = account_open(2);
    struct space *s = world_space((u8)a, 4);
    cr_assert_eq(account_close((u8)a), -E_BUSY);
    cr_assert_eq(space_set_account(s, 0), 0);
    own(20, (u8)a);
    frame_table[20].shares = 1;
    cr_assert_eq(account_close((u8)a), -E_MAPPED);
    frame_table[20].shares = 0;
    i64 r;
    while ((r = account_close((u8)a)) > 0)
        ;
    cr_assert_eq(r, 0);
    cr_assert_eq(account_close(ACCOUNT_ROOT), -E_INVAL);
    cr_assert_eq(account_close((u8)a), -E_INVAL);
}

/* Nobody acts for an account without spaces: its parent takes the pins over, users' and the kernel's. */
Test(frame, closing_hands_over_pins) {
    i64 a = account_open(2);
    own(20, (u8)a);
    own(21, (u8)a);
    u64 n = 20;
    cr_assert_eq(frame_pin((u8)a, &n, 1, true), 1);
    cr_assert_eq(frame_pin((u8)a, &n, 1, true), 1);
    cr_assert_eq(frame_pin_one(21, (u8)a), 0);
    i64 r;
    while ((r = account_close((u8)a)) > 0)
        ;
    cr_assert_eq(r, 0);
    cr_assert(frame_table[20].account == 2 && frame_table[20].pins == 2);
    cr_assert_eq(frame_give_run(2, 3, 20, 1), -E_MAPPED); /* still not idle */
    cr_assert_eq(frame_pin(2, &n, 1, false), 1);
    cr_assert_eq(frame_pin(2, &n, 1, false), 1);
    cr_assert_eq(frame_pin(2, &n, 1, false), -E_INVAL);
    cr_assert_eq(frame_give_run(2, 3, 20, 1), 1);
    frame_unpin_one(21);
    cr_assert_eq(frame_give_run(2, 3, 21, 1), 1);
    pfn where;
    cr_assert_null(mm_audit(&where));
}

Test(frame, accounts_run_out) {
    i64 r;
    while ((r = account_open(1)) > 0)
        ;
    cr_assert_eq(r, -E_NOSPC);
}

Test(frame, a_large_table_is_cleared_in_steps) {
    enum { FIRST = 40, FRAMES = 64 };
    cr_assert_eq(frame_begin(FIRST, FRAMES, 2, KIND_CAPTABLE), -E_AGAIN);
    cr_assert_eq(frame_kind(&frame_table[FIRST]), KIND_DATA);
    cr_assert_eq(frame_begin(FIRST, FRAMES, 2, KIND_CAPTABLE), 0);
    for (pfn n = FIRST; n < FIRST + FRAMES; n++)
        cr_assert(frame_kind(&frame_table[n]) == KIND_CAPTABLE && content(n) == 0);
}

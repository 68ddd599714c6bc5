/* SPDX-License-Identifier: MIT */
/* What capabilities name: slots that are none, objects that have ended, frames that are used again. Nothing
 * here waits: the same tests run on the host (tests/unit/ukernel_rules). */
#include "ring3.h"

/* Calls whose first argument is a slot. */
static const u8 with_slots[] = {
    SYS_raise,     SYS_fault_as,      SYS_interrupt,    SYS_notify,        SYS_cap_copy,     SYS_cap_drop,
    SYS_permit,    SYS_permit_end,    SYS_account_open, SYS_account_close, SYS_account_bind, SYS_destroy,
    SYS_regs_read, SYS_regs_write,    SYS_start,        SYS_stop,          SYS_thread_bind,  SYS_space_bind,
    SYS_feed,      SYS_unfeed,        SYS_map,          SYS_unmap,         SYS_protect,      SYS_scan,
    SYS_clone,     SYS_clone_private, SYS_copy,         SYS_give,          SYS_frames,       SYS_collect,
    SYS_irq,       SYS_ports,         SYS_trace_mask,   SYS_trace_name};

static int slots_that_are_none(void) {
    static const u64 none[] = {
        0,          2048,  2049,      1 << 20, 0x7fffffff, 1ull << 32, (1ull << 32) + BOOT_SPACE,
        1ull << 63, ~0ull, ~0ull >> 1};
    for (u32 c = 0; c < ARRAY_LEN(with_slots); c++)
        for (u32 i = 0; i < ARRAY_LEN(none); i++) {
            struct pair r = sys6(with_slots[c], none[i], 0, 0, 0, 0, 0);
            if (r.r != -E_BADCAP) {
                say("# call ");
                say_number(with_slots[c]);
                say(" slot ");
                say_number(none[i]);
                say("\n");
            }
            CHECK(r.r == -E_BADCAP);
        }
    /* and those in other places */
    u32 e = endpoint_make();
    for (u32 i = 1; i < ARRAY_LEN(none); i++) {
        CHECK(sys6(SYS_cap_copy, BOOT_TABLE, none[i], e, RIGHT_ALL, 0, 0).r == -E_BADCAP);
        CHECK(sys6(SYS_cap_copy, BOOT_TABLE, 500, none[i], RIGHT_ALL, 0, 0).r == -E_BADCAP);
        CHECK(sys6(SYS_cap_drop, BOOT_TABLE, none[i], 0, 0, 0, 0).r == -E_BADCAP);
        CHECK(sys6(SYS_retype, frame_get(), 1, KIND_ENDPOINT, none[i], 0, 0).r == -E_BADCAP);
        CHECK(sys6(SYS_permit, BOOT_SPACE, PAGE_BYTES, 1, 0, none[i], 0).r == -E_BADCAP);
        CHECK(sys6(SYS_account_open, BOOT_ACCOUNT, none[i], 0, 0, 0, 0).r == -E_BADCAP);
        CHECK(sys6(SYS_account_bind, BOOT_ACCOUNT, none[i], 0, 0, 0, 0).r == -E_BADCAP);
        CHECK(sys6(SYS_copy, COPY_FRAMES, 0, none[i], 0, 0, 0).r == -E_BADCAP);
        if ((u32)none[i] == none[i]) /* an endpoint's slot in a wait has 32 bits */
            CHECK((err)wait_on((u32)none[i], 500).rax == -E_BADCAP &&
                  (err)wait_on(e, (u32)none[i]).rax == -E_BADCAP);
    }
    return 0;
}

static u64 try(u32 kind, u32 slot) {
    switch (kind) {
    case KIND_SPACE:
        return (u64)sys_scan(slot, PAGE_BYTES, 1, 0).r;
    case KIND_THREAD:
        return (u64)sys_interrupt(slot);
    case KIND_ENDPOINT:
        return (u64)sys_notify(slot, 0);
    default:
        return (u64)sys_cap_drop(slot, 1);
    }
}

/* One frame, used for every kind of object after every other: an old capability never names the new one. */
static int generations(void) {
    static const u8 kinds[] = {KIND_SPACE, KIND_THREAD, KIND_ENDPOINT, KIND_CAPTABLE};
    u32 slot = slot_get(), old = slot_get();
    pfn frame = frame_get();
    for (u32 a = 0; a < 4; a++)
        for (u32 b = 0; b < 4; b++) {
            CHECK(sys_retype(frame, 1, kinds[a], slot) == 0 && try(kinds[a], slot) < 1ull << 62);
            CHECK(sys_cap_copy(BOOT_TABLE, old, slot, RIGHT_ALL, 0) == 0 && sys_destroy(slot) == 0);
            CHECK(try(kinds[a], old) == (u64)-E_BADCAP);
            CHECK(sys_retype(frame, 1, kinds[b], slot) == 0);
            for (u32 k = 0; k < 4; k++)
                CHECK(try(kinds[k], old) == (u64)-E_BADCAP);
            CHECK(sys_destroy(old) == -E_BADCAP && try(kinds[b], slot) < 1ull << 62);
            CHECK(sys_destroy(slot) == 0);
            CHECK(sys_cap_copy(BOOT_TABLE, old, BOOT_ACCOUNT, 0, 0) == 0); /* a dead one is an empty slot */
            CHECK(sys_cap_drop(BOOT_TABLE, old) == 0);
        }
    return 0;
}

static int permits_and_accounts_used_again(void) {
    u32 permit = slot_get(), copy = slot_get(), account = slot_get(), old = slot_get();
    CHECK(sys_permit(BOOT_SPACE, 0x50000000, 1, MAP_READ, permit) == 0);
    CHECK(sys_cap_copy(BOOT_TABLE, copy, permit, RIGHT_ALL, 0) == 0 && sys_permit_end(permit) == 0);
    CHECK(sys_permit(BOOT_SPACE, 0x60000000, 1, MAP_READ, permit) == 0); /* the same place in the space */
    CHECK(sys_unmap(copy, 0x60000000, 1, 0).r == -E_BADCAP && sys_permit_end(copy) == -E_BADCAP);
    CHECK(sys_unmap(permit, 0x60000000, 1, 0).r > 0 && sys_permit_end(permit) == 0);
    CHECK(sys_account_open(BOOT_ACCOUNT, account) == 0);
    CHECK(sys_cap_copy(BOOT_TABLE, old, account, RIGHT_ALL, 0) == 0);
    while (sys_account_close(account, 0) > 0)
        ;
    CHECK(sys_account_open(BOOT_ACCOUNT, copy) == 0); /* the same number */
    CHECK(sys_give(old, frame_get(), 1) == -E_BADCAP && sys_frames(account, 0, 0).r == -E_BADCAP);
    CHECK(sys_frames(copy, 0, 0).r >= 0);
    while (sys_account_close(copy, 0) > 0)
        ;
    return 0;
}

/* Each right is looked for: with all rights but one the call is refused. */
static int every_right(void) {
    u32 e = endpoint_make(), space = space_make(), thread = slot_get(), table = slot_get(), weak = slot_get();
    CHECK(sys_retype(frame_get(), 1, KIND_THREAD, thread) == 0);
    CHECK(sys_retype(frame_get(), 1, KIND_CAPTABLE, table) == 0);
    const struct {
        u32 slot, right;
        u8 call;
    } needs[] = {{e, RIGHT_NOTIFY, SYS_notify},
                 {thread, RIGHT_CONTROL, SYS_stop},
                 {thread, RIGHT_CONTROL, SYS_start},
                 {thread, RIGHT_CONTROL, SYS_interrupt},
                 {thread, RIGHT_CONTROL, SYS_regs_read},
                 {thread, RIGHT_CONTROL, SYS_regs_write},
                 {thread, RIGHT_CONTROL, SYS_thread_bind},
                 {thread, RIGHT_CONTROL, SYS_trace_name},
                 {thread, RIGHT_DESTROY, SYS_destroy},
                 {e, RIGHT_DESTROY, SYS_destroy},
                 {table, RIGHT_DESTROY, SYS_destroy},
                 {space, RIGHT_DESTROY, SYS_destroy},
                 {table, RIGHT_CONTROL, SYS_cap_copy},
                 {table, RIGHT_CONTROL, SYS_cap_drop},
                 {space, RIGHT_MAP, SYS_map},
                 {space, RIGHT_MAP, SYS_unmap},
                 {space, RIGHT_MAP, SYS_protect},
                 {space, RIGHT_MAP, SYS_scan},
                 {space, RIGHT_MAP, SYS_clone},
                 {space, RIGHT_MAP, SYS_clone_private},
                 {space, RIGHT_MAP, SYS_permit},
                 {space, RIGHT_FEED, SYS_feed},
                 {space, RIGHT_FEED, SYS_unfeed},
                 {space, RIGHT_CONTROL, SYS_space_bind},
                 {space, RIGHT_COPY, SYS_copy},
                 {BOOT_ACCOUNT, RIGHT_CONTROL, SYS_account_open},
                 {BOOT_ACCOUNT, RIGHT_CONTROL, SYS_account_bind},
                 {BOOT_ACCOUNT, RIGHT_CONTROL, SYS_collect},
                 {BOOT_FRAME_ACCT, RIGHT_DESTROY, SYS_account_close},
                 {BOOT_TRACE, RIGHT_CONTROL, SYS_trace_mask}};
    for (u32 i = 0; i < ARRAY_LEN(needs); i++) {
        CHECK(sys_cap_copy(BOOT_TABLE, weak, needs[i].slot, RIGHT_ALL & ~needs[i].right, 0) == 0);
        CHECK(sys6(needs[i].call, weak, 0, 0, 0, 0, 0).r == -E_RIGHTS);
        CHECK(sys_cap_drop(BOOT_TABLE, weak) == 0);
    }
    CHECK(sys_cap_copy(BOOT_TABLE, weak, e, RIGHT_ALL & ~RIGHT_RECV, 0) == 0);
    CHECK((err)wait_on(weak, 0).rax == -E_RIGHTS && sys_space_bind(space, weak, 0, 0, 0, 0, 0) == -E_RIGHTS);
    CHECK(sys_cap_drop(BOOT_TABLE, weak) == 0);
    CHECK(sys_cap_copy(BOOT_TABLE, weak, e, RIGHT_ALL & ~RIGHT_CALL, 0) == 0);
    CHECK((err)call_of(weak, 0, 0, 0).rax == -E_RIGHTS);
    CHECK(sys_destroy(thread) == 0 && sys_destroy(table) == 0 && sys_destroy(e) == 0);
    return 0;
}

void test_names(void) {
    RUN(slots_that_are_none);
    RUN(generations);
    RUN(permits_and_accounts_used_again);
    RUN(every_right);
}

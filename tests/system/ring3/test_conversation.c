/* SPDX-License-Identifier: MIT */
/* Conversations that are cut off: every object destroyed at every point of each kind of conversation, rights
 * to reply that are dropped, dead, or old; and messages that are handed on more than once. */
#include "probe.h"

enum { WAITING_SENDER, HELD, POINTS }; /* the message is queued, or somebody holds the right to reply */
enum ended { ENDPOINT, THREAD, TABLE, SPACE_TOO, THINGS };

static u32 space, table, endpoint, thread;
static struct message held;

static const struct {
    enum program what;
    u8 kind;
} kinds[] = {{PROGRAM_CALL, MSG_CALL},
             {PROGRAM_LOAD, MSG_FAULT},
             {PROGRAM_ALIEN, MSG_ALIEN},
             {PROGRAM_TRAP, MSG_EXCEPTION}};

/* A program that is in the middle of a conversation at `endpoint`. */
static int begin(u32 k, u32 point) {
    endpoint = endpoint_make();
    u32 programs_table = slot_get();
    space = space_with(8);
    CHECK(sys_retype(frame_get(), 1, KIND_CAPTABLE, programs_table) == 0 &&
          sys_cap_copy(programs_table, 5, endpoint, RIGHT_CALL, 0) == 0);
    u32 keep_pager = kinds[k].kind == MSG_FAULT ? endpoint : 0,
        keep_alien = kinds[k].kind == MSG_ALIEN ? endpoint : 0,
        keep_exceptions = kinds[k].kind == MSG_EXCEPTION ? endpoint : 0;
    CHECK(sys_space_bind(space, keep_pager, keep_alien, keep_exceptions, 0, programs_table, 0) == 0);
    thread = program_start(space, kinds[k].what, kinds[k].what == PROGRAM_CALL ? 5 : PROGRAM_DATA);
    settle();
    if (point == WAITING_SENDER)
        return 0;
    held = next_message(endpoint);
    CHECK(!held.e && IPC_KIND(held.io.r14) == kinds[k].kind);
    return 0;
}

/* Whatever is left goes too, and nothing is broken. */
static int all_gone(void) {
    settle();
    CHECK(sys_audit() != -E_PROTO);
    err e = sys_destroy(thread);
    CHECK(e == 0 || e == -E_BADCAP);
    e = destroy_whole(endpoint);
    CHECK(e == 0 || e == -E_BADCAP);
    CHECK(destroy_whole(space) == 0);
    if (held.right)
        CHECK(sys_cap_drop(BOOT_TABLE, held.right) == 0);
    held.right = 0;
    CHECK(sys_audit() != -E_PROTO);
    return 0;
}

static int destroyed_at_every_point(void) {
    for (u32 k = 0; k < ARRAY_LEN(kinds); k++)
        for (u32 point = 0; point < POINTS; point++)
            for (u32 what = 0; what < THINGS; what++) {
                CHECK(begin(k, point) == 0);
                if (what == ENDPOINT)
                    CHECK(destroy_whole(endpoint) == 0);
                if (what == THREAD)
                    CHECK(sys_destroy(thread) == 0);
                if (what == SPACE_TOO)
                    CHECK(sys_destroy(space) == -E_BUSY && sys_destroy(thread) == 0 &&
                          destroy_whole(space) == 0);
                if (what == TABLE && point == HELD) {
                    table = slot_get();
                    CHECK(sys_retype(frame_get(), 1, KIND_CAPTABLE, table) == 0);
                    CHECK(sys_cap_copy(table, 3, held.right, RIGHT_ALL, 0) == 0 && destroy_whole(table) == 0);
                    settle(); /* a call has failed; the others have sent their message again */
                    u32 where = kinds[k].kind == MSG_CALL ? exceptions : endpoint;
                    struct message m = next_message(where);
                    CHECK(!m.e &&
                          IPC_KIND(m.io.r14) == (kinds[k].kind == MSG_CALL ? MSG_EXCEPTION : kinds[k].kind));
                    CHECK(m.io.r13 > held.io.r13);
                    CHECK((IPC_FLAGS(m.io.r14) == IPC_AGAIN) == (kinds[k].kind > MSG_FAULT));
                    CHECK(sys_cap_drop(BOOT_TABLE, m.right) == 0);
                }
                if (what == SPACE_TOO) {
                    CHECK(sys_audit() != -E_PROTO && destroy_whole(endpoint) == 0);
                    continue;
                }
                CHECK(all_gone() == 0);
            }
    return 0;
}

/* A thread whose waiter has gone: each use of the right is a success that frees the slot. */
static int dead_rights(void) {
    for (u32 k = 0; k < ARRAY_LEN(kinds); k++)
        for (u32 use = 0; use < 6; use++)
            for (u32 how = 0; how < 2; how++) {
                CHECK(begin(k, HELD) == 0);
                CHECK((how ? sys_destroy(thread) : sys_stop(thread)) == 0);
                struct ipc_io forward = {.rax = SYS_forward_wait, .rbx = held.right | (u64)pager << 32};
                switch (use) {
                case 0:
                    CHECK(answer(held.right, 0, 0) == WOKE_BITS);
                    break;
                case 1:
                    CHECK(fault_items(held.right, NULL, 0) == 0);
                    break;
                case 2:
                    ipc_raw(&forward);
                    CHECK(forward.rax == WOKE_BITS);
                    break;
                case 3:
                    CHECK(sys_raise(held.right, 0, 0) == 0);
                    break;
                case 4:
                    CHECK(sys_fault_as(held.right, PROGRAM_DATA, ACCESS_READ, 0) == 0);
                    break;
                default:
                    CHECK(sys_cap_drop(BOOT_TABLE, held.right) == 0);
                }
                CHECK(answer(held.right, 0, 0) == -E_BADCAP);
                CHECK(sys_copy(held.right, PROGRAM_DATA, COPY_FRAMES, 0, 0).r == -E_BADCAP);
                CHECK(all_gone() == 0);
            }
    return 0;
}

/* A right outlives its waiter's thread, whose frame is another thread of the same kind by now. */
static int old_right(void) {
    for (u32 k = 0; k < ARRAY_LEN(kinds); k++) {
        CHECK(begin(k, HELD) == 0);
        struct message first = held;
        CHECK(sys_destroy(thread) == 0);
        thread = program_start(space, kinds[k].what, kinds[k].what == PROGRAM_CALL ? 5 : PROGRAM_DATA);
        held = next_message(endpoint);
        CHECK(!held.e && held.right != first.right);
        CHECK(answer(first.right, 77, 77) == WOKE_BITS); /* nobody's */
        settle();
        struct message none = next_message(endpoint);
        CHECK(none.e == -E_AGAIN);
        CHECK(answer(held.right, 0, 0) == WOKE_BITS);
        held = next_message(endpoint);
        CHECK(!held.e);
        CHECK(all_gone() == 0);
    }
    return 0;
}

/* What may be done with a right depends on what its waiter waits for. */
static err use(u32 how) {
    struct ipc_io cap = {.rax = SYS_reply_wait, .rbx = held.right | (u64)endpoint << 32};
    switch (how) {
    case 0:
        return (err)fault_items(held.right, NULL, 0);
    case 1:
        return sys_raise(held.right, 0, 0);
    case 2:
        return sys_fault_as(held.right, 0, ACCESS_READ, 0);
    case 3:
        return sys_copy(held.right, PROGRAM_DATA, COPY_FRAMES, frame_get() * PAGE_BYTES, 8).r;
    default: /* nobody but a caller that has named a slot takes a capability */
        ipc_raw(&cap);
        return (err)cap.rax;
    }
}

static int wrong_kind(void) {
    enum { C = 1 << MSG_CALL, F = 1 << MSG_FAULT, A = 1 << MSG_ALIEN, E = 1 << MSG_EXCEPTION };
    static const struct {
        u8 good;
        i32 otherwise;
    } uses[] = {{F, -E_KIND}, {F | A, -E_KIND}, {A | E, -E_KIND}, {A | E, -E_RIGHTS}, {0, -E_NOSLOT}};
    for (u32 k = 0; k < ARRAY_LEN(kinds); k++)
        for (u32 i = 0; i < ARRAY_LEN(uses); i++) {
            CHECK(begin(k, HELD) == 0);
            err e = use(i);
            CHECK(uses[i].good >> kinds[k].kind & 1 ? e >= 0 : e == uses[i].otherwise);
            CHECK(sys_destroy(thread) == 0 && all_gone() == 0);
        }
    return 0;
}

static struct message forwarded(u32 right, u32 to, u64 label) {
    struct ipc_io io = {.w = {label + 1, label + 2, label + 3, label + 4, label + 5, label + 6},
                        .label = label,
                        .rax = SYS_forward_wait | 6 << 8,
                        .rbx = right | (u64)to << 32};
    ipc_raw(&io);
    return io.rax == WOKE_BITS ? next_message(to) : (struct message){.e = (err)io.rax};
}

static int forward_of_a_forward(void) {
    for (u32 k = 0; k < ARRAY_LEN(kinds); k++) {
        u32 other = endpoint_make();
        CHECK(begin(k, HELD) == 0);
        u64 call = held.io.r13;
        for (u32 i = 0; i < 5; i++) {
            held = forwarded(held.right, i % 2 ? endpoint : other, 0x1000 + i);
            CHECK(!held.e && held.io.label == 0x1000 + i && held.io.w[0] == 0x1001 + i &&
                  held.io.w[5] == 0x1006 + i);
            CHECK(held.io.r13 == call && IPC_KIND(held.io.r14) == kinds[k].kind);
            CHECK(IPC_FLAGS(held.io.r14) == IPC_FORWARDED && held.io.rbx >> 32 == thread);
        }
        if (kinds[k].kind == MSG_FAULT) {
            struct fault_item item = {PROGRAM_DATA | MAP_READ, ITEM_FRAME(frame_get(), FILL_AS_IS)};
            CHECK(fault_items(held.right, &item, 1) == 1);
        } else {
            CHECK(answer(held.right, 0, 0) == WOKE_BITS);
        }
        held = next_message(endpoint); /* it goes on, and its next message is a first one */
        CHECK(!held.e && held.io.r13 > call && IPC_FLAGS(held.io.r14) == 0);
        CHECK(all_gone() == 0 && sys_destroy(other) == 0);
    }
    return 0;
}

/* A forwarded message whose right is dropped is a dropped one like any other. */
static int dropped_after_forward(void) {
    for (u32 k = 0; k < ARRAY_LEN(kinds); k++) {
        CHECK(begin(k, HELD) == 0);
        u64 call = held.io.r13;
        held = forwarded(held.right, pager, 0x1000);
        CHECK(!held.e && sys_cap_drop(BOOT_TABLE, held.right) == 0);
        held = next_message(kinds[k].kind == MSG_CALL ? exceptions : endpoint);
        CHECK(!held.e && held.io.r13 > call && !(IPC_FLAGS(held.io.r14) & IPC_FORWARDED));
        CHECK(held.io.label != 0x1000);
        CHECK(all_gone() == 0);
    }
    return 0;
}

/* Bits come before callers that are queued; callers then in the order in which they came. */
static int bits_before_callers(void) {
    CHECK(begin(0, WAITING_SENDER) == 0);
    u32 second = program_start(space, PROGRAM_CALL, 5);
    settle();
    CHECK(sys_notify(endpoint, 6) == 0);
    struct ipc_io io = wait_on(endpoint, slot_get());
    CHECK(io.rax == WOKE_BITS && io.r15 == 6);
    struct message a = next_message(endpoint), b = next_message(endpoint);
    CHECK(!a.e && !b.e && a.io.rbx >> 32 == thread && b.io.rbx >> 32 == second);
    CHECK(sys_notify(endpoint, 1) == 0);
    io = wait_on(endpoint, 0); /* who takes bits only */
    CHECK(io.rax == WOKE_BITS && io.r15 == 1);
    CHECK(sys_destroy(second) == 0 && sys_cap_drop(BOOT_TABLE, a.right) == 0 &&
          sys_cap_drop(BOOT_TABLE, b.right) == 0);
    return all_gone();
}

void test_conversation(void) {
    RUN(destroyed_at_every_point);
    RUN(dead_rights);
    RUN(old_right);
    RUN(wrong_kind);
    RUN(forward_of_a_forward);
    RUN(dropped_after_forward);
    RUN(bits_before_callers);
}

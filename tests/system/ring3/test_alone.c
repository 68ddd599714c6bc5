/* SPDX-License-Identifier: MIT */
/* What forward, an answer alone and a wait alone do, where the kernel has a short path for each of them and
 * where it must leave it. The first thread is the forwarder; a worker waits where it forwards to. */
#include "probe.h"

enum { GOT = 8, KINDS = 4 };

static u32 home, target, badged, space, thread, waits_in, got_slot, turns;
static struct ipc_io got;
static struct worker receiver_thread;
static struct message held;

static const struct {
    enum program what;
    u8 kind;
} kinds[KINDS] = {{PROGRAM_CALL, MSG_CALL},
                  {PROGRAM_LOAD, MSG_FAULT},
                  {PROGRAM_ALIEN, MSG_ALIEN},
                  {PROGRAM_TRAP, MSG_EXCEPTION}};

/* Takes one message after the other. */
static void receiver(u64 unused) {
    (void)unused;
    for (;;) {
        waits_in = slot_get();
        got = wait_on(target, waits_in);
        got_slot = waits_in;
        turns++;
        (void)sys_notify(home, GOT);
    }
}

/* A program whose message this thread holds the right to answer, and a receiver that waits. */
static int begin(u32 k) {
    home = endpoint_make();
    target = endpoint_make();
    badged = slot_get();
    u32 table = slot_get();
    space = space_with(8);
    CHECK(sys_cap_copy(BOOT_TABLE, badged, target, RIGHT_CALL, 55) == 0);
    CHECK(sys_retype(frame_get(), 1, KIND_CAPTABLE, table) == 0 &&
          sys_cap_copy(table, 5, home, RIGHT_CALL, 0) == 0);
    u8 kind = kinds[k].kind;
    CHECK(sys_space_bind(space, kind == MSG_FAULT ? home : 0, kind == MSG_ALIEN ? home : 0,
                         kind == MSG_EXCEPTION ? home : 0, 0, table, 0) == 0);
    thread = program_start(space, kinds[k].what, kinds[k].what == PROGRAM_CALL ? 5 : PROGRAM_DATA);
    held = next_message(home);
    CHECK(!held.e && IPC_KIND(held.io.r14) == kind);
    receiver_thread = worker_make(receiver, 0, PRIO_HIGH);
    CHECK(sys_start(receiver_thread.slot) == 0);
    settle();
    turns = 0;
    return 0;
}

static int end(void) {
    CHECK(sys_destroy(thread) == 0 && sys_destroy(receiver_thread.slot) == 0);
    CHECK(destroy_whole(home) == 0 && destroy_whole(target) == 0 && destroy_whole(space) == 0);
    CHECK(sys_audit() != -E_PROTO);
    return 0;
}

/* Forward and wait; the next right may come into the slot that becomes free. */
static struct ipc_io forward(u32 to, u64 words, u64 range, u32 space_slot) {
    struct ipc_io io = {.w = {11, 12, 13, 14, 15, 16},
                        .label = 0x1234,
                        .rax = SYS_forward_wait | words << 8 | range,
                        .rbx = held.right | (u64)to << 32,
                        .r13 = home | (u64)held.right << 32,
                        .r14 = (u64)space_slot << 32};
    ipc_raw(&io);
    return io;
}

static bool received_forward(u8 kind, u64 words, u64 flags) {
    for (u64 i = 0; i < MSG_REG_WORDS; i++)
        if (got.w[i] != 11 + i)
            return false;
    return got.rax == WOKE_MESSAGE && got.label == 0x1234 && got.rbx == (55 | (u64)thread << 32) &&
           got.r13 == held.io.r13 && got.r14 == (words | (u64)kind << 8 | flags << 16);
}

static int forward_to_one_who_waits(void) {
    for (u32 k = 0; k < KINDS; k++) {
        CHECK(begin(k) == 0);
        struct ipc_io io = forward(badged, k + 2, 0, 0);
        CHECK(io.rax == WOKE_BITS && io.r15 == GOT && io.r14 == 0 && turns == 1);
        CHECK(received_forward(kinds[k].kind, k + 2, IPC_FORWARDED) && got.r15 == 0);
        CHECK(answer(held.right, 0, 0) == -E_BADCAP); /* used up */
        CHECK(answer(got_slot, 0, 0) == WOKE_BITS);
        struct message m = next_message(home); /* the program has gone on */
        CHECK(!m.e && m.io.r13 > got.r13 && IPC_FLAGS(m.io.r14) == 0);
        CHECK(end() == 0);
    }
    return 0;
}

/* What the interrupted call was told, and what region allows, goes along. */
static int forward_keeps_progress(void) {
    CHECK(begin(2) == 0);
    pfn page = frame_get();
    CHECK(sys_fault_as(held.right, PROGRAM_DATA, ACCESS_READ, 77) == 0);
    struct message m = next_message(pager);
    struct fault_item item = {PROGRAM_DATA | MAP_READ, ITEM_FRAME(page, FILL_AS_IS)};
    CHECK(!m.e && fault_items(m.right, &item, 1) == 1);
    held = next_message(home);
    CHECK(!held.e && IPC_FLAGS(held.io.r14) == IPC_AGAIN && held.io.r15 == 77);
    CHECK(forward(badged, 6, 0, 0).rax == WOKE_BITS);
    CHECK(received_forward(MSG_ALIEN, 6, IPC_AGAIN | IPC_FORWARDED) && got.r15 == 77);
    CHECK(answer(got_slot, 0, 0) == WOKE_BITS);
    m = next_message(home);
    CHECK(!m.e && m.io.r15 == 0);
    return end();
}

static i64 enter(u64 page, u64 rights) {
    struct fault_item item = {PROGRAM_DATA + page * PAGE_BYTES + rights, ITEM_FRAME(frame_get(), FILL_AS_IS)};
    return fault_items(got_slot, &item, 1);
}

static int forward_with_range(void) {
    static const struct {
        u64 first, count;
        i64 two, three; /* entered at these pages by an answer with READ and WRITE */
    } good[] = {{0, 0, 1, 1}, {2, 1, 1, 0}, {3, 2, 0, 1}, {0, 512, 1, 1}};
    for (u32 i = 0; i < 2 * ARRAY_LEN(good); i++) {
        CHECK(begin(1) == 0);
        u64 first = good[i / 2].first, count = good[i / 2].count;
        u32 other = space_with(0), at = 2 + i % 2;
        CHECK(forward(badged, 6, FORWARD_RANGE(510, 3, MAP_READ), space).rax == (u64)-E_INVAL);
        CHECK(forward(badged, 6, FORWARD_RANGE(0, 1, MAP_READ), other).rax == (u64)-E_RIGHTS);
        CHECK(forward(badged, 6, FORWARD_RANGE(0, 1, MAP_READ), home).rax == (u64)-E_KIND);
        CHECK(turns == 0);
        struct ipc_io io = forward(badged, 6, FORWARD_RANGE(first, count, MAP_READ), i % 2 ? space : 0);
        CHECK(io.rax == WOKE_BITS && received_forward(MSG_FAULT, 6, IPC_FORWARDED));
        CHECK(enter(at, MAP_READ | MAP_WRITE) == (at == 2 ? good[i / 2].two : good[i / 2].three));
        if ((at == 2 ? good[i / 2].two : good[i / 2].three) && count) { /* no more rights than that */
            CHECK(sys_scan(space, PROGRAM_DATA + at * PAGE_BYTES, 1, 0).second == 1);
            CHECK((AREA[1] & (PTE_WRITE | PTE_PRESENT)) == PTE_PRESENT);
        }
        CHECK(destroy_whole(other) == 0 && end() == 0);
    }
    return 0;
}

/* Whoever forwards finds at home what has come meanwhile. */
static int forward_and_something_is_here(void) {
    for (u32 k = 0; k < KINDS; k++) {
        CHECK(begin(k) == 0);
        CHECK(sys_notify(home, 4) == 0);
        struct ipc_io io = forward(badged, 6, 0, 0);
        CHECK(io.rax == WOKE_BITS && io.r15 == 4 && turns == 0); /* this thread goes first */
        settle();
        CHECK(turns == 1 && received_forward(kinds[k].kind, 6, IPC_FORWARDED));
        held.right = got_slot;
        held.io.r13 = got.r13;
        io = wait_on(home, 0);
        CHECK(io.rax == WOKE_BITS && io.r15 == GOT);
        io = forward(home, 5, 0, 0); /* to oneself */
        CHECK(io.rax == WOKE_MESSAGE && io.label == 0x1234 && io.w[4] == 15 && IPC_NWORDS(io.r14) == 5);
        CHECK((u32)io.rbx == 0 && io.r13 == held.io.r13 && IPC_FLAGS(io.r14) == IPC_FORWARDED);
        CHECK(sys_stop(thread) == 0 && sys_notify(home, 2) == 0);
        CHECK(forward(badged, 6, 0, 0).rax == WOKE_BITS); /* of nobody: only the slot is free */
        settle();
        CHECK(turns == 1 && answer(held.right, 0, 0) == -E_BADCAP && end() == 0);
    }
    return 0;
}

/* Nothing happens. */
static int forward_refused(void) {
    CHECK(begin(2) == 0);
    u32 no_call = slot_get(), gone = endpoint_make(), right = held.right;
    CHECK(sys_cap_copy(BOOT_TABLE, no_call, target, RIGHT_NOTIFY, 0) == 0 && destroy_whole(gone) == 0);
    CHECK(forward(0, 6, 0, 0).rax == (u64)-E_BADCAP && forward(1u << 31, 6, 0, 0).rax == (u64)-E_BADCAP);
    CHECK(forward(gone, 6, 0, 0).rax == (u64)-E_BADCAP && forward(space, 6, 0, 0).rax == (u64)-E_KIND);
    CHECK(forward(no_call, 6, 0, 0).rax == (u64)-E_RIGHTS);
    CHECK(forward(badged, MSG_WORDS + 1, 0, 0).rax == (u64)-E_2BIG);
    held.right = badged;
    CHECK(forward(badged, 6, 0, 0).rax == (u64)-E_BADCAP);
    held.right = slot_get();
    CHECK(forward(badged, 6, 0, 0).rax == (u64)-E_BADCAP);
    held.right = right;
    CHECK(turns == 0 && forward(badged, 6, 0, 0).rax == WOKE_BITS && turns == 1);
    return end();
}

/* The receiver's slot is not empty any more when the message comes: it hears that, and the message waits. */
static int forward_to_an_occupied_slot(void) {
    CHECK(begin(2) == 0);
    CHECK(sys_cap_copy(BOOT_TABLE, waits_in, badged, RIGHT_CALL, 0) == 0);
    u32 full = waits_in;
    struct ipc_io io = forward(badged, 6, 0, 0);
    CHECK(io.rax == WOKE_BITS && turns == 1 && got.rax == (u64)-E_OCCUPIED && got_slot == full);
    settle(); /* and comes again, with another slot */
    CHECK(turns == 2 && received_forward(MSG_ALIEN, 6, IPC_FORWARDED));
    return end();
}

/* Answers without a wait. */

static struct ipc_io answer_alone(u32 right, u64 words, u64 label) {
    struct ipc_io io = {.w = {21, 22, 23, 24, 25, 26},
                        .label = label,
                        .rax = SYS_reply_wait | words << 8,
                        .rbx = right,
                        .r13 = 7ull << 32,
                        .r15 = 9};
    ipc_raw(&io);
    return io;
}

static struct ipc_io back;
static u64 order, caller_was, server_was;

static void caller(u64 unused) {
    (void)unused;
    struct ipc_io io = {.label = 0x101, .rax = SYS_call, .rbx = target};
    ipc_raw(&io);
    back = io;
    caller_was = ++order;
    (void)sys_notify(home, 1);
    (void)wait_on(endpoint_make(), 0);
}

static void answerer(u64 slot) {
    (void)wait_on(target, (u32)slot);
    struct ipc_io io = answer_alone((u32)slot, 6, 5);
    server_was = ++order;
    got = io;
    (void)sys_notify(home, 2);
    (void)wait_on(endpoint_make(), 0);
}

/* The higher of both goes on first; of two that are equal the one that answers. */
static int answer_alone_to_a_call(void) {
    static const u8 levels[][2] = {
        {PRIO_HIGH, PRIO_LINUX}, {PRIO_LINUX, PRIO_HIGH}, {PRIO_LINUX, PRIO_LINUX}};
    for (u32 i = 0; i < ARRAY_LEN(levels); i++) {
        home = endpoint_make();
        target = endpoint_make();
        order = 0;
        struct worker a = worker_make(answerer, slot_get(), levels[i][0]),
                      c = worker_make(caller, 0, levels[i][1]);
        CHECK(sys_start(a.slot) == 0);
        settle();
        CHECK(sys_start(c.slot) == 0);
        settle();
        CHECK(got.rax == WOKE_BITS && got.r14 == 0 && got.r15 == 0);
        CHECK(back.rax == 0 && back.label == 5 && back.r14 == 6);
        for (u64 k = 0; k < MSG_REG_WORDS; k++)
            CHECK(back.w[k] == 21 + k);
        CHECK(levels[i][1] > levels[i][0] ? caller_was == 1 : server_was == 1);
        CHECK(order == 2 && sys_destroy(a.slot) == 0 && sys_destroy(c.slot) == 0);
    }
    return 0;
}

/* rax of the program's call; the other registers stay its own. */
static int answer_alone_to_a_program(void) {
    static const struct { u64 label, rax; } answers[] = {{0, 21}, {7, 21}, {(u64)-E_INVAL, (u64)-E_INVAL}};
    for (u32 i = 0; i < ARRAY_LEN(answers); i++) {
        CHECK(begin(2) == 0);
        struct ipc_io io = {.rax = SYS_fault_reply_wait | 2 << 8, .rbx = held.right};
        ipc_raw(&io); /* it is no fault */
        CHECK((err)io.rax == -E_KIND);
        io = answer_alone(held.right, i + 1, answers[i].label);
        CHECK(io.rax == WOKE_BITS && io.r14 == 0 && io.r15 == 0);
        CHECK(answer_alone(held.right, 1, 0).rax == (u64)-E_BADCAP);
        CHECK(sys_interrupt(thread) == 0);
        struct message m = next_message(exceptions);
        CHECK(!m.e && m.io.w[0] == EXC_INTERRUPT && sys_regs_read(m.right, REGS_GENERAL) == 0);
        const struct user_regs *r = (const struct user_regs *)AREA;
        CHECK(r->rax == answers[i].rax && r->rdi == PROGRAM_DATA && r->rsi == 0x1234);
        CHECK(sys_cap_drop(BOOT_TABLE, m.right) == 0 && end() == 0);
    }
    return 0;
}

/* A fault and an exception want nothing but that: the thread goes on. Nobody is there: nothing happens. */
static int answer_alone_to_others(void) {
    for (u32 k = 0; k < KINDS; k++) {
        CHECK(begin(k) == 0);
        CHECK(answer_alone(held.right, 6, 0).rax == WOKE_BITS);
        struct message m = next_message(home);
        CHECK(!m.e && m.io.r13 > held.io.r13);
        CHECK(answer_alone(badged, 6, 0).rax == (u64)-E_BADCAP && answer_alone(0, 6, 0).rax == WOKE_BITS);
        CHECK(answer_alone(1u << 20, 6, 0).rax == (u64)-E_BADCAP);
        CHECK(answer_alone(m.right, MSG_WORDS + 1, 0).rax == (u64)-E_2BIG);
        if (kinds[k].kind != MSG_CALL)
            CHECK(answer_alone(m.right, 7, 0).rax == (u64)-E_2BIG);
        struct ipc_io cap = {.rax = SYS_reply_wait, .rbx = m.right | (u64)badged << 32};
        ipc_raw(&cap); /* nobody named a slot for it */
        CHECK((err)cap.rax == -E_NOSLOT);
        CHECK(sys_stop(thread) == 0 && answer_alone(m.right, 6, 0).rax == WOKE_BITS);
        CHECK(end() == 0);
    }
    return 0;
}

/* Waits without an answer. */

static u32 waits_at, woken_by;
static u64 bits_seen;

static void bits_only(u64 unused) {
    (void)unused;
    struct ipc_io io = wait_on(waits_at, 0);
    bits_seen = io.rax == WOKE_BITS ? io.r15 : 0;
    (void)wait_on(endpoint_make(), 0);
}

static void waits_alone(u64 slot) {
    struct ipc_io io = wait_on(waits_at, (u32)slot);
    woken_by = io.rax == WOKE_MESSAGE ? (u32)slot : 0;
    (void)wait_on(endpoint_make(), 0);
}

static void calls(u64 label) {
    (void)call_of(waits_at, label, 1, 2);
    (void)wait_on(endpoint_make(), 0);
}

/* A message goes to whoever came last and can take it, bits to the one that takes nothing else. */
static int wait_alone(void) {
    struct worker w[5];
    u32 first = slot_get(), last = slot_get();
    waits_at = endpoint_make();
    w[0] = worker_make(waits_alone, first, PRIO_HIGH);
    w[1] = worker_make(bits_only, 0, PRIO_HIGH);
    w[2] = worker_make(waits_alone, last, PRIO_LINUX);
    w[3] = worker_make(calls, 0x101, PRIO_HIGH);
    w[4] = worker_make(calls, 0x102, PRIO_LINUX);
    for (u32 i = 0; i < 3; i++) {
        CHECK(sys_start(w[i].slot) == 0);
        settle();
    }
    CHECK(sys_start(w[3].slot) == 0);
    settle();
    CHECK(woken_by == last && bits_seen == 0);
    CHECK(sys_start(w[4].slot) == 0);
    settle();
    CHECK(woken_by == first && bits_seen == 0);
    CHECK(sys_notify(waits_at, 6) == 0);
    settle();
    CHECK(bits_seen == 6);
    CHECK(answer(first, 0, 0) == WOKE_BITS && answer(last, 0, 0) == WOKE_BITS);
    struct ipc_io io = {.rax = SYS_fault_reply_wait, .r13 = waits_at | (u64)first << 32};
    ipc_raw(&io); /* only reply_wait may answer nobody */
    CHECK((err)io.rax == -E_BADCAP);
    for (u32 i = 0; i < ARRAY_LEN(w); i++)
        CHECK(sys_destroy(w[i].slot) == 0);
    return destroy_whole(waits_at) ? __LINE__ : 0;
}

void test_alone(void) {
    RUN(forward_to_one_who_waits);
    RUN(forward_keeps_progress);
    RUN(forward_with_range);
    RUN(forward_and_something_is_here);
    RUN(forward_refused);
    RUN(forward_to_an_occupied_slot);
    RUN(answer_alone_to_a_call);
    RUN(answer_alone_to_a_program);
    RUN(answer_alone_to_others);
    RUN(wait_alone);
}

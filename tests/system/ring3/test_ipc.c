/* SPDX-License-Identifier: MIT */
/* Calls, answers, forward, capabilities in messages. The first thread is the server: it runs whenever it
 * can. */
#include "ring3.h"

static u32 endpoint, second, reply_slot, other_slot;
static volatile u64 seen[16];

/* One call with two words; what came back is kept for the test. */
static void caller(u64 label) {
    struct ipc_io io = call_of(endpoint, label, 11, 22);
    seen[0] = io.rax;
    seen[1] = io.label;
    seen[2] = io.w[0];
    seen[3] = io.r14;
    wait_on(second, 0);
}

static struct worker start_caller(void (*entry)(u64), u64 argument, u64 priority) {
    struct worker w = worker_make(entry, argument, priority);
    if (sys_start(w.slot))
        say("FAIL start\n");
    return w;
}

static int call_and_answer(void) {
    struct worker w = start_caller(caller, 0x100, PRIO_HIGH);
    struct ipc_io io = wait_on(endpoint, reply_slot);
    CHECK(io.rax == WOKE_MESSAGE && io.label == 0x100 && io.w[0] == 11 && io.w[1] == 22);
    CHECK(IPC_NWORDS(io.r14) == 2 && IPC_KIND(io.r14) == MSG_CALL && IPC_FLAGS(io.r14) == 0);
    CHECK((io.rbx >> 32) == w.index && (u32)io.rbx == 0);
    u64 call = io.r13;
    CHECK(call > 0);
    io = answer_wait(reply_slot, 7, 33, endpoint, reply_slot); /* nobody else calls: wait for the deadline */
    CHECK(io.rax == WOKE_BITS);
    return 0;
}

/* The same with a deadline instead of a second message, so that the answer is seen. */
static int answer_is_seen(void) {
    start_caller(caller, 0x101, PRIO_HIGH);
    struct ipc_io io = wait_on(endpoint, reply_slot);
    CHECK(io.rax == WOKE_MESSAGE && io.label == 0x101);
    CHECK(answer(reply_slot, 7, 33) == WOKE_BITS);
    wait_on(endpoint, 0);
    return 0;
}

/* A low thread that tells the first one that all others have come to rest. */
static void rest(u64 unused) {
    (void)unused;
    for (;;)
        sys_notify(endpoint, 1);
}

static int reply_reaches_caller(void) {
    CHECK(seen[0] == 0 && seen[1] == 7 && seen[2] == 33 && IPC_NWORDS(seen[3]) == 1);
    return 0;
}

static int bad_arguments(void) {
    struct ipc_io io = wait_on(63, reply_slot);
    CHECK((err)io.rax == -E_BADCAP);
    io = wait_on(BOOT_SPACE, reply_slot);
    CHECK((err)io.rax == -E_KIND);
    io = wait_on(endpoint, 100000);
    CHECK((err)io.rax == -E_BADCAP);
    io = wait_on(endpoint, BOOT_SPACE);
    CHECK((err)io.rax == -E_OCCUPIED);
    io = answer_wait(reply_slot, 0, 0, endpoint, reply_slot);
    CHECK((err)io.rax == -E_BADCAP);
    CHECK((err)call_of(0, 0x100, 0, 0).rax == -E_BADCAP);
    struct ipc_io big = {.rax = SYS_call | 65 << 8, .rbx = endpoint, .label = 0x100};
    ipc_raw(&big);
    CHECK((err)big.rax == -E_2BIG);
    CHECK(sys6(SYS_COUNT, 0, 0, 0, 0, 0, 0).r == -E_NOSYS);
    CHECK(sys6(255, 0, 0, 0, 0, 0, 0).r == -E_NOSYS);
    return 0;
}

static int poll_returns(void) {
    struct ipc_io io = {.rax = SYS_reply_wait | WAIT_POLL << 16, .r13 = second | (u64)reply_slot << 32};
    ipc_raw(&io);
    CHECK((err)io.rax == -E_AGAIN);
    return 0;
}

/* Words in message pages. */

static void long_caller(u64 me) {
    for (u64 i = MSG_REG_WORDS; i < MSG_WORDS; i++)
        message_of((u32)me)[i] = 1000 + i;
    struct ipc_io io = {
        .w = {1, 2, 3, 4, 5, 6}, .label = 0x102, .rax = SYS_call | MSG_WORDS << 8, .rbx = endpoint};
    ipc_raw(&io);
    seen[4] = io.rax == 0 && IPC_NWORDS(io.r14) == MSG_WORDS;
    for (u64 i = MSG_REG_WORDS; i < MSG_WORDS; i++)
        seen[4] = seen[4] && message_of((u32)me)[i] == 2000 + i;
    wait_on(second, 0);
}

static int sixty_four_words(void) {
    struct worker w = worker_make(long_caller, 0, PRIO_HIGH);
    struct user_regs *u = (struct user_regs *)AREA;
    CHECK(sys_regs_read(w.slot, REGS_GENERAL) == 0);
    u->rdi = w.index;
    CHECK(sys_regs_write(w.slot, REGS_GENERAL) == 0 && sys_start(w.slot) == 0);
    struct ipc_io io = wait_on(endpoint, reply_slot);
    CHECK(io.rax == WOKE_MESSAGE && IPC_NWORDS(io.r14) == MSG_WORDS && io.w[5] == 6);
    for (u64 i = MSG_REG_WORDS; i < MSG_WORDS; i++)
        CHECK(message_of(0)[i] == 1000 + i);
    for (u64 i = MSG_REG_WORDS; i < MSG_WORDS; i++)
        message_of(0)[i] = 2000 + i;
    struct ipc_io back = {.rax = SYS_reply_wait | MSG_WORDS << 8, .rbx = reply_slot, .r13 = endpoint};
    ipc_raw(&back);
    CHECK(back.rax == WOKE_BITS && seen[4]);
    return 0;
}

/* Capabilities. */

static u32 sent, taken, brought;

static void cap_caller(u64 send) {
    struct ipc_io io = {
        .label = 0x103, .rax = SYS_call, .rbx = endpoint, .r13 = (send ? sent : 0) | (u64)brought << 32};
    ipc_raw(&io);
    seen[5] = io.rax;
    seen[6] = IPC_FLAGS(io.r14);
    wait_on(second, 0);
}

static int capability_travels(void) {
    sent = endpoint_make();
    taken = slot_get();
    brought = slot_get();
    struct worker w = worker_make(cap_caller, 1, PRIO_HIGH);
    CHECK(sys_start(w.slot) == 0);
    struct ipc_io io = {.rax = SYS_reply_wait, .r13 = endpoint | (u64)reply_slot << 32, .r14 = taken};
    ipc_raw(&io);
    CHECK(io.rax == WOKE_MESSAGE && IPC_FLAGS(io.r14) == IPC_CAP);
    CHECK(sys_notify(taken, 4) == 0);
    struct ipc_io got = {.rax = SYS_reply_wait, .r13 = sent};
    ipc_raw(&got);
    CHECK(got.rax == WOKE_BITS && got.r15 == 4); /* it is the same endpoint */
    /* and one back */
    struct ipc_io back = {.rax = SYS_reply_wait, .rbx = reply_slot | (u64)taken << 32, .r13 = endpoint};
    ipc_raw(&back);
    CHECK(back.rax == WOKE_BITS && seen[5] == 0 && seen[6] == IPC_CAP && sys_notify(brought, 1) == 0);
    return 0;
}

static int capability_refused(void) {
    seen[5] = 1;
    struct worker w = worker_make(cap_caller, 1, PRIO_HIGH);
    CHECK(sys_start(w.slot) == 0);
    struct ipc_io io =
        wait_on(endpoint, reply_slot); /* names no slot for it: the call fails, the bits come */
    CHECK(io.rax == WOKE_BITS && (err)seen[5] == -E_NOSLOT);
    return 0;
}

/* Many callers, forward, drop. */

static int keep_two(void) {
    start_caller(caller, 0x110, PRIO_HIGH);
    start_caller(caller, 0x111, PRIO_HIGH);
    struct ipc_io a = wait_on(endpoint, reply_slot);
    struct ipc_io b = wait_on(endpoint, other_slot);
    CHECK(a.label == 0x110 && b.label == 0x111 && a.r13 != b.r13);
    CHECK(answer(other_slot, 2, 0) == WOKE_BITS);
    wait_on(endpoint, 0);
    CHECK(seen[1] == 2);
    CHECK(answer(reply_slot, 1, 0) == WOKE_BITS);
    wait_on(endpoint, 0);
    CHECK(seen[1] == 1);
    return 0;
}

static int forward(void) {
    struct worker w = start_caller(caller, 0x120, PRIO_HIGH);
    u32 badged = slot_get();
    CHECK(sys_cap_copy(BOOT_TABLE, badged, second, RIGHT_CALL, 77) == 0);
    struct ipc_io io = wait_on(endpoint, reply_slot);
    CHECK(io.label == 0x120);
    u64 call = io.r13;
    struct ipc_io f = {.w = {1, 2, 3, 4, 5, 6},
                       .label = 0x200,
                       .rax = SYS_forward_wait | 6 << 8,
                       .rbx = reply_slot | (u64)badged << 32};
    ipc_raw(&f);
    CHECK(f.rax == WOKE_BITS);
    struct ipc_io g = wait_on(second, reply_slot);
    CHECK(g.rax == WOKE_MESSAGE && g.label == 0x200 && g.w[0] == 1 && g.w[5] == 6 && g.r13 == call);
    CHECK((u32)g.rbx == 77 && g.rbx >> 32 == w.index && IPC_FLAGS(g.r14) == IPC_FORWARDED);
    CHECK(answer(reply_slot, 5, 6) == WOKE_BITS);
    wait_on(endpoint, 0);
    CHECK(seen[0] == 0 && seen[1] == 5);
    return 0;
}

static void without_page(u64 slot) {
    struct ipc_io io = wait_on(second, (u32)slot);
    seen[8] = IPC_NWORDS(io.r14);
    (void)answer_wait((u32)slot, 8, 0, second, 0);
}

/* Words that a receiver has no page for are not counted. */
static int long_forward(void) {
    struct worker r = worker_make(without_page, other_slot, PRIO_HIGH);
    CHECK(sys_thread_bind(r.slot, BOOT_SPACE, r.index, 0, PRIO_HIGH, 0) == 0 && sys_start(r.slot) == 0);
    start_caller(caller, 0x121, PRIO_HIGH);
    CHECK(wait_on(endpoint, reply_slot).label == 0x121);
    struct ipc_io f = {.label = 0x200,
                       .rax = SYS_forward_wait | MSG_WORDS << 8,
                       .rbx = reply_slot | (u64)second << 32,
                       .r13 = endpoint};
    ipc_raw(&f);
    CHECK(f.rax == WOKE_BITS && seen[1] == 8 && seen[8] == MSG_REG_WORDS);
    CHECK(sys_stop(r.slot) == 0);
    return 0;
}

static int dropped_right(void) {
    start_caller(caller, 0x130, PRIO_HIGH);
    CHECK(wait_on(endpoint, reply_slot).label == 0x130);
    CHECK(sys_cap_drop(BOOT_TABLE, reply_slot) == 0);
    wait_on(endpoint, 0);
    CHECK((err)seen[0] == -E_CANCELED);
    return 0;
}

static int stopped_caller(void) {
    struct worker w = start_caller(caller, 0x131, PRIO_HIGH);
    CHECK(wait_on(endpoint, reply_slot).label == 0x131);
    CHECK(sys_stop(w.slot) == 0);
    CHECK(answer(reply_slot, 0, 0) == WOKE_BITS); /* the caller is gone: a success that frees the slot */
    CHECK(answer(reply_slot, 0, 0) == -E_BADCAP);
    CHECK(sys_start(w.slot) == 0);
    wait_on(endpoint, 0);
    CHECK((err)seen[0] == -E_CANCELED);
    return 0;
}

static int right_moves(void) {
    u32 elsewhere = slot_get();
    start_caller(caller, 0x132, PRIO_HIGH);
    CHECK(wait_on(endpoint, reply_slot).label == 0x132);
    CHECK(sys_cap_copy(BOOT_TABLE, elsewhere, reply_slot, RIGHT_ALL, 0) == 0);
    CHECK(answer(reply_slot, 0, 0) == -E_BADCAP);
    CHECK(answer(elsewhere, 3, 0) == WOKE_BITS);
    wait_on(endpoint, 0);
    CHECK(seen[1] == 3);
    return 0;
}

void test_ipc(void) {
    endpoint = endpoint_make();
    second = endpoint_make();
    reply_slot = slot_get();
    other_slot = slot_get();
    RUN(poll_returns);
    RUN(bad_arguments);
    struct worker w = worker_make(rest, 0, PRIO_LOW);
    if (sys_start(w.slot))
        say("FAIL start\n");
    RUN(call_and_answer);
    RUN(reply_reaches_caller);
    RUN(answer_is_seen);
    RUN(sixty_four_words);
    RUN(capability_travels);
    RUN(capability_refused);
    RUN(keep_two);
    RUN(forward);
    RUN(long_forward);
    RUN(dropped_right);
    RUN(stopped_caller);
    RUN(right_moves);
    if (sys_stop(w.slot))
        say("FAIL stop\n");
}

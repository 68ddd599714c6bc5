/* SPDX-License-Identifier: MIT */
/* Plain calls: what they need and refuse. */
#include <criterion/criterion.h>

#include "arch/cpu.h"
#include "machine.h"

/* The running thread makes the call; its result. */
static i64 plain(u64 number, u64 a, u64 b, u64 c) {
    struct thread_regs *r = &cpu.current->regs;
    r->rax = number;
    r->rdi = a;
    r->rsi = b;
    r->rdx = c;
    r->r10 = r->r8 = r->r9 = 0;
    machine_syscall();
    return (i64)r->rax;
}

/* A fresh machine whose one thread runs, in a space of account 2. */
static struct space *begin(void) {
    machine_init();
    struct space *s = machine_space();
    machine_thread(s, PRIO_LINUX, 0);
    machine_reschedule();
    return s;
}

enum { ENDPOINT = 5, REPLY, OTHER, SENT };

static u64 *area(void) {
    return cpu.current->message + AREA_FIRST;
}

Test(calls, clearing_an_accounts_bits_needs_control) {
    enum { WEAK = 5, STRONG, FRAME = 300 };
    struct space *s = begin();
    cap_make_account(captable_slots(s->table) + WEAK, 2, (u8)~RIGHT_CONTROL);
    cap_make_account(captable_slots(s->table) + STRONG, 2, RIGHT_CONTROL);
    frame_set(&frame_table[FRAME], FRAME_DIRTY);
    cr_assert_eq(plain(SYS_frames, WEAK, FRAME, CLEAR_BITS), -E_RIGHTS);
    cr_assert_geq(plain(SYS_frames, WEAK, FRAME, 0), 0);
    cr_assert_eq(FLAGS_OF(area()[0]), FRAME_DIRTY);
    cr_assert_eq(plain(SYS_frames, STRONG, FRAME, CLEAR_BITS << 1), -E_INVAL);
    cr_assert_geq(plain(SYS_frames, STRONG, FRAME, CLEAR_BITS), 0);
    cr_assert(!frame_has(&frame_table[FRAME], FRAME_DIRTY));
    cr_assert_eq(plain(SYS_frames_list, 1, 2, 0), -E_INVAL);
}

Test(calls, who_has_no_account_sees_no_frames) {
    struct space *s = begin();
    cr_assert_eq(space_set_account(s, 0), 0);
    frame_table[300] = (struct frame){.account = ACCOUNT_KERNEL};
    area()[0] = 300;
    cr_assert_eq(plain(SYS_frames_list, 1, 0, 0), -E_OWNER);
}

Test(calls, the_trace_mask_needs_control) {
    struct space *s = begin();
    struct capability *c = captable_slots(s->table) + 5;
    *c = (struct capability){.kind = KIND_TRACING, .rights = (u8)~RIGHT_CONTROL};
    cr_assert_eq(plain(SYS_trace_mask, 5, 1, 0), -E_RIGHTS);
    cr_assert_eq(plain(SYS_trace_event, 1, 0, 0), 0); /* events are anybody's */
    c->rights = RIGHT_CONTROL;
    cr_assert_eq(plain(SYS_trace_mask, 5, 1, 0), 0);
}

/* Every path of a fault traces the same. */
Test(calls, a_fault_is_traced_with_its_number) {
    struct space *s = begin();
    struct thread *pager = cpu.current;
    struct endpoint *e = machine_endpoint();
    machine_grant(s, ENDPOINT, KIND_ENDPOINT, e, 0);
    s->pager = endpoint_ref(e, 0);
    struct thread *t = machine_thread(s, PRIO_PROGRAM, 0);
    trace_mask = 1ull << TRACE_PAGE_FAULT | 1ull << TRACE_RESUME;
    pager->regs.r13 = ENDPOINT | (u64)REPLY << 32;
    plain(SYS_reply_wait, 0, 0, 0);
    for (u32 i = 0; i < 3; i++) {
        cr_assert_eq(cpu.current, t);
        machine_fault(0x5000, 0);
        cr_assert(cpu.current == pager && pager->regs.rax == WOKE_MESSAGE);
        u64 call = pager->regs.r13;
        cr_assert(machine_traced.id == TRACE_PAGE_FAULT && machine_traced.payload[3] == call);
        pager->regs.rbx = REPLY;
        pager->regs.r13 = ENDPOINT | (u64)REPLY << 32;
        pager->regs.r14 = pager->regs.r15 = 0;
        plain(SYS_fault_reply_wait, 0, 0, 0);
        cr_assert(machine_traced.id == TRACE_RESUME && machine_traced.payload[1] == call);
    }
}

/* What one entry does at most. */

static struct thread *wait_at(u64 reply_slot) {
    struct thread *t = cpu.current;
    t->regs.rbx = t->regs.r14 = t->regs.r15 = 0;
    t->regs.r13 = ENDPOINT | reply_slot << 32;
    plain(SYS_reply_wait, 0, 0, 0);
    return t;
}

static struct thread *call_with(struct space *s, u64 send_slot) {
    struct thread *t = machine_thread(s, PRIO_CONSOLE, 0);
    machine_reschedule();
    cr_assert_eq(cpu.current, t);
    t->regs.rbx = ENDPOINT;
    t->regs.r13 = send_slot;
    plain(SYS_call, 0, 0, 0);
    return t;
}

Test(calls, a_wait_fails_eight_messages_at_most) {
    enum { CALLERS = 20 };
    struct space *s = begin();
    machine_grant(s, ENDPOINT, KIND_ENDPOINT, machine_endpoint(), 0);
    struct thread *server = cpu.current, *callers[CALLERS];
    for (u32 i = 0; i < CALLERS; i++)
        callers[i] = call_with(s, SENT); /* there is nothing in that slot */
    struct thread *good = call_with(s, 0);
    for (u32 done = 8; done <= CALLERS; done += 8) {
        cr_assert_eq(cpu.current, server);
        wait_at(REPLY);
        cr_assert(server->regs.rax == WOKE_BITS && server->regs.r15 == 0);
        for (u32 i = 0; i < CALLERS; i++) {
            cr_assert_eq(callers[i]->state == THREAD_SENDING, i >= done);
            if (callers[i]->state != THREAD_READY)
                continue;
            cr_assert_eq((i64)callers[i]->regs.rax, -E_BADCAP);
            thread_stop(callers[i]);
            if (cpu.current == callers[i])
                cpu.current = NULL;
        }
        machine_reschedule();
    }
    wait_at(REPLY);
    cr_assert(server->regs.rax == WOKE_MESSAGE && good->state == THREAD_CALLING);
}

Test(calls, a_call_passes_over_eight_receivers_at_most) {
    enum { RECEIVERS = 12 };
    struct space *s = begin();
    machine_grant(s, ENDPOINT, KIND_ENDPOINT, machine_endpoint(), 0);
    struct thread *receivers[RECEIVERS];
    for (u32 i = 0; i < RECEIVERS; i++) {
        if (i)
            machine_thread(s, PRIO_CONSOLE, 0);
        machine_reschedule();
        receivers[i] = wait_at(REPLY);
        cr_assert_eq(receivers[i]->state, THREAD_RECEIVING);
    }
    machine_grant(s, REPLY, KIND_THREAD, receivers[0], 0);
    struct thread *caller = call_with(s, 0);
    cr_assert_eq(caller->state, THREAD_SENDING);
    u32 failed = 0;
    for (u32 i = 0; i < RECEIVERS; i++)
        failed += receivers[i]->state == THREAD_READY && (i64)receivers[i]->regs.rax == -E_OCCUPIED;
    cr_assert_eq(failed, 8);
    struct thread *again = wait_at(OTHER);
    cr_assert(again->regs.rax == WOKE_MESSAGE && caller->state == THREAD_CALLING);
}

Test(calls, the_timer_comes_again_for_what_is_left) {
    enum { ENDPOINTS = 70 };
    begin();
    struct endpoint *e[ENDPOINTS];
    for (u32 i = 0; i < ENDPOINTS; i++)
        endpoint_set_deadline(e[i] = machine_endpoint(), 10 + i % 7);
    machine_now = 100;
    for (u32 i = 0; i < 3; i++) {
        u32 passed = 0;
        for (u32 k = 0; k < ENDPOINTS; k++)
            passed += e[k]->bits != 0;
        cr_assert_eq(passed, 32 * i);
        cr_assert(machine_alarm && machine_alarm <= machine_now);
        sched_timer();
    }
    cr_assert_eq(machine_alarm, 0);
}

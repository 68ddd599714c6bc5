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

/* Every path of a fault traces the same. */
Test(calls, a_fault_is_traced_with_its_number) {
    enum { ENDPOINT = 5, REPLY };
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
        cr_assert(machine_traced == TRACE_PAGE_FAULT && machine_payload[3] == call);
        pager->regs.rbx = REPLY;
        pager->regs.r13 = ENDPOINT | (u64)REPLY << 32;
        pager->regs.r14 = pager->regs.r15 = 0;
        plain(SYS_fault_reply_wait, 0, 0, 0);
        cr_assert(machine_traced == TRACE_RESUME && machine_payload[1] == call);
    }
}

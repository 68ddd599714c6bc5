/* SPDX-License-Identifier: MIT */
/* Capabilities, and the ends of what they name. */
#include <criterion/criterion.h>

#include "core/object.h"
#include "arch/cpu.h"
#include "machine.h"

Test(cap, lookup) {
    machine_init();
    struct space *s = machine_space();
    struct endpoint *e = machine_endpoint();
    struct capability *c = machine_grant(s, 5, KIND_ENDPOINT, e, 0);
    err error;
    c->rights = RIGHT_CALL;
    cr_assert_eq(cap_get(s->table, 5, KIND_ENDPOINT, RIGHT_CALL, &error), c);
    cr_assert_eq(error, 0);
    cr_assert_null(cap_get(s->table, 5, KIND_ENDPOINT, RIGHT_CALL | RIGHT_RECV, &error));
    cr_assert_eq(error, -E_RIGHTS);
    cr_assert_null(cap_get(s->table, 5, KIND_THREAD, 0, &error));
    cr_assert_eq(error, -E_KIND);
    const u64 none[] = {0, 6, MACHINE_SLOTS, 1ull << 32 | 5, ~0ull};
    for (u32 i = 0; i < ARRAY_LEN(none); i++) {
        cr_assert_null(cap_get(s->table, none[i], KIND_ENDPOINT, 0, &error));
        cr_assert_eq(error, -E_BADCAP);
    }
    cr_assert_null(cap_get(&captable_none, 5, KIND_ENDPOINT, 0, &error));
}

Test(cap, dies_with_its_object) {
    machine_init();
    struct space *s = machine_space();
    struct endpoint *e = machine_endpoint();
    machine_grant(s, 5, KIND_ENDPOINT, e, 0);
    machine_grant(s, 6, KIND_ENDPOINT, e, 0);
    struct endpoint_ref ref = endpoint_ref(e, 3);
    cr_assert_eq(endpoint_ref_get(&ref), e);
    cr_assert_eq(object_destroy(captable_slots(s->table) + 5), 0);
    cr_assert_null(cap_any(s->table, 6));
    cr_assert_null(endpoint_ref_get(&ref));
    err error = 0;
    cr_assert_not_null(cap_empty(s->table, 6, &error)); /* a dead one makes room */
    endpoint_ref_notify(&ref);                          /* nothing happens */
}

Test(cap, bounded_destroy) {
    machine_init();
    struct space *s = machine_space();
    struct endpoint *e = machine_endpoint();
    machine_grant(s, 5, KIND_ENDPOINT, e, 0);
    enum { WAITERS = 70 };
    for (u32 i = 0; i < WAITERS; i++) {
        struct thread *t = machine_thread(s, PRIO_LINUX, 0);
        t->regs.rax = SYS_call;
        t->regs.rbx = 5;
        machine_reschedule();
        cr_assert_eq(cpu.current, t);
        machine_syscall();
        cr_assert_eq(t->state, THREAD_SENDING);
    }
    u32 steps = 1;
    machine_grant(s, 6, KIND_ENDPOINT, e, 0);
    for (; object_destroy(captable_slots(s->table) + 5) == -E_AGAIN; steps++) {
        if (steps == 1)
            machine_reschedule();
        struct thread *t = cpu.current;
        cr_assert_eq((i64)t->regs.rax, -E_CANCELED);
        for (u32 slot = 5; slot <= 6; slot++) { /* who calls again is refused: the end comes */
            t->regs.rax = SYS_call;
            t->regs.rbx = slot;
            t->regs.r13 = 0;
            machine_syscall();
            cr_assert_eq(t->state, THREAD_READY);
            cr_assert_eq((i64)t->regs.rax, slot == 5 ? -E_RIGHTS : -E_BADCAP);
        }
        t->regs.rax = SYS_yield;
        machine_syscall();
    }
    cr_assert_eq(steps, 3); /* 32 wake-ups each */
}

/* A right that comes to a table between the steps of its end would never be dropped. */
Test(cap, no_right_gets_into_a_table_that_ends) {
    machine_init();
    struct space *s = machine_space();
    struct thread *t = machine_thread(s, PRIO_LINUX, 0);
    enum { TABLE = 7, COPY, RIGHT, FIRST = 400, FRAMES = 8 };
    struct capability *slots = captable_slots(s->table);
    cr_assert_eq(object_create(slots + TABLE, FIRST, FRAMES, KIND_CAPTABLE, 2), 0);
    slots[COPY] = slots[TABLE];
    machine_grant(s, RIGHT, KIND_THREAD, t, 0);
    machine_reschedule();
    err e;
    u32 steps = 1;
    for (; (e = object_destroy(slots + TABLE)) == -E_AGAIN; steps++)
        for (u32 slot = TABLE; slot <= COPY; slot++) {
            t->regs.rax = SYS_cap_copy;
            t->regs.rdi = slot;
            t->regs.rsi = 5;
            t->regs.rdx = RIGHT;
            machine_syscall();
            cr_assert_eq((i64)t->regs.rax, slot == TABLE ? -E_RIGHTS : -E_BADCAP);
            cr_assert_null(cap_any(frame_to_virt(FIRST), 5));
        }
    cr_assert_eq(e, 0);
    cr_assert_eq(steps, FRAMES * CAPS_PER_FRAME / 512);
    cr_assert_eq(frame_kind(&frame_table[FIRST + FRAMES - 1]), KIND_DATA);
}

Test(cap, a_table_drops_32_rights_in_a_step) {
    machine_init();
    struct space *s = machine_space();
    enum { TABLE = 7, FRAME = 400, RIGHTS = 70 };
    struct capability *slots = captable_slots(s->table), *rights = captable_slots(frame_to_virt(FRAME));
    struct thread *waiters[RIGHTS];
    cr_assert_eq(object_create(slots + TABLE, FRAME, 1, KIND_CAPTABLE, 2), 0);
    for (u32 i = 0; i < RIGHTS; i++) {
        struct thread *t = waiters[i] = machine_thread(s, PRIO_LINUX, 0);
        sched_remove(t);
        t->state = THREAD_CALLING;
        t->right = &rights[i + 1];
        rights[i + 1] = (struct capability){.kind = KIND_REPLY, .thread = t};
    }
    u32 steps = 1;
    for (; object_destroy(slots + TABLE) == -E_AGAIN; steps++) {
        u32 woken = 0;
        for (u32 i = 0; i < RIGHTS; i++)
            woken += waiters[i]->state == THREAD_READY && (i64)waiters[i]->regs.rax == -E_CANCELED;
        cr_assert_eq(woken, 32 * steps);
    }
    cr_assert_eq(steps, 3);
}

/* SPDX-License-Identifier: MIT */
/* Seeded random sequences of calls by random threads: servers, and programs (alien threads in the last space)
 * that call, fault and are interrupted. The model: every call carries a number of its own, whoever receives
 * it knows it, and an answer to it arrives at exactly that caller with exactly that number. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "arch/cpu.h"
#include "core/reply.h"
#include "machine.h"

enum {
    SPACES = 4,
    SERVERS = 9,
    ENDPOINTS = 3,
    THREADS = 12,
    FIRST_ENDPOINT = 1,
    FIRST_THREAD = 10,
    FIRST_REPLY = 40,
    REPLIES = 16
};
enum { SLOT_OWN_TABLE = 30, STEPS = 40000 };
enum { AFTER_SYSCALL = 0x1002 }; /* a program's instruction pointer */

static struct space *spaces[SPACES];
static struct endpoint *endpoints[ENDPOINTS];
static struct thread *threads[THREADS];
static u64 expected[THREADS]; /* label of the answer that this thread's call will get; 0: not known yet */
static u64
    asked[THREADS]; /* word 0 of the call that it has made, 0: none; a program's system-call number too */
static u64 numbers;
static u64 answered, repeated, faulted; /* what happened to programs */

static u64 rng;
static u64 pick(u64 n) {
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng % n;
}

static u64 seed(void) {
    const char *given = getenv("QUIRE_SEED");
    u64 s = given ? strtoull(given, NULL, 0) : 0x9e3779b97f4a7c15;
    printf("QUIRE_SEED=%#lx\n", (unsigned long)s);
    return s;
}

static u32 index_of(const struct thread *t) {
    for (u32 i = 0; i < THREADS; i++)
        if (threads[i] == t)
            return i;
    cr_assert(false);
    return 0;
}

static void build(void) {
    machine_init();
    for (u32 i = 0; i < ENDPOINTS; i++)
        endpoints[i] = machine_endpoint();
    for (u32 i = 0; i < SPACES; i++)
        spaces[i] = machine_space();
    struct space *programs = spaces[SPACES - 1];
    programs->system_call = endpoint_ref(endpoints[0], 7);
    programs->exception = endpoint_ref(endpoints[1], 8);
    for (u32 s = 0; s < SPACES; s++)
        spaces[s]->pager = endpoint_ref(endpoints[2], 9);
    for (u32 i = 0; i < SERVERS; i++)
        threads[i] = machine_thread(spaces[i % (SPACES - 1)], (u8)(PRIO_PROGRAM + i / 2), 0);
    for (u32 i = SERVERS; i < THREADS; i++)
        threads[i] = machine_thread(programs, (u8)(PRIO_REGION + i % 2),
                                    THREAD_ALIEN) /* above most: they would starve */;
    for (u32 s = 0; s < SPACES - 1; s++) {
        for (u32 i = 0; i < ENDPOINTS; i++)
            machine_grant(spaces[s], FIRST_ENDPOINT + i, KIND_ENDPOINT, endpoints[i], 100 + i);
        for (u32 i = 0; i < THREADS; i++)
            machine_grant(spaces[s], FIRST_THREAD + i, KIND_THREAD, threads[i], 0);
        machine_grant(spaces[s], SLOT_OWN_TABLE, KIND_CAPTABLE, spaces[s]->table, 0);
    }
    machine_reschedule();
}

static u32 some_endpoint(void) {
    return FIRST_ENDPOINT + (u32)pick(ENDPOINTS);
}

static u32 some_reply(void) {
    return FIRST_REPLY + (u32)pick(REPLIES);
}

/* Mostly one that t can answer, if there is one. */
static u32 some_right(struct thread *t) {
    for (u32 i = 0; i < 24; i++) {
        u32 slot = some_reply();
        const struct capability *c = captable_slots(t->space->table) + slot;
        if (c->kind == KIND_REPLY && c->thread)
            return slot;
    }
    return pick(8) ? 0 : some_reply();
}

static void do_call(struct thread *t) {
    u32 me = index_of(t);
    u64 words = pick(4) ? pick(7) : pick(MSG_WORDS + 1);
    asked[me] = ++numbers;
    expected[me] = 0;
    t->regs.rax = SYS_call | words << 8;
    t->regs.rbx = some_endpoint();
    t->regs.r12 = 0x1000;
    t->regs.r13 = 0;
    t->regs.rdi = asked[me];
    t->regs.r9 = ~asked[me];
    for (u64 i = MSG_REG_WORDS; i < words; i++)
        t->message[i] = asked[me] + i;
    machine_syscall();
}

/* reply_wait, with or without an answer. */
static void do_wait(struct thread *t) {
    u32 used = some_right(t);
    struct capability *right = captable_slots(t->space->table) + used;
    struct thread *to = used && right->kind == KIND_REPLY ? right->thread : NULL;
    u64 label = ++numbers;
    bool answers = to && (to->kind == MSG_CALL || to->kind == MSG_ALIEN);
    if (answers)
        expected[index_of(to)] = label;
    t->regs.rdi = label; /* what an alien call returns */
    bool poll = pick(8) == 0;
    t->regs.rax = SYS_reply_wait | pick(7) << 8 | (poll ? (u64)WAIT_POLL << 16 : 0);
    t->regs.rbx = used;
    t->regs.r12 = label;
    t->regs.r13 = (pick(10) ? some_endpoint() : 0) | (u64)(pick(10) ? some_reply() : 0) << 32;
    t->regs.r14 = 0;
    t->regs.r15 = pick(10) ? 0 : machine_now + pick(50);
    bool empty_slot = true;
    u32 next = (u32)(t->regs.r13 >> 32);
    if (next && next != used)
        empty_slot = captable_slots(t->space->table)[next].kind == KIND_RESERVED ||
                     !cap_alive(captable_slots(t->space->table) + next);
    bool refused = (used && right->kind != KIND_REPLY) || ((u32)t->regs.r13 && !empty_slot);
    machine_syscall();
    if (refused) {
        cr_assert_lt((i64)t->regs.rax, 0);
        if (answers)
            expected[index_of(to)] = 0;
    }
}

static void do_forward(struct thread *t) {
    t->regs.rax = SYS_forward_wait | 2ull << 8 | (u64)WAIT_POLL << 16;
    t->regs.rbx = some_right(t) | (u64)some_endpoint() << 32;
    t->regs.r12 = 0x2000;
    t->regs.r13 = 0;
    t->regs.r14 = t->regs.r15 = 0;
    struct capability *right = captable_slots(t->space->table) + (u32)t->regs.rbx;
    struct thread *to = right->kind == KIND_REPLY ? right->thread : NULL;
    t->regs.rdi = to ? asked[index_of(to)] : 0; /* the number goes along */
    t->regs.r9 = ~t->regs.rdi;
    machine_syscall();
}

static void plain(struct thread *t, u64 number, u64 a, u64 b) {
    t->regs.rdx = pick(3); /* fault_as: the access */
    t->regs.rax = number;
    t->regs.rdi = a;
    t->regs.rsi = b;
    t->regs.r12 = 0; /* so that its result 0 does not look like a message */
    machine_syscall();
}

/* What a thread finds in its registers when it runs again. */
static void look(struct thread *t) {
    u32 me = index_of(t);
    if (asked[me]) {
        if (t->regs.rax == 0)
            cr_assert_eq(t->regs.r12, expected[me], "thread %u got label %lu, not %lu", me,
                         (unsigned long)t->regs.r12, (unsigned long)expected[me]);
        asked[me] = 0;
    } else if (t->regs.rax == WOKE_MESSAGE && t->regs.r12 >= 0x1000 && IPC_KIND(t->regs.r14) == MSG_CALL &&
               t->serving == t->regs.r13) {
        cr_assert_eq(t->regs.r9, ~t->regs.rdi);
        for (u64 i = MSG_REG_WORDS; i < IPC_NWORDS(t->regs.r14); i++)
            cr_assert_eq(t->message[i], t->regs.rdi + i);
    }
    t->regs.rax = (u64)-E_NOSYS; /* seen */
}

static void from_outside(void) {
    machine_now += pick(20);
    if (machine_alarm && machine_now >= machine_alarm)
        sched_timer();
    if (!cpu.current && pick(2))
        endpoint_set_bits(endpoints[pick(ENDPOINTS)], 1ull << pick(8));
    if (!cpu.current && pick(8) == 0)
        thread_stop(threads[pick(THREADS)]);
    for (u32 i = 0; i < THREADS; i++)
        if (threads[i]->state == THREAD_STOPPED && pick(2))
            cr_assert_eq(thread_start(threads[i]), 0);
    machine_reschedule();
}

/* A program: its system call was answered, or is to be made again (it was stopped), or has been raised (rax
 * is untouched). */
static void step_of_program(struct thread *t) {
    u32 me = index_of(t);
    cr_assert(!t->attention);
    if (asked[me] && t->regs.rip == AFTER_SYSCALL)
        cr_assert(t->regs.rax == expected[me] || t->regs.rax == asked[me],
                  "program %u: %lu not %lu, call %lu", me, (unsigned long)t->regs.rax,
                  (unsigned long)expected[me], (unsigned long)asked[me]);
    answered += asked[me] && t->regs.rax == expected[me];
    repeated += asked[me] && t->regs.rip != AFTER_SYSCALL;
    asked[me] = expected[me] = 0;
    if (pick(3) == 0) {
        faulted++;
        machine_fault(pick(8) << PAGE_SHIFT | pick(2) << 47, pick(2) * 2);
        return;
    }
    asked[me] = ++numbers;
    t->regs.rip = AFTER_SYSCALL;
    t->regs.rax = asked[me];
    t->regs.rdi = asked[me];
    t->regs.r9 = ~asked[me];
    machine_syscall();
}

static void one_step(void) {
    struct thread *t = cpu.current;
    if (!t || pick(16) == 0) {
        from_outside();
        return;
    }
    if (t->flags & THREAD_ALIEN) {
        step_of_program(t);
        return;
    }
    look(t);
    switch (pick(15)) {
    case 0 ... 1:
        do_call(t);
        break;
    case 2 ... 7:
        do_wait(t);
        break;
    case 8:
        do_forward(t);
        break;
    case 9:
        plain(t, SYS_notify, some_endpoint(), 1ull << pick(8));
        break;
    case 10:
        plain(t, pick(8) ? SYS_yield : SYS_stop, FIRST_THREAD + pick(THREADS), 0);
        break;
    case 11:
        if (pick(8) == 0)
            plain(t, SYS_interrupt, FIRST_THREAD + SERVERS + pick(THREADS - SERVERS), 0);
        break;
    case 12:
        plain(t, SYS_fault_as, some_right(t), pick(8) << PAGE_SHIFT);
        break;
    case 13:
        plain(t, SYS_raise, some_right(t), 1);
        break;
    case 14:
        plain(t, SYS_cap_drop, SLOT_OWN_TABLE, some_reply());
        break;
    }
}

Test(core, random_calls) {
    rng = seed();
    build();
    for (u32 i = 0; i < STEPS; i++) {
        one_step();
        machine_check(threads, THREADS, endpoints, ENDPOINTS);
    }
    printf("%lu calls; programs: %lu answered, %lu repeated, %lu faults\n", (unsigned long)cpu.calls,
           (unsigned long)answered, (unsigned long)repeated, (unsigned long)faulted);
    cr_assert(cpu.calls > STEPS / 20 && answered > 20 && faulted > 20); /* something has happened */
}

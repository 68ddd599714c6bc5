/* SPDX-License-Identifier: MIT */
/* What tests/system/ring3/target.c is on the target: here a call is one of the kernel's functions, and each
 * thread is a context, which is switched to when the kernel has chosen it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "arch/cpu.h"
#include "core/exception.h"
#include "host.h"
#include "machine.h"
#include "mm/mm.h"
#include "mm/phys.h"
#include "mm/pt.h"
#include "probe.h"
#include "ring3.h"

enum { CONTEXTS = 64, STACK_BYTES = 1 << 16, FRAMES_OF_2 = 64 };

static struct context {
    const struct thread *thread;
    ucontext_t at;
    u8 *stack;
} contexts[CONTEXTS];
static u32 contexts_count;
static u64 *pages[CONTEXTS];
static u32 workers;
static unsigned failures;

/* Threads. */

static void begin_thread(void) {
    struct thread *t = cpu.current;
    ((void (*)(u64))t->regs.rip)(t->regs.rdi);
    fprintf(stderr, "a thread has come to the end of its function\n");
    abort();
}

/* getcontext returns twice, for all that the compiler knows: nothing else is in this function. */
static void context_make(struct context *c) {
    if (!c->stack || getcontext(&c->at))
        abort();
    c->at.uc_stack.ss_sp = c->stack;
    c->at.uc_stack.ss_size = STACK_BYTES;
    makecontext(&c->at, begin_thread, 0);
}

static struct context *context_of(const struct thread *t) {
    for (u32 i = 0; i < contexts_count; i++)
        if (contexts[i].thread == t)
            return &contexts[i];
    if (contexts_count == CONTEXTS)
        abort();
    struct context *c = &contexts[contexts_count++];
    c->thread = t;
    c->stack = malloc(STACK_BYTES);
    context_make(c);
    return c;
}

/* Programs: the instructions of probe.c, one by one. */

static bool is_program(const struct thread *t) {
    return t && t->space->account != ACCOUNT_ROOT;
}

static void program_access(struct thread *t, bool write) {
    vaddr at = t->regs.rdi;
    u64 need = PTE_PRESENT | PTE_USER | (write ? PTE_WRITE : 0);
    const u64 *entry = at >= USER_FIRST && at < USER_END ? pt_leaf(t->space, at) : NULL;
    if (!entry || (*entry & need) != need)
        machine_fault(at, 4 | (write ? 2 : 0) | (entry && *entry & PTE_PRESENT ? 1 : 0));
    else
        t->regs.rdi += PAGE_BYTES;
}

static void program_trapped(struct thread *t) {
    t->by_iret = true;
    (void)sched_leave(exception_send(t, EXC_HARDWARE + 3, 0, t->regs.rip));
}

static void program_step(struct thread *t) {
    struct thread_regs *r = &t->regs;
    machine_now += 10;
    switch (program_next(r->rip)) {
    case DOES_STORE:
        program_access(t, true);
        break;
    case DOES_LOAD:
        program_access(t, false);
        break;
    case DOES_ALIEN:
        r->rax = 39;
        /* fall through */
    case DOES_SYSCALL:
        r->rip = program_after_syscall();
        machine_syscall();
        break;
    case DOES_CALL:
        r->rax = SYS_call | 2 << 8;
        r->rbx = r->rsp;
        r->r13 = 0;
        r->r12 = 0x100;
        r->rip = program_after_call();
        machine_syscall();
        break;
    case DOES_TEST:
        if (r->rax == 0) {
            r->rip = program_call_begin();
            break;
        }
        /* fall through */
    case DOES_TRAP:
        r->rip = program_after_trap();
        program_trapped(t);
        break;
    }
}

static void timer(void) {
    sched_timer();
    machine_reschedule();
}

/* The caller comes back when its thread runs again. */
static void others_run(struct thread *me) {
    struct context *mine = context_of(me);
    while (!cpu.current || is_program(cpu.current)) {
        if (cpu.current) {
            program_step(cpu.current);
            continue;
        }
        if (!machine_alarm) { /* idle until the timer */
            fprintf(stderr, "everybody waits for ever\n");
            abort();
        }
        machine_now = MAX(machine_alarm, machine_now + 1);
        timer();
    }
    if (cpu.current != me)
        swapcontext(&mine->at, &context_of(cpu.current)->at);
    if (cpu.current != me)
        abort();
}

/* The caller's registers are in its thread: make the call. */
static void call(void) {
    struct thread *me = cpu.current;
    machine_now += 100;
    machine_syscall();
    if (cpu.current && machine_alarm && machine_alarm <= machine_now)
        timer(); /* interrupts who was to go on */
    others_run(me);
}

u64 now(void) {
    return machine_now;
}

u64 ms(u64 n) {
    return n * tsc_per_ms;
}

void work_until(u64 when) {
    struct thread *me = cpu.current;
    while (machine_now < when) {
        bool alarm = machine_alarm && machine_alarm < when;
        machine_now = alarm ? MAX(machine_alarm, machine_now + 1) : when;
        if (machine_alarm && machine_alarm <= machine_now) {
            me->by_iret = true;
            timer();
            others_run(me);
        }
    }
}

struct pair sys6(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
    struct thread *me = cpu.current;
    struct thread_regs *r = &me->regs;
    r->rax = nr;
    r->rdi = a;
    r->rsi = b;
    r->rdx = c;
    r->r10 = d;
    r->r8 = e;
    r->r9 = f;
    call();
    return (struct pair){(err)r->rax, r->rdx};
}

void ipc_raw(struct ipc_io *io) {
    struct thread *me = cpu.current;
    struct thread_regs *r = &me->regs;
    r->rax = io->rax;
    r->rbx = io->rbx;
    r->r12 = io->label;
    r->r13 = io->r13;
    r->r14 = io->r14;
    r->r15 = io->r15;
    memcpy(r->words, io->w, sizeof io->w);
    call();
    *io = (struct ipc_io){
        .label = r->r12, .rax = r->rax, .rbx = r->rbx, .r13 = r->r13, .r14 = r->r14, .r15 = r->r15};
    memcpy(io->w, r->words, sizeof io->w);
}

struct worker worker_make(void (*entry)(u64), u64 argument, u64 priority) {
    struct worker w = {slot_get(), ++workers};
    pfn message = frame_get();
    if (w.index >= CONTEXTS || sys_retype(frame_get(), 1, KIND_THREAD, w.slot) ||
        sys_thread_bind(w.slot, BOOT_SPACE, w.index, message, priority, 0))
        say("FAIL worker_make\n");
    pages[w.index] = frame_to_virt(message);
    *(struct user_regs *)AREA = (struct user_regs){.rip = (u64)entry, .rsp = 8, .rdi = argument};
    if (sys_regs_write(w.slot, REGS_GENERAL))
        say("FAIL worker regs\n");
    return w;
}

/* Memory and text. */

u64 *message_of(u32 index) {
    return pages[index];
}

void *window(pfn frame) {
    return frame_to_virt(frame);
}

void say(const char *text) {
    failures += !strncmp(text, "FAIL", 4);
    fputs(text, stderr);
}

void say_number(u64 n) {
    fprintf(stderr, "%lu", (unsigned long)n);
}

void run(const char *name, test_function *test) {
    int line = test();
    if (!line)
        return;
    failures++;
    fprintf(stderr, "FAIL %s line %d\n", name, line);
}

unsigned host_failures(void) {
    return failures;
}

static void grant(struct space *s, u32 slot, u8 kind) {
    captable_slots(s->table)[slot] = (struct capability){.kind = kind, .rights = (u8)RIGHT_ALL};
}

void host_begin(void) {
    machine_init();
    struct space *s = machine_space();
    struct thread *t = machine_thread(s, PRIO_ROOT, 0);
    for (pfn n = 1; n < MACHINE_FRAMES - FRAMES_OF_2; n++)
        frame_table[n].account = ACCOUNT_ROOT;
    accounts[ACCOUNT_ROOT] = (struct account){.state = ACCOUNT_OPEN, .spaces = 1};
    accounts[ACCOUNT_FRAME] = (struct account){.state = ACCOUNT_OPEN, .parent = ACCOUNT_ROOT};
    s->account = ACCOUNT_ROOT;
    machine_grant(s, BOOT_TABLE, KIND_CAPTABLE, s->table, 0);
    machine_grant(s, BOOT_SPACE, KIND_SPACE, s, 0);
    machine_grant(s, BOOT_THREAD, KIND_THREAD, t, 0);
    cap_make_account(captable_slots(s->table) + BOOT_ACCOUNT, ACCOUNT_ROOT, RIGHT_ALL);
    cap_make_account(captable_slots(s->table) + BOOT_FRAME_ACCT, ACCOUNT_FRAME, RIGHT_ALL);
    grant(s, BOOT_IRQ, KIND_IRQ);
    grant(s, BOOT_IOPORT, KIND_IOPORT);
    grant(s, BOOT_TRACE, KIND_TRACING);
    pages[0] = t->message;
    contexts_count = workers = 0;
    failures = 0;
    machine_reschedule();
    table_grow();
    if (feed(BOOT_SPACE, 8) != 8)
        say("FAIL feed\n");
}

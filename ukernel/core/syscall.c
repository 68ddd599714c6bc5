/* SPDX-License-Identifier: MIT */
#include "core/syscall.h"
#include "arch/cpu.h"
#include "boot/main.h"
#include "core/exception.h"
#include "core/fast.h"
#include "core/ipc.h"
#include "core/sched.h"

/* The IPC calls and yield decide themselves who goes on. */
static struct thread *yield(struct thread *t) {
    t->regs.rax = 0;
    sched_ready(t);
    return NULL;
}

typedef struct thread *switching_handler(struct thread *t);
static switching_handler *const switching[] = {[SYS_call] = ipc_call,
                                               [SYS_reply_wait] = ipc_reply_wait,
                                               [SYS_fault_reply_wait] = ipc_fault_reply_wait,
                                               [SYS_forward_wait] = ipc_forward_wait};

#define call_call             NULL
#define call_reply_wait       NULL
#define call_fault_reply_wait NULL
#define call_forward_wait     NULL
#define call_yield            NULL
#define S(name, number)       [number] = call_##name,
static call_handler *const plain[SYS_COUNT] = {SYSCALLS(S)};
#undef S

static struct thread *plain_call(struct thread *t, u64 number) {
    struct thread_regs *r = &t->regs;
    if (number >= SYS_COUNT || !plain[number]) {
        r->rax = (u64)-E_NOSYS;
        return t;
    }
    struct call c = {.caller = t,
                     .table = t->space->table,
                     .area = t->message ? t->message + AREA_FIRST : NULL,
                     .a = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9},
                     .account = t->space->account};
    i64 result = plain[number](&c);
    r->rax = (u64)result;
    r->rdx = c.second;
    return t->state == THREAD_READY ? t : NULL; /* it may have stopped itself */
}

static struct thread *general(struct thread *t) {
    if (t->flags & THREAD_ALIEN)
        return sched_leave(exception_alien_call(t));
    u64 number = t->regs.rax & 0xff;
    if (number <= SYS_forward_wait)
        return sched_leave(switching[number](t));
    if (number == SYS_yield)
        return sched_leave(yield(t));
    return sched_leave(plain_call(t, number));
}

static inline struct thread *dispatch(struct thread *t) {
    u8 number = (u8)t->regs.rax;
    struct thread *next = NULL;
    if (t->flags & THREAD_ALIEN)
        next = fast_alien_call(t);
    else if (number == SYS_call)
        next = fast_call(t);
    else if (number == SYS_reply_wait)
        next = fast_reply_wait(t);
    else if (number == SYS_fault_reply_wait)
        next = fast_fault_reply_wait(t);
    return next ? next : general(t);
}

#ifdef DEBUG
/* The longest call counts as the longest time with interrupts off: an interrupt does less. */
struct thread *kernel_syscall(struct thread *t) {
    bool bounded = t->flags & THREAD_ALIEN || (t->regs.rax & 0xff) != SYS_audit;
    u64 start = rdtsc();
    struct thread *next = dispatch(t);
    u64 took = rdtsc() - start;
    if (bounded && took > info_page->irqs_off_max)
        info_page->irqs_off_max = took;
    return next;
}
#else
struct thread *kernel_syscall(struct thread *t) {
    return dispatch(t);
}
#endif

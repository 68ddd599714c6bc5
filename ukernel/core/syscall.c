/* SPDX-License-Identifier: MIT */
#include "core/syscall.h"
#include "boot/main.h"
#include "core/exception.h"
#include "core/ipc.h"
#include "core/sched.h"

/* The calls that decide themselves who goes on. */
static struct thread *yield(struct thread *t) {
    t->regs.rax = t->regs.rdx = 0;
    sched_ready(t);
    return NULL;
}

typedef struct thread *switching_call(struct thread *t);
static switching_call *const switching_calls[SYS_COUNT] = {[SYS_call] = ipc_call,
                                                           [SYS_reply_wait] = ipc_reply_wait,
                                                           [SYS_fault_reply_wait] = ipc_fault_reply_wait,
                                                           [SYS_forward_wait] = ipc_forward_wait,
                                                           [SYS_yield] = yield};

#define S(name, number) plain_call call_##name;
SYSCALLS(S)
#undef S
#define call_call             NULL
#define call_reply_wait       NULL
#define call_fault_reply_wait NULL
#define call_forward_wait     NULL
#define call_yield            NULL
#define S(name, number)       [number] = call_##name,
plain_call *const plain_calls[SYS_COUNT] = {SYSCALLS(S)};
#undef S

struct thread *kernel_plain_done(struct thread *t) {
    return sched_leave(t && t->state == THREAD_READY ? t : NULL);
}

static struct thread *dispatch(struct thread *t) {
    struct thread_regs *r = &t->regs;
    u8 number = (u8)r->rax;
    if (t->flags & THREAD_ALIEN)
        return sched_leave(exception_alien_call(t));
    if (number < SYS_COUNT && switching_calls[number])
        return sched_leave(switching_calls[number](t));
    plain_call *plain = number < SYS_COUNT ? plain_calls[number] : NULL;
    u64 third = r->rdx;
    r->rdx = 0;
    r->rax = (u64)(plain ? plain(r->rdi, r->rsi, third, r->r10, r->r8, r->r9) : -E_NOSYS);
    return kernel_plain_done(cpu.current);
}

#ifdef DEBUG
/* The longest call counts as the longest time with interrupts off: an interrupt does less, and so do the
 * short paths. */
static void note_time(u64 start, bool bounded) {
    u64 took = rdtsc() - start;
    if (bounded && took > info_page->irqs_off_max)
        info_page->irqs_off_max = took;
}

struct thread *kernel_syscall(struct thread *t) {
    bool bounded = t->flags & THREAD_ALIEN || (u8)t->regs.rax != SYS_audit;
    u64 start = rdtsc();
    struct thread *next = dispatch(t);
    note_time(start, bounded);
    return next;
}

i64 kernel_plain_timed(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
    u8 number = (u8)cpu.current->regs.rax;
    u64 start = rdtsc();
    i64 result = plain_calls[number](a, b, c, d, e, f);
    note_time(start, number != SYS_audit);
    return result;
}
#else
struct thread *kernel_syscall(struct thread *t) {
    return dispatch(t);
}
#endif

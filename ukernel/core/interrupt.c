/* SPDX-License-Identifier: MIT */
#include "core/interrupt.h"
#include "arch/cpu.h"
#include "arch/log.h"
#include "core/exception.h"
#include "core/fault.h"
#include "core/sched.h"
#include "core/trace.h"

#define VECTOR_PAGE_FAULT 14
#define PIC_CASCADE       2

static struct line {
    struct endpoint_ref to;
    u64 count;
} lines[IRQ_LINES];

__attribute__((noreturn)) void kernel_fatal(const struct thread_regs *r);

err interrupt_bind(u64 line, struct endpoint_ref ref) {
    if (line >= IRQ_LINES || line == IRQ_TIMER || line == PIC_CASCADE)
        return -E_INVAL;
    lines[line].to = ref;
    pic_unmask((u32)line);
    return 0;
}

static void interrupt(u32 line) {
    if (!pic_acknowledge(line))
        return;
    trace(TRACE_IRQ, cpu.current ? thread_id(cpu.current) : 0, (line + VECTOR_IRQ) | (u64)line << 32,
          ++lines[line].count, 0, 0, 0, 0);
    if (line == IRQ_TIMER)
        sched_timer();
    else
        endpoint_ref_notify(&lines[line].to);
}

/* Returns who should go on. */
static struct thread *user_exception(struct thread *t) {
    const struct thread_regs *r = &t->regs;
    if (r->vector != VECTOR_PAGE_FAULT)
        return exception_send(t, EXC_HARDWARE + r->vector, r->error, r->rip);
    u64 address;
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    return fault_enter(t, address, r->error);
}

struct thread *kernel_interrupt(struct thread *t) {
    if (t->regs.vector < VECTOR_IRQ)
        return sched_leave(user_exception(t));
    interrupt((u32)t->regs.vector - VECTOR_IRQ);
    return sched_leave(t);
}

struct thread *kernel_trap(const struct thread_regs *r) {
    if (r->vector < VECTOR_IRQ || cpu.current)
        kernel_fatal(r);
    interrupt((u32)r->vector - VECTOR_IRQ);
    return sched_leave(NULL);
}

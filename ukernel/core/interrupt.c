/* SPDX-License-Identifier: MIT */
#include "core/interrupt.h"
#include "arch/cpu.h"
#include "arch/panic.h"
#include "core/exception.h"
#include "core/fault.h"
#include "core/sched.h"
#include "core/trace.h"

#define VECTOR_PROTECTION 13
#define VECTOR_PAGE_FAULT 14
#define PIC_CASCADE       2

static struct line {
    struct endpoint_ref to;
    u64 count;
} lines[IRQ_LINES];

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
    lines[line].count++;
    trace(TRACE_IRQ, cpu.current ? thread_id(cpu.current) : 0, (line + VECTOR_IRQ) | (u64)line << 32,
          lines[line].count);
    if (line == IRQ_TIMER)
        sched_timer();
    else
        endpoint_ref_notify(&lines[line].to);
}

static struct thread *page_fault(struct thread *t) {
    u64 address;
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    fault_happened(t, address);
    return sched_leave(fault_send(t));
}

struct thread *kernel_interrupt(struct thread *t) {
    u64 vector = t->regs.vector;
    if (vector == VECTOR_PAGE_FAULT)
        return page_fault(t);
    if (vector == VECTOR_PROTECTION && arch_ports_open())
        return sched_leave(t);
    if (vector < VECTOR_IRQ)
        return sched_leave(exception_send(t, EXC_HARDWARE + vector, t->regs.error, t->regs.rip));
    interrupt((u32)vector - VECTOR_IRQ);
    return sched_leave(t);
}

struct thread *kernel_trap(const struct thread_regs *r) {
    if (r->vector < VECTOR_IRQ || cpu.current)
        kernel_fatal(r);
    interrupt((u32)r->vector - VECTOR_IRQ);
    return sched_leave(NULL);
}

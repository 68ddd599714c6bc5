/* SPDX-License-Identifier: MIT */
/* The kernel's end: what is known goes to the log and into the epitaph, then the machine is switched off. */
#include "arch/panic.h"
#include "arch/cpu.h"
#include "arch/log.h"

#define EXIT_PORT 0xf4

struct epitaph epitaph;
extern const u8 __text_start[], __text_end[], kernel_stack_guard[];

void log_regs(const struct thread_regs *r) {
    klog("  rip %016lx rsp %016lx rflags %lx cs %lx vector %lu error %lx\n", r->rip, r->rsp, r->rflags, r->cs,
         r->vector, r->error);
    klog("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", r->rax, r->rbx, r->rcx, r->rdx);
    klog("  rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", r->rsi, r->rdi, r->rbp, r->r8);
    klog("  r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", r->r9, r->r10, r->r11, r->r12);
    klog("  r13 %016lx r14 %016lx r15 %016lx\n", r->r13, r->r14, r->r15);
}

/* No frame pointers: where a trap was, and then every word on the kernel's stack that points into its code. A
 * trap may have a stack of its own (IST), and the stack may have run into the page below it that is
 * absent. */
static void log_trace(const struct thread_regs *trap) {
    const u64 *top = cpu.kernel_stack, *end = (const u64 *)(kernel_stack_guard + PAGE_BYTES);
    const u64 *at = trap ? (const u64 *)trap->rsp : __builtin_frame_address(0);
    u32 n = 0;
    if (trap)
        epitaph.trace[n++] = trap->rip;
    for (at = at < top ? MAX(at, end) : top; at < top && n < EPITAPH_TRACE; at++)
        if (*at >= (u64)__text_start && *at < (u64)__text_end)
            epitaph.trace[n++] = *at;
    klog("  trace");
    for (u32 i = 0; i < n; i++)
        klog(" %lx", epitaph.trace[i]);
    klog("\n");
}

/* A debugger stops here (images/gdb.py). */
static __attribute__((noinline, noreturn)) void switch_off(void) {
    out32(EXIT_PORT, EPITAPH_EXIT);
    for (;;)
        __asm__ volatile("hlt");
}

void panic_at(const char *file, int line, const char *format, ...) {
    __asm__ volatile("cli");
    if (epitaph.magic != EPITAPH_MAGIC) { /* a panic while panicking says nothing new */
        epitaph.magic = EPITAPH_MAGIC;
        epitaph.current = cpu.current;
        klog("\nquire: panic: %s:%u: ", file, (u32)line);
        va_list args;
        va_start(args, format);
        klog_into(epitaph.text, sizeof epitaph.text, format, args);
        va_end(args);
        klog("\n");
        if (cpu.current)
            klog("  thread %lx\n", virt_to_frame(cpu.current));
        if (epitaph.regs.cs)
            log_regs(&epitaph.regs);
        log_trace(epitaph.regs.cs && !(epitaph.regs.cs & 3) ? &epitaph.regs : NULL);
    }
    switch_off();
}

/* An exception in the kernel itself, or one that has a stack of its own (see entry.asm). */
void kernel_fatal(const struct thread_regs *r) {
    u64 cr2;
    __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
    epitaph.regs = *r;
    PANIC("exception %lu in ring %lu, error %lx, cr2 %lx", r->vector, r->cs & 3, r->error, cr2);
}

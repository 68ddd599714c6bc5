/* SPDX-License-Identifier: MIT */
/* The processor: what other parts of the kernel may ask of it. x86-64, one CPU. */
#pragma once

#include <abi/types.h>

struct space;
struct thread;

/* The state of this CPU. More CPUs would get one each. entry.asm knows the offsets. */
struct cpu {
    struct thread *current; /* whose registers an entry saves; NULL while idle */
    void *kernel_stack;     /* top of the one kernel stack */
    u64 user_rsp;           /* scratch of the system-call entry */
    u8 ready_level;      /* the short paths may run threads above this level at once, before whoever is ready;
                            255 while events are traced that they do not write */
    struct space *space; /* whose page tables are in CR3; NULL: the kernel's own */
    struct thread *fpu;  /* whose FPU state and FS base are in the processor; NULL: nobody's */
    struct space *ports; /* whose ports the I/O bitmap opens; NULL: it opens none */
    u64 calls;           /* last call number given out */
    u64 checks;     /* raised when an endpoint's capability goes, or a space gets another table: what threads
                            have found about the one they wait on (thread.checked) is to be looked up again */
    u64 kernel_cr3; /* the kernel's own top table (arch_init) */
};
extern struct cpu cpu;

/* Set up GDT, TSS, IDT, MSRs, control registers, FPU and PIC. The tables that are in CR3 become the
 * kernel's own. Called once, interrupts off, on the kernel stack that all later entries will use from its
 * top. */
void arch_init(void *kernel_stack_top);

/* The space whose page tables are in CR3 (its user addresses are what the TLB may hold); NULL if the kernel's
 * own. */
static inline struct space *arch_current_space(void) {
    return cpu.space;
}
/* Put the kernel's own tables into CR3: the current space is going away. */
void arch_leave_space(void);
/* Bring t->fpu up to date and let go of the processor's copy: t's FPU state or FS base is about to be read or
 * set, or t goes away. */
void arch_fpu_save(struct thread *t);
/* An FPU state as after FNINIT, all exceptions masked. */
void arch_fpu_init(struct thread *t);
/* Make t->fpu, that came from a user, one that FXRSTOR takes (reserved MXCSR bits are cleared). */
void arch_fpu_clean(struct thread *t);
/* The I/O bitmap is filled when a thread uses a port for which it has the right. True: it was not filled for
 * the current space, now it is, and the instruction is to be tried again. */
bool arch_ports_open(void);
/* The space's ports will change, or it goes away: the bitmap does not open them any more. */
void arch_ports_close(struct space *s);
/* Leave the boot path for good and run t (NULL: idle). In entry.asm. */
__attribute__((noreturn)) void enter_thread(struct thread *t);

/* TSC ticks per millisecond, measured by timer_init. */
extern u64 tsc_per_ms;
/* Interrupt lines 0..15 of the PIC. */
#define IRQ_LINES  16
#define IRQ_TIMER  0
#define VECTOR_IRQ 32
void pic_init(void);
void pic_unmask(u32 line);
void pic_mask(u32 line);
/* Is this interrupt one that the PIC made up? If not, it is acknowledged. */
bool pic_acknowledge(u32 line);

/* Measure tsc_per_ms from timer_begin to timer_init, for 0.6 ms at least; then the timer is stopped. */
void timer_begin(void);
void timer_init(void);
/* Raise IRQ_TIMER once, not long before `at` (absolute TSC) and possibly much earlier: the caller looks at
 * the time and asks again. 0: never. */
void timer_set(u64 at);

#define PORTS_CLOSED 0xffff /* beyond the TSS's limit */

#ifndef HOST_TEST
static inline void arch_invlpg(vaddr va) {
    __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}
static inline u64 rdtsc(void) {
    u32 lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (u64)hi << 32 | lo;
}
static inline u64 read_cr3(void) {
    u64 v;
    __asm__ volatile("mov %%cr3, %0" : "=r"(v));
    return v;
}
static inline void write_cr3(u64 v) {
    __asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory");
}
static inline void out8(u16 port, u8 v) {
    __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}
static inline u8 in8(u16 port) {
    u8 v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline void out32(u16 port, u32 v) {
    __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}
static inline void cpuid(u32 leaf, u32 subleaf, u32 r[4]) {
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(subleaf));
}
static inline u64 rdmsr(u32 msr) {
    u32 lo, hi;
    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return (u64)hi << 32 | lo;
}
static inline void wrmsr(u32 msr, u64 v) {
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}
#else
void arch_invlpg(vaddr va); /* tests count these */
u64 rdtsc(void);
#endif

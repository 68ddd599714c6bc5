/* SPDX-License-Identifier: MIT */
/* Structure offsets for assembly: the build turns each OFFSET line into a nasm %define (see Makefile). Never
 * linked. */
#include "arch/cpu.h"
#include "core/thread.h"

void offsets(void);
void offsets(void) {
    OFFSET(CPU_CURRENT, offsetof(struct cpu, current));
    OFFSET(CPU_STACK, offsetof(struct cpu, kernel_stack));
    OFFSET(CPU_USER_RSP, offsetof(struct cpu, user_rsp));
    OFFSET(T_R15, offsetof(struct thread, regs.r15));
    OFFSET(T_R14, offsetof(struct thread, regs.r14));
    OFFSET(T_R13, offsetof(struct thread, regs.r13));
    OFFSET(T_R12, offsetof(struct thread, regs.r12));
    OFFSET(T_R11, offsetof(struct thread, regs.r11));
    OFFSET(T_R10, offsetof(struct thread, regs.r10));
    OFFSET(T_R9, offsetof(struct thread, regs.r9));
    OFFSET(T_R8, offsetof(struct thread, regs.r8));
    OFFSET(T_RDI, offsetof(struct thread, regs.rdi));
    OFFSET(T_RSI, offsetof(struct thread, regs.rsi));
    OFFSET(T_RBP, offsetof(struct thread, regs.rbp));
    OFFSET(T_RBX, offsetof(struct thread, regs.rbx));
    OFFSET(T_RDX, offsetof(struct thread, regs.rdx));
    OFFSET(T_RCX, offsetof(struct thread, regs.rcx));
    OFFSET(T_RAX, offsetof(struct thread, regs.rax));
    OFFSET(T_RIP, offsetof(struct thread, regs.rip));
    OFFSET(T_RFLAGS, offsetof(struct thread, regs.rflags));
    OFFSET(T_RSP, offsetof(struct thread, regs.rsp));
    OFFSET(T_BY_IRET, offsetof(struct thread, by_iret));
}

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
#define REG(name) OFFSET(T_##name, offsetof(struct thread, regs.name));
    REG(r15)
    REG(r14) REG(r13) REG(r12) REG(r11) REG(r10) REG(r9) REG(r8) REG(rdi) REG(rsi) REG(rbp) REG(rbx) REG(rdx)
        REG(rcx) REG(rax) REG(rip) REG(rflags) REG(rsp) OFFSET(T_BY_IRET, offsetof(struct thread, by_iret));
}

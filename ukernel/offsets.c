/* SPDX-License-Identifier: MIT */
/* Structure offsets for assembly: the build turns each OFFSET line into a nasm %define (see Makefile). Never
 * linked. */
#include "arch/cpu.h"
#include "core/thread.h"

/* clang-format off */
#define SAVED_REGS(R)                                                                                        \
    R(r15) R(r14) R(r13) R(r12) R(r11) R(r10) R(r9) R(r8) R(rdi) R(rsi) R(rbp) R(rbx) R(rdx) R(rcx) R(rax)   \
    R(rip) R(rflags) R(rsp)
/* clang-format on */
#define SAVED_REG(name) OFFSET(T_##name, offsetof(struct thread, regs.name));

void offsets(void);
void offsets(void) {
    OFFSET(CPU_CURRENT, offsetof(struct cpu, current));
    OFFSET(CPU_STACK, offsetof(struct cpu, kernel_stack));
    OFFSET(CPU_USER_RSP, offsetof(struct cpu, user_rsp));
    SAVED_REGS(SAVED_REG)
    OFFSET(T_BY_IRET, offsetof(struct thread, by_iret));
}

/* SPDX-License-Identifier: MIT */
/* A signal frame as Linux lays it out on x86-64 (struct rt_sigframe), so that handlers, restorers and
 * unwinders of any C library find what they expect. From high to low: the red zone (128 bytes, left alone),
 * the FPU image (512 bytes, aligned to 64), then siginfo, ucontext and the return address, such that the
 * stack is aligned as after a call. Pure. */
#pragma once

#include <abi/fault.h>
#include "signals.h"

#define SIGFRAME_BYTES_MAX 1088

struct sigframe_input {
    int signal;
    const struct linux_siginfo *info;
    const struct linux_sigaction *action;
    const struct linux_stack *altstack;
    sigset mask; /* to be restored by sigreturn */
};
struct sigframe {
    u64 address, bytes; /* what to write where: buffer[0 .. bytes) at address */
    _Alignas(16) char buffer[SIGFRAME_BYTES_MAX];
};

/* Is sp on the alternate stack? */
bool on_altstack(const struct linux_stack *alt, u64 sp);
/* Fills f from the registers at the moment, and changes them to what the handler starts with. */
void sigframe_build(struct sigframe *f, struct user_regs *regs, const struct sigframe_input *in);

/* What rt_sigreturn finds at its stack pointer: this much of the frame is needed. */
#define SIGFRAME_CONTEXT_BYTES 304
/* From the ucontext's bytes: registers (the FPU's untouched), mask, alternate stack, and where the FPU image
 * lies (0: none). */
void sigframe_parse(const void *ucontext, struct user_regs *regs, sigset *mask, struct linux_stack *altstack,
                    u64 *fpstate);
/* Cleans an FPU image that a program gave. */
void sigframe_clean_fpu(struct user_regs *regs);

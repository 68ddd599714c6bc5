/* SPDX-License-Identifier: MIT */
/* What a panic leaves behind for a debugger: `p epitaph` in gdb. */
#pragma once

#include "core/thread.h"

#define EPITAPH_MAGIC 0x68706174697045ull /* "Epitaph" */
#define EPITAPH_TRACE 16
#define EPITAPH_EXIT  0x21 /* written to isa-debug-exit; a clean end writes 0x10 */

struct epitaph {
    u64 magic; /* EPITAPH_MAGIC once there was a panic */
    char text[256];
    struct thread *current;
    u64 trace[EPITAPH_TRACE]; /* addresses of kernel code, innermost first; 0: no more */
    struct thread_regs regs;  /* of the trap, if it was one */
};
extern struct epitaph epitaph;

/* An exception in the kernel itself, or one that has a stack of its own (see entry.asm): the end. */
__attribute__((noreturn)) void kernel_fatal(const struct thread_regs *r);

/* Log registers, one line per four. */
void log_regs(const struct thread_regs *r);

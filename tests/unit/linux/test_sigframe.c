/* SPDX-License-Identifier: MIT */
/* The signal frame against the host's own <ucontext.h>: the C library that reads it in a handler is the judge
 * of the layout. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <string.h>
#include <signal.h>
#include <ucontext.h>

#include "frame_view.h"

/* Read as the handler's arguments. */
Test(sigframe, as_the_c_library_reads_it) {
    struct frame_view v;
    frame_view_make(&v, 0x7fff00001238, 0);
    cr_assert_eq(v.handler_rsp % 16, 8, "the stack is as after a call");
    cr_assert_leq(v.end, 0x7fff00001238 - 128, "the red zone is left alone");
    cr_assert_eq(v.handler_rdi, 11);
    const siginfo_t *info = (const siginfo_t *)(v.bytes + (v.handler_rsi - v.address));
    cr_assert_eq(info->si_signo, 11);
    cr_assert_eq(info->si_code, SEGV_ACCERR);
    cr_assert_eq((u64)info->si_addr, 0xdead000);
    const ucontext_t *uc = (const ucontext_t *)(v.bytes + (v.handler_rdx - v.address));
    const greg_t *g = uc->uc_mcontext.gregs;
    cr_assert_eq(g[REG_RIP], 0x401000);
    cr_assert_eq(g[REG_RSP], 0x7fff00001238);
    cr_assert_eq(g[REG_RAX], 100);
    cr_assert_eq(g[REG_R15], 115);
    cr_assert_eq(g[REG_CR2], 0xdead000);
    cr_assert_eq(g[REG_TRAPNO], 14);
    u64 mask;
    memcpy(&mask, &uc->uc_sigmask, sizeof mask);
    cr_assert_eq(mask, 0x1234);
    u64 fpu = (u64)uc->uc_mcontext.fpregs;
    cr_assert_eq(fpu % 64, 0);
    cr_assert_eq(fpu + 512, v.end);
    cr_assert_eq(memcmp(v.bytes + (fpu - v.address), v.fpu, 464), 0);
}

Test(sigframe, alternate_stack) {
    struct frame_view v;
    frame_view_make(&v, 0x7fff00001238, 0x10000);
    cr_assert(v.address >= 0x10000 && v.end == 0x10000 + 8192, "at the top of the alternate stack");
    frame_view_make(&v, 0x11000, 0x10000);
    cr_assert(v.end <= 0x11000 - 128 && v.end > 0x11000 - 256, "already there: below where it is");
}

Test(sigframe, back_again) {
    struct frame_view v;
    for (u64 sp = 0x7fff00001200; sp < 0x7fff00001200 + 130; sp++) {
        frame_view_make(&v, sp, 0);
        cr_assert(frame_view_returns(&v),
                  "sigreturn gives every register back, whatever the stack's alignment");
    }
}

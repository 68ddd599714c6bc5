/* SPDX-License-Identifier: MIT */
#include "frame_view.h"

#include <string.h>

#include "sigframe.h"

static struct sigframe frame;
static struct user_regs before;

void frame_view_make(struct frame_view *v, u64 sp, u64 altstack) {
    before = (struct user_regs){.rax = 100,
                                .rbx = 101,
                                .rcx = 102,
                                .rdx = 103,
                                .rsi = 104,
                                .rdi = 105,
                                .rbp = 106,
                                .rsp = sp,
                                .r8 = 108,
                                .r9 = 109,
                                .r10 = 110,
                                .r11 = 111,
                                .r12 = 112,
                                .r13 = 113,
                                .r14 = 114,
                                .r15 = 115,
                                .rip = 0x401000,
                                .rflags = 0x246,
                                .fs_base = 77};
    for (u32 i = 0; i < sizeof before.fpu; i++)
        before.fpu[i] = (u8)(i * 7);
    struct linux_siginfo info = {.signo = SIGSEGV, .code = SEGV_ACCERR, .address = 0xdead000};
    struct linux_sigaction action = {
        .handler = 0x402000, .flags = SA_ONSTACK | SA_SIGINFO, .restorer = 0x403000};
    struct linux_stack alt = {
        .sp = altstack, .bytes = altstack ? 8192 : 0, .flags = altstack ? 0 : SS_DISABLE};
    struct sigframe_input in = {SIGSEGV, &info, &action, &alt, 0x1234};
    struct user_regs now = before;
    sigframe_build(&frame, &now, &in);
    *v = (struct frame_view){frame.address, frame.address + frame.bytes, now.rsp,   now.rdi, now.rsi,
                             now.rdx,       (const u8 *)frame.buffer,    before.fpu};
}

bool frame_view_returns(const struct frame_view *v) {
    struct user_regs back = {.rflags = 0x202, .fs_base = 77};
    sigset mask;
    struct linux_stack alt;
    u64 fpu;
    sigframe_parse(frame.buffer + 8, &back, &mask, &alt,
                   &fpu); /* as sigreturn: the return address is popped */
    return !memcmp(&back, &before, offsetof(struct user_regs, fpu)) &&
           mask == (0x1234 & ~SIGSET_UNBLOCKABLE) && fpu == v->end - 512;
}

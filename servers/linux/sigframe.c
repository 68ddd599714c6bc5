/* SPDX-License-Identifier: MIT */
#include "sigframe.h"

#include <string.h>

#include <ipc/assert.h>

struct sigcontext {
    u64 r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags;
    u16 cs, gs, fs, ss;
    u64 err, trapno, oldmask, cr2, fpstate, reserved[8];
};
struct ucontext {
    u64 uc_flags, uc_link;
    struct linux_stack uc_stack;
    struct sigcontext mcontext;
    u64 sigmask;
};
struct rt_sigframe {
    u64 pretcode;
    struct ucontext uc;
    struct linux_siginfo info;
};
_Static_assert(sizeof(struct sigcontext) == 256 && sizeof(struct ucontext) == SIGFRAME_CONTEXT_BYTES,
               "ucontext");
_Static_assert(offsetof(struct rt_sigframe, info) == 312 && sizeof(struct rt_sigframe) == 440, "rt_sigframe");

enum { RED_ZONE = 128, FPU_BYTES = 512, FPU_ALIGN = 64, USER_CS = 0x33, USER_SS = 0x2b };
enum { UC_SIGCONTEXT_SS = 2, UC_STRICT_RESTORE_SS = 4 };
#define FLAGS_OF_USER  0x50dd5ull /* CF PF AF ZF SF TF DF OF RF AC */
#define FLAGS_CLEARED  0x10500ull /* in a handler: TF, DF, RF */
#define MXCSR_AT       24
#define MXCSR_MASK     0xffffu
#define SW_RESERVED_AT 464 /* no magic there: a plain FXSAVE image */

bool on_altstack(const struct linux_stack *alt, u64 sp) {
    return !(alt->flags & SS_DISABLE) && alt->bytes && sp - alt->sp - 1 < alt->bytes;
}

static u64 stack_for(const struct user_regs *regs, const struct sigframe_input *in) {
    const struct linux_stack *alt = in->altstack;
    bool usable = (in->action->flags & SA_ONSTACK) && alt->bytes && !(alt->flags & SS_DISABLE);
    if (usable && !on_altstack(alt, regs->rsp))
        return alt->sp + alt->bytes;
    return regs->rsp - RED_ZONE;
}

static void save(struct sigcontext *m, const struct user_regs *r) {
    *m = (struct sigcontext){.r8 = r->r8,
                             .r9 = r->r9,
                             .r10 = r->r10,
                             .r11 = r->r11,
                             .r12 = r->r12,
                             .r13 = r->r13,
                             .r14 = r->r14,
                             .r15 = r->r15,
                             .di = r->rdi,
                             .si = r->rsi,
                             .bp = r->rbp,
                             .bx = r->rbx,
                             .dx = r->rdx,
                             .ax = r->rax,
                             .cx = r->rcx,
                             .sp = r->rsp,
                             .ip = r->rip,
                             .flags = r->rflags,
                             .cs = USER_CS,
                             .ss = USER_SS};
}

static void restore(struct user_regs *r, const struct sigcontext *m) {
    r->r8 = m->r8, r->r9 = m->r9, r->r10 = m->r10, r->r11 = m->r11;
    r->r12 = m->r12, r->r13 = m->r13, r->r14 = m->r14, r->r15 = m->r15;
    r->rdi = m->di, r->rsi = m->si, r->rbp = m->bp, r->rbx = m->bx;
    r->rdx = m->dx, r->rax = m->ax, r->rcx = m->cx, r->rsp = m->sp;
    r->rip = m->ip;
    r->rflags = (r->rflags & ~FLAGS_OF_USER) | (m->flags & FLAGS_OF_USER);
}

static bool is_fault(int signal) {
    return signal == SIGSEGV || signal == SIGBUS;
}

void sigframe_build(struct sigframe *f, struct user_regs *regs, const struct sigframe_input *in) {
    u64 fpu = (stack_for(regs, in) - FPU_BYTES) & ~(u64)(FPU_ALIGN - 1);
    f->address = ((fpu - sizeof(struct rt_sigframe)) & ~15ull) - 8;
    f->bytes = fpu + FPU_BYTES - f->address;
    ASSERT(f->bytes <= sizeof f->buffer);
    memset(f->buffer, 0, f->bytes);
    struct rt_sigframe frame = {.pretcode = in->action->restorer, .info = *in->info};
    frame.info.signo = in->signal;
    frame.uc.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
    frame.uc.uc_stack = *in->altstack;
    frame.uc.sigmask = in->mask;
    save(&frame.uc.mcontext, regs);
    frame.uc.mcontext.oldmask = in->mask;
    frame.uc.mcontext.fpstate = fpu;
    if (is_fault(in->signal) && in->info->code > 0) {
        frame.uc.mcontext.trapno = 14;
        frame.uc.mcontext.cr2 = in->info->address;
        frame.uc.mcontext.err = 4; /* from user level; whether read or write is not known here */
    }
    memcpy(f->buffer, &frame, sizeof frame);
    char *image = f->buffer + (fpu - f->address);
    memcpy(image, regs->fpu, FPU_BYTES);
    memset(image + SW_RESERVED_AT, 0, FPU_BYTES - SW_RESERVED_AT);
    regs->rdi = (u64)in->signal;
    regs->rsi = f->address + offsetof(struct rt_sigframe, info);
    regs->rdx = f->address + offsetof(struct rt_sigframe, uc);
    regs->rax = 0;
    regs->rsp = f->address;
    regs->rip = in->action->handler;
    regs->rflags &= ~FLAGS_CLEARED;
}

void sigframe_parse(const void *ucontext, struct user_regs *regs, sigset *mask, struct linux_stack *altstack,
                    u64 *fpstate) {
    struct ucontext uc;
    memcpy(&uc, ucontext, sizeof uc);
    restore(regs, &uc.mcontext);
    *mask = uc.sigmask & ~SIGSET_UNBLOCKABLE;
    *altstack = uc.uc_stack;
    *fpstate = uc.mcontext.fpstate;
}

void sigframe_clean_fpu(struct user_regs *regs) {
    u32 mxcsr;
    memcpy(&mxcsr, regs->fpu + MXCSR_AT, sizeof mxcsr);
    mxcsr &= MXCSR_MASK;
    memcpy(regs->fpu + MXCSR_AT, &mxcsr, sizeof mxcsr);
}

/* SPDX-License-Identifier: MIT */
/* Exceptions of tasks: which signal a fault or a processor exception becomes. */
#include <abi/syscall.h>

#include "boot.h"
#include "kern.h"
#include "state.h"

/* Signal and code of a processor exception. */
static int signal_of_vector(u64 vector, int *code) {
    *code = SI_KERNEL;
    switch (vector) {
    case 0:
        *code = FPE_INTDIV;
        return SIGFPE;
    case 1:
    case 3:
        *code = vector == 3 ? SI_KERNEL : TRAP_BRKPT;
        return SIGTRAP;
    case 6:
        *code = ILL_ILLOPN;
        return SIGILL;
    case 11:
    case 12:
        return SIGBUS;
    case 16:
    case 19:
        *code = 3; /* FPE_FLTDIV: which of them it was is in the FPU's registers */
        return SIGFPE;
    case 17:
        *code = BUS_ADRALN;
        return SIGBUS;
    default:
        return SIGSEGV;
    }
}

static void force(struct task *t, const struct exception_words *x) {
    struct linux_siginfo info = {0};
    int signal;
    if (x->kind == EXC_RAISE) {
        signal = (int)(x->code >> 8 & 0xff);
        info.code = (i32)(x->code & 0xff);
        info.address = x->address;
    } else {
        u64 vector = x->kind - EXC_HARDWARE;
        signal = signal_of_vector(vector, &info.code);
        info.address = vector == 0 || vector == 6 ? x->ip : 0;
    }
    if (signal < 1 || signal > SIGNALS)
        signal = SIGKILL;
    signal_force(t, signal, &info);
}

void exception(struct call *k, const struct exception_words *x) {
    struct task *t = k->task;
    t->busy = true;
    /* The same exception once more is not a new fault. */
    if (x->kind != EXC_INTERRUPT && !(k->flags & IPC_AGAIN))
        force(t, x);
    if (t->process->state == PROCESS_ALIVE)
        resume(k);
    t->busy = false;
    if (t->ending) {
        k->verdict = k->verdict == FAULTING ? FAULTING : GONE;
        task_bury(t);
    }
}

/* SPDX-License-Identifier: MIT */
/* Signals: actions, masks, sending, waiting for them, and the return from a handler. */
#include <string.h>

#include "kern.h"
#include "sigframe.h"
#include "state.h"
#include "sys.h"

static bool valid(u64 signal) {
    return signal >= 1 && signal <= SIGNALS;
}

i64 linux_rt_sigaction(struct call *k) {
    struct process *p = k->task->process;
    u64 signal = k->w[0];
    struct linux_sigaction next;
    if (k->w[3] != sizeof(sigset) || !valid(signal) || (k->w[1] && (SIGSET(signal) & SIGSET_UNBLOCKABLE)))
        return -E_INVAL;
    struct linux_sigaction old = p->sighand->action[signal - 1];
    i64 e = k->w[1] ? copy_in(k, &next, k->w[1], sizeof next) : 0;
    if (!e && k->w[2])
        e = copy_out(k, k->w[2], &old, sizeof old);
    if (e || !k->w[1])
        return e;
    next.mask &= ~SIGSET_UNBLOCKABLE;
    sig_set_action(p->sighand, (int)signal, &next);
    if (sig_ignored(p->sighand, (int)signal))
        signal_discard(p, SIGSET(signal));
    return 0;
}

i64 linux_rt_sigprocmask(struct call *k) {
    struct task *t = k->task;
    sigset set = 0, old = t->blocked;
    if (k->w[3] != sizeof set)
        return -E_INVAL;
    i64 e = k->w[1] ? copy_in(k, &set, k->w[1], sizeof set) : 0;
    if (!e && k->w[1] && (u32)k->w[0] > SIG_SETMASK)
        e = -E_INVAL;
    if (!e && k->w[2])
        e = copy_out(k, k->w[2], &old, sizeof old);
    if (e || !k->w[1])
        return e;
    sigset now = (u32)k->w[0] == SIG_BLOCK ? old | set : (u32)k->w[0] == SIG_UNBLOCK ? old & ~set : set;
    t->blocked = now & ~SIGSET_UNBLOCKABLE;
    signal_recheck(t);
    return 0;
}

i64 linux_rt_sigpending(struct call *k) {
    sigset set = (k->task->pending.set | k->task->process->pending.set) & k->task->blocked;
    return k->w[1] > sizeof set ? -E_INVAL : copy_out(k, k->w[0], &set, k->w[1]);
}

/* k->progress: the mask is in place. */
i64 linux_rt_sigsuspend(struct call *k) {
    struct task *t = k->task;
    sigset set;
    if (k->w[1] != sizeof set)
        return -E_INVAL;
    if (!k->progress) {
        i64 e = copy_in(k, &set, k->w[0], sizeof set);
        if (e)
            return e;
        t->saved_mask = t->blocked;
        t->restore_mask = true;
        t->blocked = set & ~SIGSET_UNBLOCKABLE;
        k->progress = 1;
        signal_recheck(t);
    }
    return block(k, &state.asleep, 0, BLOCK_NORESTART);
}

i64 linux_pause(struct call *k) {
    return block(k, &state.asleep, 0, BLOCK_NORESTART);
}

i64 linux_rt_sigreturn(struct call *k) {
    struct task *t = k->task;
    char context[SIGFRAME_CONTEXT_BYTES];
    struct linux_stack alt;
    sigset mask;
    u64 fpstate;
    struct user_regs *regs = kern_regs_read(t->thread, REGS_GENERAL | REGS_FPU);
    i64 e = copy_in(k, context, regs->rsp, sizeof context);
    if (!e) {
        sigframe_parse(context, regs, &mask, &alt, &fpstate);
        e = fpstate ? copy_in(k, regs->fpu, fpstate, sizeof regs->fpu) : 0;
    }
    if (k->verdict == FAULTING)
        return e;
    if (e) {
        process_exit(t->process, STATUS_SIGNAL(SIGSEGV));
        return 0;
    }
    sigframe_clean_fpu(regs);
    t->blocked = mask;
    if (kern_regs_write(t->thread, REGS_GENERAL | REGS_FPU) < 0)
        signal_force(t, SIGSEGV, &no_such_address);
    k->verdict = REGISTERS;
    signal_recheck(t);
    return 0;
}

i64 linux_sigaltstack(struct call *k) {
    struct task *t = k->task;
    struct linux_stack next, old = t->altstack;
    bool inside = on_altstack(&old, kern_regs_read(t->thread, REGS_GENERAL)->rsp);
    old.flags |= inside ? SS_ONSTACK : 0;
    i64 e = k->w[0] ? copy_in(k, &next, k->w[0], sizeof next) : 0;
    if (!e && k->w[0]) {
        if (inside)
            e = -E_PERM;
        else if (next.flags & ~(u32)(SS_DISABLE | SS_ONSTACK))
            e = -E_INVAL;
        else if (!(next.flags & SS_DISABLE) && next.bytes < MINSIGSTKSZ)
            e = -E_NOMEM;
    }
    if (!e && k->w[1])
        e = copy_out(k, k->w[1], &old, sizeof old);
    if (!e && k->w[0]) {
        next.flags &= SS_DISABLE;
        t->altstack = next;
    }
    return e;
}

static struct linux_siginfo from_caller(struct call *k, int code) {
    struct linux_siginfo info = {.code = code};
    info.child.pid = (i32)k->task->process->pid;
    return info;
}

/* All processes but the caller and the first. */
static i64 kill_all(struct call *k, int signal, const struct linux_siginfo *info) {
    u32 found = 0;
    for (u32 pid = 2; pid < PID_LIMIT; pid++) {
        struct task *t = task_find(&state.tasks, pid);
        if (!t || t->process->pid != pid || t->process == k->task->process)
            continue;
        found++;
        if (signal)
            signal_process(t->process, signal, info);
    }
    return found ? 0 : -E_SRCH;
}

i64 linux_kill(struct call *k) {
    i32 pid = (i32)k->w[0];
    int signal = (int)k->w[1];
    bool known = !signal || valid((u32)signal);
    struct linux_siginfo info = from_caller(k, SI_USER);
    if (pid <= 0 && !known)
        return -E_INVAL;
    if (pid == -1)
        return kill_all(k, signal, &info);
    if (pid <= 0) {
        u32 group = pid ? (u32)-pid : k->task->process->pgid;
        if (!group_exists(&state.tasks, group, 0))
            return -E_SRCH;
        signal_group(group, signal, &info);
        return 0;
    }
    struct process *p = process_find(&state.tasks, (u32)pid);
    if (!p)
        return -E_SRCH;
    if (!known)
        return -E_INVAL;
    if (signal)
        signal_process(p, signal, &info);
    return 0;
}

static i64 kill_task(struct call *k, struct task *t, int signal) {
    struct linux_siginfo info = from_caller(k, SI_TKILL);
    if (!t)
        return -E_SRCH;
    if (signal && !valid((u32)signal))
        return -E_INVAL;
    if (signal)
        signal_task(t, signal, &info);
    return 0;
}

i64 linux_tkill(struct call *k) {
    i32 tid = (i32)k->w[0];
    return tid > 0 ? kill_task(k, task_find(&state.tasks, (u32)tid), (int)k->w[1]) : -E_INVAL;
}
i64 linux_tgkill(struct call *k) {
    i32 group = (i32)k->w[0], tid = (i32)k->w[1];
    if (group <= 0 || tid <= 0)
        return -E_INVAL;
    struct task *t = task_find(&state.tasks, (u32)tid);
    return kill_task(k, t && t->process->pid == (u32)group ? t : NULL, (int)k->w[2]);
}

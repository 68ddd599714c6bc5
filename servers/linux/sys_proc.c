/* SPDX-License-Identifier: MIT */
/* Processes: numbers, groups, sessions, waiting, ending; and users, of whom there is only root. */
#include <string.h>

#include "kern.h"
#include "state.h"
#include "sys.h"

i64 linux_getpid(struct call *k) {
    return k->task->process->pid;
}
i64 linux_gettid(struct call *k) {
    return k->task->tid;
}
i64 linux_getppid(struct call *k) {
    return k->task->process->parent->pid;
}
i64 linux_getpgrp(struct call *k) {
    return k->task->process->pgid;
}

static struct process *process_named(struct call *k, u64 pid) {
    return pid ? process_find(&state.tasks, (u32)pid) : k->task->process;
}
i64 linux_getpgid(struct call *k) {
    const struct process *p = process_named(k, k->w[0]);
    return p ? (i64)p->pgid : -E_SRCH;
}
i64 linux_getsid(struct call *k) {
    const struct process *p = process_named(k, k->w[0]);
    return p ? (i64)p->sid : -E_SRCH;
}
i64 linux_setpgid(struct call *k) {
    return process_setpgid(&state.tasks, k->task->process, (u32)k->w[0], (u64)(i64)(i32)k->w[1]);
}
i64 linux_setsid(struct call *k) {
    return process_setsid(&state.tasks, k->task->process);
}

static i64 root_only(u64 id) {
    return (u32)id == 0 || (u32)id == ~0u ? 0 : -E_PERM;
}
i64 linux_getuid(struct call *k) {
    (void)k;
    return 0;
}
i64 linux_geteuid(struct call *k) {
    return linux_getuid(k);
}
i64 linux_getgid(struct call *k) {
    return linux_getuid(k);
}
i64 linux_getegid(struct call *k) {
    return linux_getuid(k);
}
i64 linux_setuid(struct call *k) {
    return root_only(k->w[0]);
}
i64 linux_setgid(struct call *k) {
    return root_only(k->w[0]);
}
i64 linux_setreuid(struct call *k) {
    return root_only(k->w[0]) + root_only(k->w[1]) ? -E_PERM : 0;
}
i64 linux_setregid(struct call *k) {
    return linux_setreuid(k);
}
i64 linux_setresuid(struct call *k) {
    return linux_setreuid(k) || root_only(k->w[2]) ? -E_PERM : 0;
}
i64 linux_setresgid(struct call *k) {
    return linux_setresuid(k);
}
i64 linux_getresuid(struct call *k) {
    u32 zero = 0;
    i64 e = 0;
    for (u32 i = 0; i < 3 && !e; i++)
        e = copy_out(k, k->w[i], &zero, sizeof zero);
    return e;
}
i64 linux_getresgid(struct call *k) {
    return linux_getresuid(k);
}
i64 linux_getgroups(struct call *k) {
    (void)k;
    return 0;
}
i64 linux_setgroups(struct call *k) {
    (void)k;
    return 0;
}

/* CLONE_CHILD_CLEARTID: the word is cleared, and who waits for it is woken (pthread_join). */
static void clear_tid(struct task *t) {
    u32 zero = 0;
    u64 stopped;
    if (!t->clear_child_tid || (t->process->mm->users < 2 && t->process->task_count < 2))
        return;
    if (kern_copy_out(t->process->mm->space, t->clear_child_tid, &zero, sizeof zero, &stopped) == sizeof zero)
        futex_wake(t->process->mm, t->clear_child_tid, 1);
}

i64 linux_exit(struct call *k) {
    struct task *t = k->task;
    struct process *p = t->process;
    clear_tid(t);
    if (p->task_count == 1) {
        process_exit(p, STATUS_EXIT(k->w[0]));
        return 0;
    }
    t->ending = true;
    return 0;
}

i64 linux_exit_group(struct call *k) {
    clear_tid(k->task);
    process_exit(k->task->process, STATUS_EXIT(k->w[0]));
    return 0;
}

i64 linux_set_tid_address(struct call *k) {
    k->task->clear_child_tid = k->w[0];
    return k->task->tid;
}

i64 linux_set_robust_list(struct call *k) {
    return k->w[1] == 24 ? 0 : -E_INVAL; /* no lock of a dead thread is ever found: none is shared */
}

i64 linux_arch_prctl(struct call *k) {
    if (k->w[0] != ARCH_SET_FS && k->w[0] != ARCH_GET_FS)
        return -E_INVAL;
    struct user_regs *regs = kern_regs_read(k->task->thread, REGS_GENERAL);
    if (k->w[0] == ARCH_GET_FS)
        return copy_out(k, k->w[1], &regs->fs_base, sizeof regs->fs_base);
    regs->fs_base = k->w[1];
    return kern_regs_write(k->task->thread, REGS_GENERAL) < 0 ? -E_PERM : 0;
}

i64 linux_prctl(struct call *k) {
    char name[COMM_BYTES] = {0};
    if (k->w[0] == PR_GET_NAME)
        return copy_out(k, k->w[1], k->task->comm, COMM_BYTES);
    if (k->w[0] != PR_SET_NAME)
        return -E_INVAL;
    i64 n = copy_string(k, name, k->w[1], COMM_BYTES);
    if (n < 0 && n != -E_NAMETOOLONG)
        return n;
    name[COMM_BYTES - 1] = 0;
    memcpy(k->task->comm, name, COMM_BYTES);
    return 0;
}

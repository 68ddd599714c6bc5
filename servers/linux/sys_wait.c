/* SPDX-License-Identifier: MIT */
/* Waiting for children, and for signals. */
#include "clock.h"
#include "kern.h"
#include "state.h"
#include "sys.h"
#include "usage.h"

enum { P_ALL, P_PID, P_PGID };

#define WAIT_OPTIONS 0xe0000000ull /* of threads and clones: all children are waited for alike */

/* What wait_select found has been told: it is not told again. Returns the child's number. */
static u32 told(struct process *p, struct process *child, struct fault_counts had) {
    u32 pid = child->pid;
    if (child->state == PROCESS_ZOMBIE) {
        fault_counts_add(&p->child_faults, had);
        process_reap(child);
    } else if (child->stopped)
        child->stop_reported = true;
    else
        child->continued = false;
    return pid;
}

static struct fault_counts faults_of(const struct process *child) {
    struct fault_counts had = child->faults;
    fault_counts_add(&had, child->child_faults);
    return had;
}

i64 linux_wait4(struct call *k) {
    struct process *p = k->task->process, *child = NULL;
    u64 to = k->w[1], options = k->w[2], usage = k->w[3];
    u32 status = 0;
    if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | WAIT_OPTIONS))
        return -E_INVAL;
    enum wait_verdict v = wait_select(p, (i32)k->w[0], (u32)options | WEXITED, &child, &status);
    if (v == WAIT_NO_CHILD)
        return -E_CHILD;
    if (v == WAIT_NONE_YET)
        return options & WNOHANG ? 0 : block(k, &p->children_changed, 0, BLOCK_RESTART);
    struct fault_counts had = faults_of(child);
    i64 e = usage ? rusage_out(k, usage, had) : 0;
    if (!e && to)
        e = copy_out(k, to, &status, sizeof status);
    if (e && e != -E_FAULT) /* an absent page: the call comes again */
        return e;
    u32 pid = told(p, child, had);
    return e ? e : pid;
}

/* The answer of waitid for a status as wait4 tells it. */
static struct linux_siginfo info_of(const struct process *child, u32 status) {
    struct linux_siginfo info = {.signo = SIGCHLD, .code = CLD_EXITED, .child.status = (i32)(status >> 8)};
    info.child.pid = (i32)child->pid;
    if (status == STATUS_CONTINUED) {
        info.code = CLD_CONTINUED;
        info.child.status = SIGCONT;
    } else if ((status & 0xff) == 0x7f) {
        info.code = CLD_STOPPED;
    } else if (status & 0x7f) {
        info.code = status & 0x80 ? CLD_DUMPED : CLD_KILLED;
        info.child.status = status & 0x7f;
    }
    return info;
}

/* waitid's choice in the terms of wait_select; 0: there is no such choice. */
static i64 chosen(const struct process *p, u64 type, i32 id) {
    switch (type) {
    case P_ALL:
        return -1;
    case P_PID:
        return id > 0 ? id : 0;
    case P_PGID:
        return id > 0 ? -(i64)id : id == 0 ? -(i64)p->pgid : 0;
    default:
        return 0;
    }
}

i64 linux_waitid(struct call *k) {
    struct process *p = k->task->process, *child = NULL;
    u64 to = k->w[2], options = k->w[3], usage = k->w[4];
    const u64 kinds = WEXITED | WUNTRACED | WCONTINUED;
    i64 which = chosen(p, (u32)k->w[0], (i32)k->w[1]);
    struct linux_siginfo info = {.signo = 0};
    u32 status = 0;
    if ((options & ~(kinds | WNOHANG | WNOWAIT | WAIT_OPTIONS)) || !(options & kinds) || !which)
        return -E_INVAL;
    enum wait_verdict v = wait_select(p, which, (u32)options, &child, &status);
    if (v == WAIT_NONE_YET && !(options & WNOHANG))
        return block(k, &p->children_changed, 0, BLOCK_RESTART);
    struct fault_counts had = {0};
    if (v == WAIT_FOUND) {
        had = faults_of(child);
        info = info_of(child, status);
    }
    i64 e = usage && child ? rusage_out(k, usage, had) : 0;
    if (!e && to) /* the words that mean something: the rest stays as it is */
        e = copy_out(k, to, &info, offsetof(struct linux_siginfo, child) + 3 * sizeof(i32));
    if (e && e != -E_FAULT)
        return e;
    if (v == WAIT_FOUND && !(options & WNOWAIT))
        told(p, child, had);
    return e ? e : v == WAIT_NO_CHILD ? -E_CHILD : 0;
}

/* Takes a pending signal of the set, if there is one: its number and details. */
static int take_signal(struct task *t, sigset set, struct linux_siginfo *info) {
    struct sigpending *from[] = {&t->pending, &t->process->pending};
    for (u32 i = 0; i < ARRAY_LEN(from); i++) {
        int signal = sig_next(from[i]->set, ~set);
        if (!signal)
            continue;
        struct sigqueue *entry;
        sig_take(from[i], signal, &entry);
        *info = entry ? entry->info : (struct linux_siginfo){.signo = signal};
        if (entry)
            kmem_cache_free(state.sigqueue_cache, entry);
        return signal;
    }
    return 0;
}

/* k->progress: the deadline. What cannot be written to the caller is lost with its signal, as on Linux; an
 * absent page is faulted in before a signal is taken. */
i64 linux_rt_sigtimedwait(struct call *k) {
    const u64 forever = ~0ull;
    struct task *t = k->task;
    struct linux_siginfo info = {.signo = 0};
    struct timespec64 span;
    sigset set;
    t->awaited = 0;
    if (k->w[3] != sizeof set)
        return -E_INVAL;
    i64 e = copy_in(k, &set, k->w[0], sizeof set);
    if (!e && k->w[2])
        e = copy_in(k, &span, k->w[2], sizeof span);
    if (e)
        return e;
    if (k->w[2] && !clock_span_valid(&span))
        return -E_INVAL;
    set &= ~SIGSET_UNBLOCKABLE;
    if (!k->progress)
        k->progress = k->w[2] ? kern_tsc() + clock_to_ticks(&span, kern_tsc_per_ms()) : forever;
    if (k->w[1] && sig_next(t->pending.set | t->process->pending.set, ~set))
        e = copy_out(k, k->w[1], &info, sizeof info);
    if (k->verdict == FAULTING)
        return e;
    int signal = take_signal(t, set, &info);
    if (signal)
        return k->w[1] && copy_out(k, k->w[1], &info, sizeof info) ? -E_FAULT : signal;
    if (kern_tsc() >= k->progress)
        return -E_AGAIN;
    i64 r = block(k, &state.asleep, k->progress == forever ? 0 : k->progress, BLOCK_NORESTART);
    t->awaited = k->verdict == BLOCKED ? set : 0;
    return r;
}

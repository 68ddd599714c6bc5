/* SPDX-License-Identifier: MIT */
/* Sending signals: to tasks, processes and groups. What a signal does is decided when it is delivered
 * (deliver.c), but for SIGKILL, and for what stop and continue undo of each other. Whenever a task has a
 * signal to deliver, interrupt() has been asked for. */
#include "kern.h"
#include "state.h"

static sigset pending_of(const struct task *t) {
    return t->pending.set | t->process->pending.set;
}

bool signal_is_pending(const struct task *t) {
    return t->ending || sig_next(pending_of(t), t->blocked) || t->process->state != PROCESS_ALIVE;
}

void signal_recheck(struct task *t) {
    if (!t->ending && t->thread && sig_next(pending_of(t), t->blocked)) {
        kern_thread_interrupt(t->thread);
        task_wait_wake(t);
    }
}

static struct sigqueue *details(int signal, const struct linux_siginfo *info) {
    struct sigqueue *q = info ? kmem_cache_alloc(state.sigqueue_cache, GFP_KERNEL) : NULL;
    if (q) {
        q->next = NULL;
        q->info = *info;
        q->info.signo = signal;
    }
    return q; /* without memory the signal comes without details */
}

static void add(struct sigpending *p, int signal, const struct linux_siginfo *info) {
    if (p->set & SIGSET(signal))
        return;
    struct sigqueue *refused = sig_add(p, signal, details(signal, info));
    if (refused)
        kmem_cache_free(state.sigqueue_cache, refused);
}

/* Tasks in rt_sigtimedwait: the first one that waits for it tries again. */
static void wake_awaiting(struct process *p, int signal) {
    struct task *t;
    TAILQ_FOREACH(t, &p->tasks, sibling) {
        if (t->awaited & SIGSET(signal)) {
            t->awaited = 0;
            task_wait_wake(t);
            return;
        }
    }
}

static void discard(struct sigpending *p, sigset set) {
    struct sigqueue *q;
    while ((q = sig_discard(p, set)))
        kmem_cache_free(state.sigqueue_cache, q);
}

void signal_discard(struct process *p, sigset set) {
    struct task *t;
    discard(&p->pending, set);
    TAILQ_FOREACH(t, &p->tasks, sibling)
    discard(&t->pending, set);
}

/* A stopped process goes on: its tasks wait in an exception each. */
static void go_on(struct process *p) {
    struct task *t;
    bool was = p->stopped;
    p->stopped = false;
    TAILQ_FOREACH(t, &p->tasks, sibling) {
        if (t->stopped_reply) {
            kern_thread_interrupt(t->thread);
            kern_answer_regs(t->stopped_reply);
            t->stopped_reply = 0;
        }
    }
    if (was) {
        p->continued = true;
        notify_parent(p, CLD_CONTINUED, SIGCONT);
    }
}

/* What sending does at once. False: nothing is left to do. */
static bool before_sending(struct process *p, int signal) {
    if (p->state != PROCESS_ALIVE)
        return false;
    if (signal == SIGKILL) {
        process_exit(p, STATUS_SIGNAL(SIGKILL));
        return false;
    }
    if (signal == SIGCONT) {
        signal_discard(p, SIGSET_STOP);
        go_on(p);
    } else if (SIGSET(signal) & SIGSET_STOP) {
        signal_discard(p, SIGSET(SIGCONT));
    }
    return true;
}

void signal_task(struct task *t, int signal, const struct linux_siginfo *info) {
    if (!before_sending(t->process, signal))
        return;
    if (sig_ignored(t->process->sighand, signal) && !(t->blocked & SIGSET(signal)))
        return;
    add(&t->pending, signal, info);
    wake_awaiting(t->process, signal);
    signal_recheck(t);
}

void signal_process(struct process *p, int signal, const struct linux_siginfo *info) {
    struct task *t, *taker = NULL;
    if (p == state.tasks.init) {
        init_obey(signal);
        return;
    }
    if (!before_sending(p, signal))
        return;
    TAILQ_FOREACH(t, &p->tasks, sibling) {
        if (!(t->blocked & SIGSET(signal))) {
            taker = t;
            break;
        }
    }
    if (taker && sig_ignored(p->sighand, signal))
        return;
    add(&p->pending, signal, info);
    wake_awaiting(p, signal);
    if (taker)
        signal_recheck(taker);
}

void signal_group(u32 pgid, int signal, const struct linux_siginfo *info) {
    /* A process that is killed may go while the list is walked: by numbers, not by links. */
    for (u32 pid = 1; pid < PID_LIMIT; pid++) {
        struct task *t = task_find(&state.tasks, pid);
        if (t && t->process->pid == pid && t->process->pgid == pgid && signal)
            signal_process(t->process, signal, info);
    }
}

const struct linux_siginfo no_such_address = {.code = SI_KERNEL};

/* A fault of the task's own: cannot be ignored or blocked. */
void signal_force(struct task *t, int signal, const struct linux_siginfo *info) {
    struct linux_sigaction *a = &t->process->sighand->action[signal - 1];
    if (signal == SIGKILL) {
        process_exit(t->process, STATUS_SIGNAL(SIGKILL));
        return;
    }
    if ((t->blocked & SIGSET(signal)) || a->handler == SIG_IGN) {
        a->handler = SIG_DFL;
        t->blocked &= ~SIGSET(signal);
    }
    add(&t->pending, signal, info);
}

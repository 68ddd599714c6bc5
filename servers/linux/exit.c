/* SPDX-License-Identifier: MIT */
/* The end of processes, and what their parents hear of it. */
#include "kern.h"
#include "state.h"

void process_exit(struct process *p, u32 status) {
    if (p->state != PROCESS_ALIVE)
        return;
    p->state = PROCESS_EXITING;
    p->status = status;
    /* The last task that is not busy takes the process with it, so nothing may be looked at after it. */
    u32 left = p->task_count;
    struct task *t = TAILQ_FIRST(&p->tasks);
    while (left--) {
        struct task *next = TAILQ_NEXT(t, sibling);
        task_kill(t);
        t = next;
    }
}

static struct linux_siginfo child_info(const struct process *p, int code, u32 status) {
    struct linux_siginfo info = {.signo = SIGCHLD, .code = code};
    info.child.pid = (i32)p->pid;
    info.child.status = (i32)status;
    return info;
}

void notify_parent(struct process *p, int code, u32 status) {
    struct process *parent = p->parent;
    bool ended = code <= CLD_DUMPED;
    const struct linux_sigaction *a = parent->sighand ? &parent->sighand->action[SIGCHLD - 1] : NULL;
    int signal = ended ? p->exit_signal : SIGCHLD;
    if (a && signal && (ended || !(a->flags & SA_NOCLDSTOP))) {
        struct linux_siginfo info = child_info(p, code, status);
        signal_process(parent, signal, &info);
    }
    wake(&parent->children_changed);
}

void process_reap(struct process *p) {
    process_leave(&state.tasks, p);
    process_free(p);
}

/* The parent does not want to hear of its children. */
static bool reaped_unasked(const struct process *p) {
    const struct process *parent = p->parent;
    if (parent->state != PROCESS_ALIVE || !parent->sighand || p->exit_signal != SIGCHLD)
        return false; /* process 1 has no actions: init_reap */
    const struct linux_sigaction *a = &parent->sighand->action[SIGCHLD - 1];
    return a->handler == SIG_IGN || (a->flags & SA_NOCLDWAIT);
}

/* Process 1 waits for none of its children. */
static void init_reap(void) {
    struct process *p = TAILQ_FIRST(&state.tasks.init->children);
    while (p) {
        struct process *next = TAILQ_NEXT(p, sibling);
        if (p->state == PROCESS_ZOMBIE)
            process_reap(p);
        p = next;
    }
}

/* Of what it is sent it obeys what busybox's init does: halt, poweroff and reboot send these. */
void init_obey(int signal) {
    if (signal == SIGUSR1 || signal == SIGUSR2 || signal == SIGTERM)
        kern_system_exit(0);
}

void process_finish(struct process *p) {
    timer_set(&state.timers, &p->alarm, 0);
    files_put(p->files);
    fs_put(p->fs);
    sighand_put(p->sighand);
    p->files = NULL;
    p->fs = NULL;
    p->sighand = NULL;
    sigpending_release(&p->pending);
    p->stopped = p->continued = false;
    p->state = PROCESS_ZOMBIE;
    u32 signal = p->status & 0x7f;
    if (p == state.tasks.first) {
        kern_system_exit(signal ? 128 + signal : p->status >> 8);
        return;
    }
    process_orphan(&state.tasks, p);
    p->vfork = false;
    wake(&p->vfork_done);
    bool unasked = reaped_unasked(p);
    notify_parent(p, signal ? CLD_KILLED : CLD_EXITED, signal ? signal : p->status >> 8);
    if (unasked)
        process_reap(p);
    init_reap();
}

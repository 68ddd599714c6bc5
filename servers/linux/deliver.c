/* SPDX-License-Identifier: MIT */
/* What happens between an exception of a task and its next user instruction: what exec and fork still have to
 * write into its memory, then its signals. Everything that touches user memory may end in a fault of the
 * task; then the same exception comes again and all of this runs once more, so state changes only after the
 * last such touch of a step. */
#include <abi/syscall.h>
#include <ipc/assert.h>
#include <ipc/log.h>

#include "kern.h"
#include "sigframe.h"
#include "state.h"

static const struct linux_siginfo no_details = {.code = SI_USER};

static struct sigpending *pending_with(struct task *t, int signal) {
    return t->pending.set & SIGSET(signal) ? &t->pending : &t->process->pending;
}

static void take(struct task *t, int signal) {
    struct sigqueue *q;
    sig_take(pending_with(t, signal), signal, &q);
    if (q)
        kmem_cache_free(state.sigqueue_cache, q);
    if (signal == SIGALRM)
        alarm_taken(t->process);
}

/* The call that was answered -EINTR is to be sent again: back to its instruction (2 bytes), with its
 * number. */
static void send_again(struct task *t, struct user_regs *regs) {
    regs->rip -= 2;
    regs->rax = t->restart_number;
}

static i64 push_frame(struct call *k, int signal, struct linux_sigaction *a) {
    struct task *t = k->task;
    struct sigframe frame;
    u64 stopped;
    const struct sigqueue *q = sig_details(pending_with(t, signal), signal);
    struct user_regs *regs = kern_regs_read(t->thread, REGS_GENERAL | REGS_FPU);
    if (t->restart == RESTART_CALL && (a->flags & SA_RESTART))
        send_again(t, regs);
    struct sigframe_input in = {.signal = signal,
                                .info = q ? &q->info : &no_details,
                                .action = a,
                                .altstack = &t->altstack,
                                .mask = t->restore_mask ? t->saved_mask : t->blocked};
    sigframe_build(&frame, regs, &in);
    if (copy_out_some(k, frame.address, frame.buffer, frame.bytes, &stopped) < frame.bytes)
        return fault_at(k, stopped, ACCESS_WRITE);
    err begun = kern_regs_write(t->thread, REGS_GENERAL);
    take(t, signal);
    t->blocked = sig_handler_mask(a, signal, t->blocked);
    if (begun < 0)
        signal_force(t, SIGSEGV, &no_such_address);
    if (a->flags & SA_RESETHAND)
        a->handler = SIG_DFL;
    t->restart = RESTART_NONE;
    t->restore_mask = false;
    return 0;
}

static void stop_process(struct process *p, int signal) {
    struct task *t;
    p->stopped = true;
    p->stop_reported = p->continued = false;
    p->stop_signal = (u32)signal;
    TAILQ_FOREACH(t, &p->tasks, sibling)
    kern_thread_interrupt(t->thread);
    notify_parent(p, CLD_STOPPED, (u32)signal);
}

static void die_of(struct call *k, int signal) {
    struct task *t = k->task;
    if (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE) {
        const struct sigqueue *q = sig_details(pending_with(t, signal), signal);
        log_line("%s (%u) dies of signal %d, code %d, address %#llx", t->comm, t->process->pid, signal,
                 q ? q->info.code : 0, q ? (unsigned long long)q->info.address : 0);
    }
    process_exit(t->process, STATUS_SIGNAL(signal));
}

/* One signal: 1 if the next may be looked at, 0 if the task is done with or faults. */
static int deliver_one(struct call *k, int signal) {
    struct task *t = k->task;
    struct linux_sigaction *a = &t->process->sighand->action[signal - 1];
    if (a->handler == SIG_IGN && !(SIGSET(signal) & SIGSET_UNBLOCKABLE)) {
        take(t, signal);
        return 1;
    }
    if (a->handler != SIG_DFL) {
        i64 r = push_frame(k, signal, a);
        if (r < 0)
            process_exit(t->process, STATUS_SIGNAL(SIGSEGV));
        return r == 0 && k->verdict == ANSWER;
    }
    switch (sig_default_of(signal)) {
    case SIG_DEFAULT_STOP:
        take(t, signal);
        stop_process(t->process, signal);
        return 1;
    case SIG_DEFAULT_KILL:
        die_of(k, signal);
        return 0;
    default:
        take(t, signal);
        return 1;
    }
}

i64 deliver(struct call *k) {
    struct task *t = k->task;
    struct process *p = t->process;
    int signal;
    while (p->state == PROCESS_ALIVE && !t->ending && !p->stopped &&
           (signal = sig_next(t->pending.set | p->pending.set, t->blocked))) {
        if (!deliver_one(k, signal))
            return 0;
    }
    if (t->ending)
        return 0;
    if (p->stopped) {
        k->verdict = BLOCKED;
        t->stopped_reply = k->reply;
        return 0;
    }
    if (t->restart != RESTART_NONE) {
        send_again(t, kern_regs_read(t->thread, REGS_GENERAL));
        err e = kern_regs_write(t->thread, REGS_GENERAL);
        ASSERT(e >= 0);
        t->restart = RESTART_NONE;
    }
    if (t->restore_mask) {
        t->restore_mask = false;
        t->blocked = t->saved_mask;
        signal_recheck(t);
    }
    return 0;
}

/* exec's stack and cleared ends of segments. k->progress: bytes of all writes together that are done. */
static i64 write_image(struct call *k) {
    static const char zeroes[PAGE_BYTES];
    const struct exec_image *image = k->task->image;
    u64 begin = 0, stopped;
    for (u32 i = 0; i < image->writes; begin += image->write[i++].bytes) {
        const struct exec_write *w = &image->write[i];
        if (k->progress >= begin + w->bytes)
            continue;
        u64 skip = k->progress - begin, bytes = w->bytes - skip;
        u64 n = copy_out_some(k, w->address + skip, w->from ? w->from + skip : zeroes, bytes, &stopped);
        k->progress += n;
        if (n < bytes)
            return fault_at(k, stopped, ACCESS_WRITE);
    }
    exec_image_free(k->task->image);
    k->task->image = NULL;
    k->progress = 0;
    return 0;
}

static i64 write_tid(struct call *k) {
    struct task *t = k->task;
    u64 stopped;
    if (copy_out_some(k, t->set_child_tid, &t->tid, sizeof t->tid, &stopped) < sizeof t->tid) {
        i64 r = fault_at(k, stopped, ACCESS_WRITE);
        if (k->verdict == FAULTING)
            return r;
    }
    t->set_child_tid = 0; /* where it cannot be written it is left, as Linux does */
    k->flags &= (u8)~IPC_FAULTED;
    return 0;
}

i64 resume(struct call *k) {
    struct task *t = k->task;
    i64 r = 0;
    if (t->image)
        r = write_image(k);
    if (r < 0) {
        process_exit(t->process, STATUS_SIGNAL(SIGSEGV));
        return 0;
    }
    if (k->verdict == ANSWER && t->set_child_tid)
        write_tid(k);
    if (k->verdict == ANSWER)
        deliver(k);
    return 0;
}

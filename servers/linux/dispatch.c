/* SPDX-License-Identifier: MIT */
/* From a call's number to its handler, and what becomes of calls that are kept. */
#include "dispatch.h"

#include <ipc/assert.h>
#include <ipc/log.h>
#include <ipc/sys.h>

#include "kern.h"
#include "state.h"

static void keep(struct call *k) {
    struct task *t = k->task;
    struct kept_call *kept = &t->call;
    kept->reply = k->reply;
    kept->number = k->number;
    kept->progress = k->progress;
    if (k->w != kept->w) /* else it waits again */
        ipc_copy_words(kept->w, k->w);
    wait_on(k->queue, &t->waiter);
    if (k->deadline)
        timer_set(&state.timers, &t->timer, k->deadline);
}

static i64 unknown_call(struct call *k) {
    state.unknown_calls++;
    u64 number = k->number;
    if (number < SYSCALLS_LINUX && !(state.unknown_seen[number / 64] >> (number % 64) & 1)) {
        state.unknown_seen[number / 64] |= 1ull << (number % 64);
        log_line("call %llu (%s) of %s is not known", (unsigned long long)number, syscall_name(number),
                 k->task->comm);
    }
    return -E_NOSYS;
}

bool waiting_begins(struct call *k) {
    if (workers_left()) {
        state.waiting_workers++;
        return true;
    }
    k->verdict = BLOCKED;
    k->queue = &state.jobs;
    k->deadline = 0;
    return false;
}

void waiting_ends(void) {
    state.waiting_workers--;
}

static i64 run_waiting(struct call *k, syscall_handler handler) {
    if (!waiting_begins(k))
        return 0;
    i64 r = handler(k);
    waiting_ends();
    return r;
}

/* It was killed while its handler was under way. */
static void bury(struct call *k) {
    if (k->verdict != FAULTING && k->verdict != FORWARDED)
        k->verdict = GONE;
    task_bury(k->task);
}

i64 dispatch(struct call *k) {
    struct task *t = k->task;
    const struct syscall_entry *e = k->number < SYSCALLS_LINUX ? &syscall_table[k->number] : NULL;
    if (!e || !e->handler)
        return unknown_call(k);
    t->busy = true;
    i64 r = e->waits ? run_waiting(k, e->handler) : e->handler(k);
    t->busy = false;
    if (t->ending)
        bury(k);
    else if (k->verdict == BLOCKED)
        keep(k);
    return r;
}

void complete(struct call *k, i64 result) {
    switch ((enum verdict)k->verdict) {
    case ANSWER:
        kern_answer(k->reply, result);
        break;
    case REGISTERS:
        kern_answer_regs(k->reply);
        break;
    case FORWARDED:
        kern_forward(k->reply, k->to, k->label, k->out);
        break;
    case FAULTING:
    case GONE:
        kern_slot_drop(k->reply);
        break;
    case BLOCKED:
        break;
    }
}

static void run_again(struct task *t) {
    ASSERT(t->call.reply && !t->busy);
    struct call k;
    call_begin(&k, t, t->call.reply, t->call.number, 0, t->call.progress, t->call.w);
    t->call.reply = 0;
    timer_set(&state.timers, &t->timer, 0);
    i64 r = dispatch(&k);
    complete(&k, r);
}

void answer_kept(struct task *t, i64 result) {
    wait_leave(&state.run, &t->waiter);
    timer_set(&state.timers, &t->timer, 0);
    kern_answer(t->call.reply, result);
    t->call.reply = 0;
}

void run_woken(void) {
    struct waiter *w;
    while ((w = run_next(&state.run)))
        run_again(container_of(w, struct task, waiter));
}

void run_jobs(void) {
    while (jobs_ready()) {
        struct waiter *w = TAILQ_FIRST(&state.jobs.waiters);
        wait_leave(&state.run, w);
        run_again(container_of(w, struct task, waiter));
        run_kept_calls();
    }
}

void wake(struct wait_queue *q) {
    if (!wait_empty(q))
        wake_up(&state.run, q);
    if (!wait_empty(&state.pollers))
        wake_up(&state.run, &state.pollers);
}

/* A signal has come: a call that waits looks at it (those that wait for a worker will anyway). */
void task_wait_wake(struct task *t) {
    if (t->waiter.queue != &state.jobs)
        wake_one(&state.run, &t->waiter);
}

void call_timer_expired(struct timer *timer) {
    struct task *t = container_of(timer, struct task, timer);
    wake_one(&state.run, &t->waiter);
}

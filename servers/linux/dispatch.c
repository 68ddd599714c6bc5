/* SPDX-License-Identifier: MIT */
/* From a call's number to its handler, and what becomes of calls that are kept. */
#include "dispatch.h"

#include <ipc/assert.h>
#include <ipc/log.h>

#include "kern.h"
#include "state.h"

static void keep(struct call *k) {
    struct task *t = k->task;
    t->call = (struct kept_call){.reply = k->reply, .number = k->number, .progress = k->progress};
    for (u32 i = 0; i < 6; i++)
        t->call.w[i] = k->w[i];
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

/* Another worker must stay for calls that are answered at once. */
static bool workers_left(void) {
    return state.waiting_workers < WORKERS - 1;
}

static i64 run_handler(struct call *k, const struct syscall_entry *e) {
    struct task *t = k->task;
    if (e->waits && !workers_left()) {
        k->verdict = BLOCKED;
        k->queue = &state.jobs;
        k->deadline = 0;
        return 0;
    }
    state.waiting_workers += e->waits;
    t->busy = true;
    i64 r = e->handler(k);
    t->busy = false;
    state.waiting_workers -= e->waits;
    return r;
}

i64 dispatch(struct call *k) {
    struct task *t = k->task;
    const struct syscall_entry *e = k->number < SYSCALLS_LINUX ? &syscall_table[k->number] : NULL;
    i64 r = e && e->handler ? run_handler(k, e) : unknown_call(k);
    if (t->ending) {
        if (k->verdict != FAULTING && k->verdict != FORWARDED)
            k->verdict = GONE;
        task_bury(t);
        return 0;
    }
    if (k->verdict == BLOCKED)
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
        kern_forward(k->reply, k->label, k->out, k->out_words);
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

bool jobs_ready(void) {
    return !wait_empty(&state.jobs) && workers_left();
}

void run_kept_calls(void) {
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
    wake_up(&state.run, q);
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

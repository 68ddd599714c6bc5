/* SPDX-License-Identifier: MIT */
/* Wait queues, the run list and deadlines: how a call that cannot be answered now is kept and taken up again.
 *
 * A handler that has to wait says so (block() in call.h); the call's words and its right to answer are kept
 * in the task, and the task joins one queue. wake_up moves the tasks of a queue to the run list; the server
 * loop then runs their handlers once more from the start (a call's `progress` tells them what was done
 * before). A task is on one queue or on the run list, or on neither. Pure: no kernel, no time but what is
 * passed in. */
#pragma once

#include <abi/types.h>
#include <ipc/queue.h>

struct waiter {
    TAILQ_ENTRY(waiter) link;
    struct wait_queue *queue; /* where it waits; NULL: nowhere */
    bool runnable;            /* on the run list */
};
struct wait_queue {
    TAILQ_HEAD(waiter_list, waiter) waiters;
};

/* Something due at an absolute time; sorted by it. */
struct timer {
    TAILQ_ENTRY(timer) link;
    u64 at; /* TSC; 0: not set */
    void (*expired)(struct timer *);
};
struct timers {
    TAILQ_HEAD(timer_list, timer) list;
    u64 first; /* when the first is due; 0: none is set */
};

void wait_queue_init(struct wait_queue *q);
/* w waits on q; it must wait nowhere. */
void wait_on(struct wait_queue *q, struct waiter *w);
/* w waits nowhere any more, and is not on the run list. */
void wait_leave(struct wait_queue *run, struct waiter *w);
/* One, or all, of q's waiters go to the run list. */
void wake_one(struct wait_queue *run, struct waiter *w);
void wake_up(struct wait_queue *run, struct wait_queue *q);
static inline bool wait_empty(const struct wait_queue *q) {
    return TAILQ_EMPTY(&q->waiters);
}
/* The next of the run list, taken off; NULL if there is none. */
struct waiter *run_next(struct wait_queue *run);

void timers_init(struct timers *t);
/* Sets (again) or, with at 0, ends a timer. */
void timer_change(struct timers *t, struct timer *timer, u64 at);
static inline void timer_set(struct timers *t, struct timer *timer, u64 at) {
    if (timer->at | at)
        timer_change(t, timer, at);
}
/* Ends all timers due at `now` and calls their `expired`, earliest first. */
void timers_run(struct timers *t, u64 now);

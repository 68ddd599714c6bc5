/* SPDX-License-Identifier: MIT */
#include "waitqueue.h"

#include <ipc/assert.h>

void wait_queue_init(struct wait_queue *q) {
    TAILQ_INIT(&q->waiters);
}

void wait_on(struct wait_queue *q, struct waiter *w) {
    ASSERT(!w->queue && !w->runnable);
    w->queue = q;
    TAILQ_INSERT_TAIL(&q->waiters, w, link);
}

void wait_leave(struct wait_queue *run, struct waiter *w) {
    if (w->queue)
        TAILQ_REMOVE(&w->queue->waiters, w, link);
    else if (w->runnable)
        TAILQ_REMOVE(&run->waiters, w, link);
    w->queue = NULL;
    w->runnable = false;
}

void wake_one(struct wait_queue *run, struct waiter *w) {
    if (!w->queue)
        return;
    TAILQ_REMOVE(&w->queue->waiters, w, link);
    w->queue = NULL;
    w->runnable = true;
    TAILQ_INSERT_TAIL(&run->waiters, w, link);
}

void wake_up(struct wait_queue *run, struct wait_queue *q) {
    struct waiter *w;
    while ((w = TAILQ_FIRST(&q->waiters)))
        wake_one(run, w);
}

struct waiter *run_next(struct wait_queue *run) {
    struct waiter *w = TAILQ_FIRST(&run->waiters);
    if (w) {
        TAILQ_REMOVE(&run->waiters, w, link);
        w->runnable = false;
    }
    return w;
}

void timers_init(struct timers *t) {
    TAILQ_INIT(&t->list);
    t->first = 0;
}

static void insert(struct timers *t, struct timer *timer) {
    struct timer *later;
    TAILQ_FOREACH(later, &t->list, link) {
        if (later->at > timer->at) {
            TAILQ_INSERT_BEFORE(later, timer, link);
            return;
        }
    }
    TAILQ_INSERT_TAIL(&t->list, timer, link);
}

void timer_change(struct timers *t, struct timer *timer, u64 at) {
    if (timer->at)
        TAILQ_REMOVE(&t->list, timer, link);
    timer->at = at;
    if (at)
        insert(t, timer);
    struct timer *first = TAILQ_FIRST(&t->list);
    t->first = first ? first->at : 0;
}

void timers_run(struct timers *t, u64 now) {
    struct timer *timer;
    while ((timer = TAILQ_FIRST(&t->list)) && timer->at <= now) {
        timer_set(t, timer, 0);
        timer->expired(timer);
    }
}

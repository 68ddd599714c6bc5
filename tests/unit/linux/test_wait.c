/* SPDX-License-Identifier: MIT */
/* Wait queues, the run list and timers in random sequences. */
#include <criterion/criterion.h>

#include "model/seed.h"
#include "waitqueue.h"

enum { WAITERS = 40, QUEUES = 5, TIMERS = 60 };

static struct wait_queue queue[QUEUES], run;
static struct waiter waiter[WAITERS];
static int place[WAITERS]; /* queue, QUEUES: the run list, -1: nowhere */

static void check_places(void) {
    for (u32 i = 0; i < WAITERS; i++) {
        cr_assert_eq(waiter[i].queue, place[i] >= 0 && place[i] < QUEUES ? &queue[place[i]] : NULL);
        cr_assert_eq(waiter[i].runnable, place[i] == QUEUES);
    }
}

Test(wait, random) {
    u64 seed = seed_begin(7);
    wait_queue_init(&run);
    for (u32 i = 0; i < QUEUES; i++)
        wait_queue_init(&queue[i]);
    for (u32 i = 0; i < WAITERS; i++)
        place[i] = -1;
    for (u32 step = 0; step < 50000; step++) {
        u32 i = (u32)seed_next(&seed, WAITERS), q = (u32)seed_next(&seed, QUEUES);
        switch (seed_next(&seed, 5)) {
        case 0:
        case 1:
            if (place[i] < 0) {
                wait_on(&queue[q], &waiter[i]);
                place[i] = (int)q;
            }
            break;
        case 2:
            wake_up(&run, &queue[q]);
            cr_assert(wait_empty(&queue[q]));
            for (u32 n = 0; n < WAITERS; n++)
                place[n] = place[n] == (int)q ? QUEUES : place[n];
            break;
        case 3:
            wait_leave(&run, &waiter[i]);
            place[i] = -1;
            break;
        default: {
            struct waiter *next = run_next(&run);
            if (next)
                place[next - waiter] = -1;
        }
        }
        check_places();
    }
}

static struct timer timer[TIMERS];
static u64 now, last;

static void expired(struct timer *t) {
    cr_assert_eq(t->at, 0);
    (void)t;
    last++;
}

Test(wait, timers_expire_in_order_and_once) {
    u64 seed = seed_begin(8);
    struct timers timers;
    u64 due[TIMERS] = {0};
    timers_init(&timers);
    for (u32 i = 0; i < TIMERS; i++)
        timer[i].expired = expired;
    for (u32 step = 0; step < 30000; step++) {
        u32 i = (u32)seed_next(&seed, TIMERS);
        if (seed_next(&seed, 3)) {
            due[i] = seed_next(&seed, 4) ? now + 1 + seed_next(&seed, 1000) : 0;
            timer_set(&timers, &timer[i], due[i]);
        } else {
            u64 wanted = 0;
            now += seed_next(&seed, 300);
            for (u32 n = 0; n < TIMERS; n++) {
                if (due[n] && due[n] <= now) {
                    wanted++;
                    due[n] = 0;
                }
            }
            last = 0;
            timers_run(&timers, now);
            cr_assert_eq(last, wanted);
        }
        u64 first = 0;
        for (u32 n = 0; n < TIMERS; n++)
            first = due[n] && (!first || due[n] < first) ? due[n] : first;
        cr_assert_eq(timers.first, first);
    }
}

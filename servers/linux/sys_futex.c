/* SPDX-License-Identifier: MIT */
/* futex: wait and wake, among the threads of one memory descriptor. */
#include "clock.h"
#include "kern.h"
#include "state.h"
#include "sys.h"

#define WOKEN (~0ull) /* k->progress of one that was woken */

u32 futex_wake(const struct mm *mm, u64 address, u32 most) {
    struct waiter *w, *next;
    u32 woken = 0;
    for (w = TAILQ_FIRST(&state.futexes.waiters); w && woken < most; w = next) {
        next = TAILQ_NEXT(w, link);
        struct task *t = container_of(w, struct task, waiter);
        if (t->process->mm != mm || t->futex != address)
            continue;
        t->call.progress = WOKEN;
        wake_one(&state.run, w);
        woken++;
    }
    return woken;
}

/* k->progress: 0 at first, then the deadline (1: none). */
static i64 futex_wait(struct call *k, u64 address, u32 value, u64 timeout, bool absolute) {
    u32 now;
    if (k->progress == WOKEN)
        return 0;
    if (!k->progress) {
        struct timespec64 span;
        i64 e = copy_in(k, &now, address, sizeof now);
        if (!e && now != value)
            return -E_AGAIN;
        if (!e && timeout)
            e = copy_in(k, &span, timeout, sizeof span);
        if (e)
            return e;
        if (timeout && !clock_span_valid(&span))
            return -E_INVAL;
        if (timeout && absolute) {
            struct timespec64 clock = clock_monotonic();
            i64 ns = (span.sec - clock.sec) * NS_PER_S + span.nsec - clock.nsec;
            span = (struct timespec64){MAX(ns, 0) / NS_PER_S, MAX(ns, 0) % NS_PER_S};
        }
        k->progress = timeout ? kern_tsc() + clock_to_ticks(&span, kern_tsc_per_ms()) : 1;
    }
    u64 deadline = k->progress > 1 ? k->progress : 0;
    if (deadline && kern_tsc() >= deadline)
        return -E_TIMEDOUT;
    k->task->futex = address;
    return block(k, &state.futexes, deadline, timeout ? BLOCK_NOHAND : BLOCK_RESTART);
}

i64 linux_futex(struct call *k) {
    struct mm *mm = k->task->process->mm;
    u64 address = k->w[0];
    if (address & 3)
        return -E_INVAL;
    switch (k->w[1] & FUTEX_CMD) {
    case FUTEX_WAIT:
        return futex_wait(k, address, (u32)k->w[2], k->w[3], false);
    case FUTEX_WAIT_BITSET:
        return futex_wait(k, address, (u32)k->w[2], k->w[3], true);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        return futex_wake(mm, address, (u32)k->w[2]);
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE: {
        /* All are woken, and the others queue again by themselves. */
        u32 now;
        i64 e = (k->w[1] & FUTEX_CMD) == FUTEX_REQUEUE ? 0 : copy_in(k, &now, address, sizeof now);
        if (e)
            return e;
        if ((k->w[1] & FUTEX_CMD) == FUTEX_CMP_REQUEUE && now != (u32)k->w[5])
            return -E_AGAIN;
        return futex_wake(mm, address, ~0u);
    }
    default:
        return -E_NOSYS;
    }
}

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

/* The deadline of a call that comes for the first time; 0: none. */
static i64 futex_deadline(struct call *k, u64 *deadline) {
    struct timespec64 span;
    *deadline = 0;
    if (!k->w[3])
        return 0;
    i64 e = copy_in(k, &span, k->w[3], sizeof span);
    if (e)
        return e;
    if (!clock_span_valid(&span))
        return -E_INVAL;
    if ((k->w[1] & FUTEX_CMD) == FUTEX_WAIT_BITSET) { /* the only one whose time is absolute */
        struct timespec64 now = k->w[1] & FUTEX_CLOCK_REALTIME ? clock_realtime() : clock_monotonic();
        span = clock_span_until(&span, &now);
    }
    *deadline = kern_tsc() + clock_to_ticks(&span, kern_tsc_per_ms());
    return 0;
}

/* k->progress: 0 at first, then the deadline (1: none). */
static i64 futex_wait(struct call *k, u64 address, u32 value) {
    u32 now;
    if (k->progress == WOKEN)
        return 0;
    if (!k->progress) {
        u64 deadline;
        i64 e = futex_deadline(k, &deadline);
        if (!e && address & 3)
            e = -E_INVAL;
        if (!e)
            e = copy_in(k, &now, address, sizeof now);
        if (!e && now != value)
            e = -E_AGAIN;
        if (e)
            return e;
        k->progress = deadline ? deadline : 1;
    }
    u64 deadline = k->progress > 1 ? k->progress : 0;
    if (deadline && kern_tsc() >= deadline)
        return -E_TIMEDOUT;
    k->task->futex = address;
    return block(k, &state.futexes, deadline, deadline ? BLOCK_NOHAND : BLOCK_RESTART);
}

i64 linux_futex(struct call *k) {
    struct mm *mm = k->task->process->mm;
    u64 address = k->w[0], command = k->w[1] & FUTEX_CMD;
    bool wait = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
    bool bitset = command == FUTEX_WAIT_BITSET || command == FUTEX_WAKE_BITSET;
    if ((address & 3 && !wait) || (bitset && !(u32)k->w[5]))
        return -E_INVAL;
    switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        return futex_wait(k, address, (u32)k->w[2]);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        return futex_wake(mm, address, (u32)k->w[2]);
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE: {
        /* All are woken, and the others queue again by themselves. */
        u32 now;
        i64 e = command == FUTEX_REQUEUE ? 0 : copy_in(k, &now, address, sizeof now);
        if (e)
            return e;
        if (command == FUTEX_CMP_REQUEUE && now != (u32)k->w[5])
            return -E_AGAIN;
        return futex_wake(mm, address, ~0u);
    }
    default:
        return -E_NOSYS;
    }
}

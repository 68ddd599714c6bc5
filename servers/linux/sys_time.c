/* SPDX-License-Identifier: MIT */
/* Clocks, sleeping, alarms. */
#include "clock.h"
#include "kern.h"
#include "state.h"
#include "sys.h"

enum {
    CLOCK_REALTIME,
    CLOCK_MONOTONIC,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_THREAD_CPUTIME_ID,
    CLOCK_MONOTONIC_RAW,
    CLOCK_REALTIME_COARSE,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_BOOTTIME,
    TIMER_ABSTIME = 1
};

static bool clock_now(u64 clock, struct timespec64 *now) {
    bool real = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if ((u32)clock > CLOCK_BOOTTIME)
        return false;
    *now = real ? clock_realtime() : clock_monotonic();
    return true;
}

i64 linux_clock_gettime(struct call *k) {
    struct timespec64 now;
    return clock_now(k->w[0], &now) ? copy_out(k, k->w[1], &now, sizeof now) : -E_INVAL;
}

i64 linux_clock_getres(struct call *k) {
    struct timespec64 now, resolution = {0, 1};
    if (!clock_now(k->w[0], &now))
        return -E_INVAL;
    return k->w[1] ? copy_out(k, k->w[1], &resolution, sizeof resolution) : 0;
}

i64 linux_gettimeofday(struct call *k) {
    struct timespec64 now = clock_realtime();
    now.nsec /= 1000;
    return k->w[0] ? copy_out(k, k->w[0], &now, sizeof now) : 0;
}

i64 linux_time(struct call *k) {
    i64 now = clock_realtime().sec;
    i64 e = k->w[0] ? copy_out(k, k->w[0], &now, sizeof now) : 0;
    return e ? e : now;
}

/* k->progress: the deadline. */
static i64 sleep_until(struct call *k, u64 left_at) {
    u64 now = kern_tsc(), deadline = k->progress;
    if (now >= deadline)
        return 0;
    i64 r = block(k, &state.asleep, deadline, BLOCK_NOHAND);
    if (r != -E_INTR || !left_at)
        return r;
    struct timespec64 left = clock_of_ticks(deadline - now, kern_tsc_per_ms());
    i64 e = copy_out(k, left_at, &left, sizeof left);
    if (e) /* an absent page: the call comes again; a bad one: -EFAULT, and that's the end */
        k->task->restart = RESTART_NONE;
    return e ? e : r;
}

i64 linux_nanosleep(struct call *k) {
    struct timespec64 span;
    if (!k->progress) {
        i64 e = copy_in(k, &span, k->w[0], sizeof span);
        if (e)
            return e;
        if (!clock_span_valid(&span))
            return -E_INVAL;
        k->progress = kern_tsc() + clock_to_ticks(&span, kern_tsc_per_ms());
    }
    return sleep_until(k, k->w[1]);
}

i64 linux_clock_nanosleep(struct call *k) {
    struct timespec64 span, now;
    if (!clock_now(k->w[0], &now))
        return -E_INVAL;
    if (!k->progress) {
        i64 e = copy_in(k, &span, k->w[2], sizeof span);
        if (e)
            return e;
        if (!clock_span_valid(&span))
            return -E_INVAL;
        if (k->w[1] & TIMER_ABSTIME)
            span = clock_span_until(&span, &now);
        k->progress = kern_tsc() + clock_to_ticks(&span, kern_tsc_per_ms());
    }
    return sleep_until(k, k->w[1] & TIMER_ABSTIME ? 0 : k->w[3]);
}

struct itimer {
    struct timespec64 interval, value; /* with microseconds in nsec */
};

static void alarm_expired(struct timer *t) {
    signal_process(container_of(t, struct process, alarm), SIGALRM, NULL);
}

void alarm_taken(struct process *p) {
    u64 now = kern_tsc(), interval = p->alarm_interval;
    if (!interval || p->alarm.at)
        return;
    u64 missed = now > p->alarm_due ? (now - p->alarm_due) / interval : 0;
    p->alarm_due += (missed + 1) * interval;
    timer_set(&state.timers, &p->alarm, p->alarm_due);
}

static struct itimer alarm_now(const struct process *p) {
    u64 now = kern_tsc();
    struct itimer it = {.interval = clock_of_ticks(p->alarm_interval, kern_tsc_per_ms())};
    if (p->alarm.at)
        it.value = clock_of_ticks(p->alarm.at > now ? p->alarm.at - now : 1, kern_tsc_per_ms());
    it.interval.nsec /= 1000;
    it.value.nsec = (it.value.nsec + 999) / 1000;
    return it;
}

static void alarm_set(struct process *p, struct timespec64 value, struct timespec64 interval) {
    u64 span = clock_to_ticks(&value, kern_tsc_per_ms());
    p->alarm.expired = alarm_expired;
    p->alarm_interval = clock_to_ticks(&interval, kern_tsc_per_ms());
    p->alarm_due = span ? kern_tsc() + span : 0;
    timer_set(&state.timers, &p->alarm, p->alarm_due);
}

i64 linux_alarm(struct call *k) {
    struct itimer old = alarm_now(k->task->process);
    alarm_set(k->task->process, (struct timespec64){(u32)k->w[0], 0}, (struct timespec64){0});
    return old.value.sec + (old.value.nsec != 0);
}

i64 linux_getitimer(struct call *k) {
    struct itimer now = alarm_now(k->task->process);
    return k->w[0] ? -E_INVAL : copy_out(k, k->w[1], &now, sizeof now);
}

i64 linux_setitimer(struct call *k) {
    struct itimer next = {0}, old = alarm_now(k->task->process);
    if (k->w[0])
        return -E_INVAL; /* times of the CPU are not counted */
    i64 e = k->w[1] ? copy_in(k, &next, k->w[1], sizeof next) : 0;
    if (!e && k->w[2])
        e = copy_out(k, k->w[2], &old, sizeof old);
    if (e)
        return e;
    next.value.nsec *= 1000;
    next.interval.nsec *= 1000;
    if (!clock_span_valid(&next.value) || !clock_span_valid(&next.interval))
        return -E_INVAL;
    alarm_set(k->task->process, next.value, next.interval);
    return 0;
}

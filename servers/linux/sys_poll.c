/* SPDX-License-Identifier: MIT */
/* poll, ppoll, select, pselect6. A call that waits is run again at every change of anything pollable;
 * k->progress keeps its deadline. */
#include <string.h>

#include "clock.h"
#include "kern.h"
#include "state.h"
#include "sys.h"

#define NO_DEADLINE (~0ull)

/* The deadline, fixed the first time: 0 poll only, NO_DEADLINE none. */
static u64 deadline_of(struct call *k, const struct timespec64 *span) {
    if (!k->progress)
        k->progress = span ? kern_tsc() + clock_to_ticks(span, kern_tsc_per_ms()) : NO_DEADLINE;
    return k->progress;
}

static i64 wait_or_none(struct call *k, u64 deadline) {
    if (deadline != NO_DEADLINE && kern_tsc() >= deadline)
        return 0;
    return block(k, &state.pollers, deadline == NO_DEADLINE ? 0 : deadline, BLOCK_NOHAND);
}

/* A mask for the time of the call; put back by the delivery of a signal, or when the call ends without
 * one. */
static i64 mask_for_call(struct call *k, u64 mask, u64 bytes) {
    struct task *t = k->task;
    sigset set;
    if (!mask || t->restore_mask)
        return 0;
    if (bytes != sizeof set)
        return -E_INVAL;
    i64 e = copy_in(k, &set, mask, sizeof set);
    if (e)
        return e;
    t->saved_mask = t->blocked;
    t->restore_mask = true;
    t->blocked = set & ~SIGSET_UNBLOCKABLE;
    signal_recheck(t);
    return 0;
}

static i64 unmask(struct call *k, i64 r) {
    struct task *t = k->task;
    if (k->verdict == ANSWER && r != -E_INTR && t->restore_mask) {
        t->restore_mask = false;
        t->blocked = t->saved_mask;
        signal_recheck(t);
    }
    return r;
}

static u32 events_of(struct call *k, i32 fd, u32 wanted) {
    struct file *f = fd < 0 ? NULL : fd_get(k, (u32)fd);
    if (!f)
        return fd < 0 ? 0 : POLLNVAL;
    u32 events = f->ops->poll(f) & (wanted | POLLERR | POLLHUP);
    file_put(f);
    return events;
}

#define POLL_MAX 64

static i64 do_poll(struct call *k, u64 fds, u64 count, const struct timespec64 *span) {
    struct pollfd32 p[POLL_MAX];
    i64 ready = 0;
    u64 deadline = deadline_of(k, span);
    if (count > FILES_MAX)
        return -E_INVAL;
    for (u64 at = 0; at < count; at += POLL_MAX) {
        u64 n = MIN(count - at, POLL_MAX);
        i64 e = copy_in(k, p, fds + at * sizeof *p, n * sizeof *p);
        if (e)
            return e;
        for (u64 i = 0; i < n; i++) {
            p[i].revents = (i16)events_of(k, p[i].fd, (u16)p[i].events);
            ready += p[i].revents != 0;
        }
        e = copy_out(k, fds + at * sizeof *p, p, n * sizeof *p);
        if (e)
            return e;
    }
    return ready ? ready : wait_or_none(k, deadline);
}

i64 linux_poll(struct call *k) {
    i32 ms = (i32)k->w[2];
    struct timespec64 span = {ms / 1000, (i64)(ms % 1000) * 1000000};
    return do_poll(k, k->w[0], (u32)k->w[1], ms < 0 ? NULL : &span);
}

static i64 get_span(struct call *k, u64 from, struct timespec64 *span) {
    i64 e = from ? copy_in(k, span, from, sizeof *span) : 0;
    return e ? e : clock_span_valid(span) ? 0 : -E_INVAL;
}

i64 linux_ppoll(struct call *k) {
    struct timespec64 span = {0};
    i64 e = get_span(k, k->w[2], &span);
    if (!e)
        e = mask_for_call(k, k->w[3], k->w[4]);
    return e ? e : unmask(k, do_poll(k, k->w[0], (u32)k->w[1], k->w[2] ? &span : NULL));
}

struct fd_sets {
    u64 in[3][FILES_MAX / 64], out[3][FILES_MAX / 64];
};

static i64 evaluate(struct call *k, u64 count, struct fd_sets *s) {
    static const u32 wanted[3] = {POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI};
    i64 ready = 0;
    for (u64 fd = 0; fd < count; fd++) {
        for (u32 set = 0; set < 3; set++) {
            if (!(s->in[set][fd / 64] >> (fd % 64) & 1))
                continue;
            u32 events = events_of(k, (i32)fd, wanted[set]);
            if (events & POLLNVAL)
                return -E_BADF;
            if (events & wanted[set]) {
                s->out[set][fd / 64] |= 1ull << (fd % 64);
                ready++;
            }
        }
    }
    return ready;
}

static i64 do_select(struct call *k, const struct timespec64 *span) {
    struct fd_sets s;
    u64 count = k->w[0], bytes = (MIN(count, FILES_MAX) + 63) / 64 * 8;
    u64 deadline = deadline_of(k, span);
    if (count > FILES_MAX)
        return -E_INVAL;
    memset(&s, 0, sizeof s);
    for (u32 set = 0; set < 3; set++) {
        i64 e = k->w[1 + set] ? copy_in(k, s.in[set], k->w[1 + set], bytes) : 0;
        if (e)
            return e;
    }
    i64 ready = evaluate(k, count, &s);
    if (ready < 0)
        return ready;
    if (!ready) {
        i64 r = wait_or_none(k, deadline);
        if (r || k->verdict != ANSWER)
            return r;
    }
    for (u32 set = 0; set < 3; set++) {
        i64 e = k->w[1 + set] ? copy_out(k, k->w[1 + set], s.out[set], bytes) : 0;
        if (e)
            return e;
    }
    return ready;
}

i64 linux_select(struct call *k) {
    struct timespec64 span = {0};
    i64 e = k->w[4] ? copy_in(k, &span, k->w[4], sizeof span) : 0;
    if (e)
        return e;
    span.sec = MIN(span.sec, 1ll << 60) + span.nsec / 1000000;
    span.nsec = span.nsec % 1000000 * 1000; /* a struct timeval: microseconds */
    return clock_span_valid(&span) ? do_select(k, k->w[4] ? &span : NULL) : -E_INVAL;
}

i64 linux_pselect6(struct call *k) {
    struct timespec64 span = {0};
    u64 mask[2] = {0};
    i64 e = get_span(k, k->w[4], &span);
    if (!e && k->w[5])
        e = copy_in(k, mask, k->w[5], sizeof mask);
    if (!e)
        e = mask_for_call(k, mask[0], mask[1]);
    return e ? e : unmask(k, do_select(k, k->w[4] ? &span : NULL));
}

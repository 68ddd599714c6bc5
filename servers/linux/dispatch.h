/* SPDX-License-Identifier: MIT */
#pragma once

#include "state.h"

/* What every call begins with; fields that belong to a verdict are set with it. */
static inline void call_begin(struct call *k, struct task *t, u32 reply, u64 number, u32 flags, u64 progress,
                              const u64 w[6]) {
    k->task = t;
    k->reply = reply;
    k->number = (u16)number;
    k->flags = (u8)flags;
    k->verdict = ANSWER;
    k->progress = progress;
    k->w = w;
}

/* Runs the handler of k->number. The result is for the caller to answer as k->verdict says (complete() does
 * it for a right that was kept); a call that waits (BLOCKED) has been kept already. After GONE the task is no
 * more. */
i64 dispatch(struct call *k);
/* Runs the calls that were woken. May wait; the caller has nothing left to answer. */
void run_woken(void);
static inline void run_kept_calls(void) {
    if (!wait_empty(&state.run))
        run_woken();
}
/* Runs the calls that were kept for want of a worker. May wait; the caller has nothing left to answer. */
void run_jobs(void);
/* Round what may wait for the disk, in a call that usually does not (syscalls.def). False: no other worker
 * would be left; the call is kept, and its handler runs again. */
bool waiting_begins(struct call *k) must_check;
void waiting_ends(void);
/* Another worker must stay for calls that are answered at once. */
static inline bool workers_left(void) {
    return state.waiting_workers < WORKERS - 1;
}
static inline bool jobs_ready(void) {
    return !wait_empty(&state.jobs) && workers_left();
}

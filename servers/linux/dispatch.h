/* SPDX-License-Identifier: MIT */
#pragma once

#include "call.h"

/* What every call begins with; fields that belong to a verdict are set with it. */
static inline void call_begin(struct call *k, struct task *t, u32 reply, u64 number, u32 flags, u64 progress,
                              const u64 w[6]) {
    k->task = t;
    k->reply = reply;
    k->number = (u16)number;
    k->flags = (u8)flags;
    k->verdict = ANSWER;
    k->progress = progress;
    for (u32 i = 0; i < 6; i++)
        k->w[i] = w[i];
}

/* Runs the handler of k->number. The result is for the caller to answer as k->verdict says (complete() does
 * it for a right that was kept); a call that waits (BLOCKED) has been kept already. After GONE the task is no
 * more. */
i64 dispatch(struct call *k);
/* Runs the calls that were kept for want of a worker. May wait; the caller has nothing left to answer. */
void run_jobs(void);
bool jobs_ready(void);

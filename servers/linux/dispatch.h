/* SPDX-License-Identifier: MIT */
#pragma once

#include "call.h"

/* Runs the handler of k->number. The result is for the caller to answer as k->verdict says (complete() does
 * it for a right that was kept); a call that waits (BLOCKED) has been kept already. After GONE the task is no
 * more. */
i64 dispatch(struct call *k);
/* Runs the calls that were kept for want of a worker. May wait; the caller has nothing left to answer. */
void run_jobs(void);
bool jobs_ready(void);

/* SPDX-License-Identifier: MIT */
/* The scheduler: fixed priorities, one queue per priority, and a time slice for programs only. Handlers of
 * calls never switch: they return the thread that should go on (NULL: nobody in particular), and sched_leave
 * decides. */
#pragma once

#include "core/thread.h"

#define SLICE_MS 10

void sched_init(void);

/* Put a READY thread, that is not the running one, into its queue: at the end, or (answered) before its
 * siblings but behind one of them that was interrupted while it ran (programs: at the head). */
void sched_ready(struct thread *t);
void sched_ready_head(struct thread *t);
/* Take a READY thread, that is not the running one, off its queue. */
void sched_remove(struct thread *t);

/* Decide who runs when this entry ends, and make it the running thread: `next`, unless one of higher priority
 * is ready (then next goes to the head of its queue). NULL: idle. */
struct thread *sched_leave(struct thread *next);

/* The timer's interrupt: deadlines of endpoints and the end of the slice. */
void sched_timer(void);
/* The earliest deadline of an endpoint has changed. */
void sched_deadline_changed(u64 earliest);

/* Tell the short paths whom they may run at once (cpu.ready_level): the trace mask was set, or sched.c's own
 * state has changed. */
void sched_update(void);

/* End of the boot path: run the first thread, which has been started. */
__attribute__((noreturn)) void sched_start(struct thread *first);

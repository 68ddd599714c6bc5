/* SPDX-License-Identifier: MIT */
/* A machine for the tests of core/: an array is physical memory, and the tests are the programs: they set the
 * running thread's registers and execute SYSCALL. */
#pragma once

#include "core/cap.h"
#include "core/endpoint.h"
#include "core/sched.h"
#include "core/thread.h"
#include "core/trace.h"

#ifndef MACHINE_FRAMES
#define MACHINE_FRAMES 512
#endif
enum { MACHINE_SLOTS = CAPS_PER_FRAME };

extern u64 machine_now;   /* the TSC */
extern u64 machine_alarm; /* what timer_set was told */

/* What was traced last. */
extern struct trace_event machine_traced;

/* A fresh machine with nothing in it. */
void machine_init(void);

/* Objects, made as boot makes them. Spaces have a table of MACHINE_SLOTS slots. */
struct space *machine_space(void);
struct endpoint *machine_endpoint(void);
/* READY; with a message page; of the space. */
struct thread *machine_thread(struct space *s, u8 priority, u8 flags);
struct capability *machine_grant(struct space *s, u32 slot, enum frame_kind kind, void *object, u64 badge);

/* The running thread executes SYSCALL with the registers that it has. */
void machine_syscall(void);
/* The running thread faults there: access as the processor's error code says. */
void machine_fault(vaddr address, u64 error);
/* Look for something to run (after a change from outside). */
void machine_reschedule(void);

/* Check every list, state and right to reply; aborts with a message. threads: all that exist. */
void machine_check(struct thread *const *threads, u32 n_threads, struct endpoint *const *endpoints,
                   u32 n_endpoints);

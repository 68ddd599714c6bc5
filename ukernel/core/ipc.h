/* SPDX-License-Identifier: MIT */
/* Messages: from a thread that sends (a call, or the kernel in its name: fault, alien call, exception) to one
 * that receives. Handlers of the IPC calls take the running thread and return who should go on (see
 * sched.h). */
#pragma once

#include "core/thread.h"

/* Send the message that s->kind and its fields describe to e. s is READY and in no queue; it becomes CALLING
 * and the receiver, now READY and in no queue, is returned; or SENDING (NULL is returned); or its message
 * turned out to be needless or impossible: it stays READY and is returned itself. */
struct thread *ipc_send(struct thread *s, struct endpoint *e);

/* End whatever t waits for (SENDING, CALLING, RECEIVING): it becomes STOPPED, in no queue. A call has failed
 * with -E_CANCELED, a wait with -E_INTR; an alien call is made again, and a fault happens again, if the
 * thread is started. */
void ipc_abandon(struct thread *t);

/* The endpoint that t waits at goes away: as ipc_abandon, but a call or wait returns its error at once. */
void ipc_cancel(struct thread *t);

struct thread *ipc_call(struct thread *t);
struct thread *ipc_reply_wait(struct thread *t);
struct thread *ipc_fault_reply_wait(struct thread *t);
/* The rest of t's fault_reply_wait after a short path has entered so many items, and whoever was told of a
 * frame collected by it comes first. Nothing can be refused any more. Returns the thread to run. */
struct thread *ipc_fault_entered(struct thread *t, u32 entered);
struct thread *ipc_forward_wait(struct thread *t);

/* SPDX-License-Identifier: MIT */
/* The short way through IPC: a call, alien call or fault to a receiver that waits, and an answer after which
 * the server waits again. Everything that needs a queue, a capability, a message page, a trace event or
 * another thread's turn is left to ipc.c: these functions then return NULL and have changed nothing.
 * Otherwise they have switched; the thread to run is returned. */
#pragma once

#include "core/thread.h"

struct thread *fast_call(struct thread *t);
struct thread *fast_alien_call(struct thread *t);
/* t->fault says where; may return t itself: the entry allows the access by now. */
struct thread *fast_fault(struct thread *t);
struct thread *fast_reply_wait(struct thread *t);
struct thread *fast_fault_reply_wait(struct thread *t);

/* SPDX-License-Identifier: MIT */
/* The short way through IPC: a call or alien call to a receiver that waits, and an answer after which the
 * server waits again. Everything that needs a queue, a capability, a message page, a trace event or another
 * thread's turn is left to ipc.c: these functions then return NULL and have changed nothing. Otherwise they
 * have switched; the thread to run is returned. */
#pragma once

#include "core/thread.h"

struct thread *fast_call(struct thread *t);
struct thread *fast_alien_call(struct thread *t);
struct thread *fast_reply_wait(struct thread *t);

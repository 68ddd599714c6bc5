/* SPDX-License-Identifier: MIT */
/* Page faults as messages to the space's pager. */
#pragma once

#include "core/cap.h"
#include "core/thread.h"

/* The running thread has faulted (regs.error: the processor's error code). Then fault_send sends the message;
 * it returns who should go on. */
void fault_happened(struct thread *t, vaddr address);
struct thread *fault_send(struct thread *t);

enum pf_error { PF_WRITE = 2, PF_FETCH = 16 };

/* The short path: the fault has happened and is shown. False: do it the long way, as if nothing had
 * happened. */
bool fault_begin(struct thread *t, vaddr address);

/* The waiter of an alien call or exception faults at address as if it had gone there itself (enum access);
 * when the fault is resolved, its message is sent again with `progress`. */
void fault_as(struct thread *t, vaddr address, u8 access, u64 progress);

/* First delivery: read entry, counts and epoch. False: the entry now allows the access, and no message is
 * needed. */
bool fault_show(struct thread *t);
void fault_words(const struct thread *t, u64 w[MSG_REG_WORDS]);

/* forward_wait: set what the answer may map from FORWARD_xxx(range). Without a space slot only narrower, else
 * -E_RIGHTS. */
must_check err fault_range(struct thread *t, struct captable *table, u32 space_slot, u64 range);

/* Enter items of `account`; returns how many were entered. Then fault_resolved: the thread (in no queue,
 * CALLING or READY) tries again, or its interrupted message is sent again. Returns who can go on: it, or a
 * receiver; NULL: nobody. */
u32 fault_answer(struct thread *t, u8 account, const struct fault_item *items, u64 count);
/* The short path, for one item. Quickly: if it is a frame, as it is or zero, for the page and the entry shown
 * absent; false: nothing has happened. Any: in the first two words of `server`. */
bool fault_answer_quickly(u64 address, u64 value, struct thread *t, const struct space *answerer);
u64 fault_answer_any(struct thread *server, struct thread *t);
struct thread *fault_resolved(struct thread *t, u32 entered);

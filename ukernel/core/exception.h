/* SPDX-License-Identifier: MIT */
/* What a program's thread sends besides faults: its system calls (alien calls) to the space's system-call
 * endpoint, and its exceptions to the exception endpoint. Both are answered by a personality, and can be
 * interrupted by fault_as (fault.h). */
#pragma once

#include "core/thread.h"

/* Send a message of the kernel in t's name to the space's handler: kind, not MSG_CALL; flags: enum msg_flag.
 * t (READY, in no queue) crashes if there is no handler. Returns who should go on. */
struct thread *exception_message(struct thread *t, enum msg_kind kind, u8 flags);

/* The running thread, marked alien, has executed SYSCALL. Returns who should go on. */
struct thread *exception_alien_call(struct thread *t);

/* t (READY, in no queue) sends an exception (enum exception) before its next user instruction. Returns who
 * should go on. */
struct thread *exception_send(struct thread *t, u64 kind, u64 code, u64 address);
/* The same for what t->attention says. */
struct thread *exception_attend(struct thread *t);

void exception_words(const struct thread *t, u64 w[MSG_REG_WORDS]);

/* t waits for the answer to an alien call or exception, and here it is: READY. from: label (r12) and word 0
 * (rdi), the result of an alien call. all_regs: as regs_write left them. */
void exception_answered(struct thread *t, const struct thread_regs *from, bool all_regs);

/* Send the alien call or exception again (t->base), with its progress; flags: enum msg_flag. Returns who can
 * go on. */
struct thread *exception_again(struct thread *t, u8 flags);

/* Nobody handles what t has done: say so in the log with its registers, and stop it. In root: panic. NULL. */
struct thread *thread_crash(struct thread *t, const char *what);

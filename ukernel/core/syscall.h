/* SPDX-License-Identifier: MIT */
/* From a SYSCALL instruction to the call's handler. Handlers of plain calls (calls_object.c, calls_memory.c)
 * take the caller's argument registers, as many as they need, and return rax: >= 0, or -E_xxx with nothing
 * changed. They never switch threads, but may make others ready. */
#pragma once

#include "arch/cpu.h"
#include "core/thread.h"

/* Each handler has parameters of its own, up to six of u64. By number; NULL: the call switches threads
 * itself. */
typedef i64 plain_call();
extern plain_call *const plain_calls[SYS_COUNT];

/* The running thread has executed SYSCALL and all its registers are saved; returns the thread to run, NULL:
 * idle. */
struct thread *kernel_syscall(struct thread *t);

/* The same, timed (debug builds); the caller's rax is saved. */
i64 kernel_plain_timed(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);

/* After a plain call of t (NULL: it has destroyed itself), its registers saved: who goes on? */
struct thread *kernel_plain_done(struct thread *t);

static inline struct captable *caller_table(void) {
    return cpu.current->space->table;
}
static inline u8 caller_account(void) {
    return cpu.current->space->account;
}
/* The call's second result. */
static inline void second_result(u64 v) {
    cpu.current->regs.rdx = v;
}

/* Declares `name`, the live capability in a slot of the caller's table if it is of that kind and has all of
 * those rights; if not, the handler returns the error. */
#define CAP_OR_RETURN(name, slot, kind, rights)                                                              \
    err name##_error;                                                                                        \
    struct capability *name = cap_get(caller_table(), slot, kind, rights, &name##_error);                    \
    if (!name)                                                                                               \
    return name##_error

/* The same for an empty slot, and for the area of the caller's message page (words AREA_FIRST..). */
#define EMPTY_SLOT_OR_RETURN(name, table, slot)                                                              \
    err name##_error;                                                                                        \
    struct capability *name = cap_empty(table, slot, &name##_error);                                         \
    if (!name)                                                                                               \
    return name##_error
#define AREA_OR_RETURN(name)                                                                                 \
    u64 *name = cpu.current->message;                                                                        \
    if (!name)                                                                                               \
        return -E_FAULT;                                                                                     \
    name += AREA_FIRST

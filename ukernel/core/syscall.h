/* SPDX-License-Identifier: MIT */
/* From a SYSCALL instruction to the call's handler. Plain calls take decoded arguments and return their two
 * results; they never switch threads, but may make others ready. */
#pragma once

#include "core/cap.h"
#include "core/thread.h"
#include "mm/mm.h"
#include <abi/syscall.h>

/* Arguments of a plain call: a[0..5] = rdi rsi rdx r10 r8 r9, and who calls. */
struct call {
    struct thread *caller;
    struct captable *table; /* the caller's */
    u64 *area;              /* words AREA_FIRST.. of its message page; NULL: it has none */
    u64 a[6];
    u8 account; /* of the caller's space */
    u64 second; /* result in rdx */
};

/* A handler returns rax: >= 0, or -E_xxx with nothing changed. */
typedef i64 call_handler(struct call *c);

/* One for each of SYSCALLS but the IPC calls and yield. */
#define S(name, number) call_handler call_##name;
SYSCALLS(S)
#undef S

/* The running thread has executed SYSCALL; returns the thread to run, NULL: idle. */
struct thread *kernel_syscall(struct thread *t);

/* The live capability in a slot of the caller's table (see cap_get). */
static inline struct capability *call_cap(struct call *c, u64 slot, enum frame_kind kind, u8 rights, err *e) {
    return cap_get(c->table, slot, kind, rights, e);
}

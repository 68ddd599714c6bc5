/* SPDX-License-Identifier: MIT */
/* From a SYSCALL instruction to the call's handler. Plain calls take decoded arguments and return their two
 * results; they never switch threads, but may make others ready. */
#pragma once

#include "core/cap.h"
#include "core/thread.h"
#include "mm/mm.h"

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

#define CALL(name) i64 call_##name(struct call *c)
CALL(raise);
CALL(fault_as);
CALL(interrupt);
CALL(notify);
CALL(cap_copy);
CALL(cap_drop);
CALL(permit);
CALL(permit_end);
CALL(account_open);
CALL(account_close);
CALL(account_bind);
CALL(retype);
CALL(destroy);
CALL(regs_read);
CALL(regs_write);
CALL(start);
CALL(stop);
CALL(thread_bind);
CALL(space_bind);
CALL(feed);
CALL(unfeed);
CALL(map);
CALL(unmap);
CALL(protect);
CALL(scan);
CALL(clone);
CALL(clone_private);
CALL(copy);
CALL(give);
CALL(pin);
CALL(unpin);
CALL(frames);
CALL(frames_list);
CALL(collect);
CALL(irq);
CALL(ports);
CALL(trace_mask);
CALL(trace_name);
CALL(trace_event);
CALL(log);
CALL(audit);

/* The running thread has executed SYSCALL; returns the thread to run, NULL: idle. */
struct thread *kernel_syscall(struct thread *t);

/* The live capability in a slot of the caller's table (see cap_get). */
static inline struct capability *call_cap(struct call *c, u64 slot, enum frame_kind kind, u8 rights, err *e) {
    return cap_get(c->table, slot, kind, rights, e);
}

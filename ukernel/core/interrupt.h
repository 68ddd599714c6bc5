/* SPDX-License-Identifier: MIT */
/* Interrupts and exceptions, from the entry code to whom they concern. */
#pragma once

#include "core/thread.h"

/* From ring 3: t's registers are saved, the vector in t->regs.vector. Returns the thread to run, NULL:
 * idle. */
struct thread *kernel_interrupt(struct thread *t);
/* From ring 0: an interrupt that ends idling, or a bug. */
struct thread *kernel_trap(const struct thread_regs *r);

/* Bind a line to an endpoint's bit (ref.badge) and unmask it. -E_INVAL: no such line, or the kernel's own. */
must_check err interrupt_bind(u64 line, struct endpoint_ref ref);

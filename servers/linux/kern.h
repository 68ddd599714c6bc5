/* SPDX-License-Identifier: MIT */
/* All that this server asks of the kernel, in its own terms: programs' memory, thread objects, answers, time.
 * The rest of the server knows no other kernel call, so that tests can put a model in its place
 * (tests/unit/linux/). */
#pragma once

#include <abi/errors.h>
#include <abi/fault.h>
#include <abi/types.h>

/* Copies between this server and a program; `slot`: the right to answer one of its calls or exceptions, or
 * its space. Returns how many bytes; fewer than asked: *stopped is the program's page that was absent or not
 * allowed. */
u64 kern_copy_in(u32 slot, void *to, u64 from, u64 bytes, u64 *stopped);
u64 kern_copy_out(u32 slot, u64 to, const void *from, u64 bytes, u64 *stopped);
/* From one program to another; how many bytes, perhaps fewer. */
u64 kern_copy_between(u32 to_slot, u64 to, u32 from_slot, u64 from, u64 bytes);
err kern_fault_as(u32 reply, u64 address, u64 access, u64 progress) must_check;

/* A thread object in a program's space, made of a frame of this server, not started. -E_NOMEM. */
err kern_thread_create(u32 space, u32 tag, u32 *thread, pfn *frame) must_check;
/* Stops a thread (its call is cancelled), and gives its object's frame back. */
void kern_thread_destroy(u32 thread, pfn frame);
void kern_thread_start(u32 thread);
void kern_thread_interrupt(u32 thread);
/* A thread's registers, read into and written from a room of this worker's that holds them until its next
 * call to another server. parts: enum regs_part. The thread waits for an answer, or was not started. */
struct user_regs *kern_regs_room(void);
struct user_regs *kern_regs_read(u32 thread, u32 parts);
/* -E_INVAL: instruction pointer or FS base are beyond user memory; nothing has changed. */
err kern_regs_write(u32 thread, u32 parts) must_check;

/* A kept right to answer. The slot is free afterwards. */
void kern_answer(u32 reply, i64 result);
void kern_answer_regs(u32 reply);
void kern_forward(u32 reply, u32 to, u64 label, const u64 words[6]); /* to an endpoint's slot */

/* A capability slot, and its end together with what is in it. 0: none left. */
u32 kern_slot(void);
void kern_slot_drop(u32 slot);

/* TSC now; its ticks per millisecond, its value at boot, and the wall clock then (seconds since 1970). */
u64 kern_tsc(void);
u64 kern_tsc_per_ms(void);
u64 kern_boot_tsc(void);
u64 kern_boot_seconds(void);
u64 kern_switches(void);
/* The first program has ended, or the system is to be switched off. */
void kern_system_exit(u32 status);
/* Which of this server's threads runs: 0 .. WORKERS - 1. */
u32 kern_worker(void);
/* Empty slabs and all frames of the magazines go back. */
void kern_drain(void);
/* Random bits of the CPU, if it has them, or 0. */
u64 kern_random(void);

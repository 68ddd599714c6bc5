/* SPDX-License-Identifier: MIT */
/* Threads that make one access and tell what came of it; and programs whose messages are kept. */
#pragma once

#include "ring3.h"

#define PROGRAM_CODE 0x8000000ull
#define PROGRAM_DATA 0x10000000ull /* a block of its own */

/* Makes what the others need; once, before them. */
void probe_begin(void);
void probe_finish(void); /* no more probes and programs after this */

/* A space of no account with n page tables, and one with the code that programs run. */
u32 space_with(u32 tables);
err feed_more(u32 space, u32 n);
err destroy_whole(u32 slot); /* destroy until it is done */

/* A thread that probes `space`, which may be this program's own. */
struct probe {
    u32 thread, space;
    u64 code;
};
struct probe probe_make(u32 space);
void probe_end(struct probe *p);
enum probed { PROBED_OK, PROBED_FAULT, PROBED_ERROR };
enum probed probe_load(const struct probe *p, vaddr at, u64 *value);
enum probed probe_store(const struct probe *p, vaddr at, u64 value);

/* A program in `space`: executes one of these until it is ended. */
enum program { PROGRAM_STORE, PROGRAM_LOAD, PROGRAM_ALIEN, PROGRAM_TRAP, PROGRAM_CALL };
void program_code(u32 space); /* maps the page that all run */
struct user_regs program_regs(enum program what, vaddr at);
u32 program_start(u32 space, enum program what, vaddr at); /* its thread; CALL: `at` is a slot of its table */
extern u32 pager, alien_calls, exceptions;                 /* where their messages come */

/* The next message of an endpoint into a fresh slot, waiting for it if need be. r14 etc. as of a wait. */
struct message {
    struct ipc_io io;
    u32 right;
    err e; /* 0, or what the wait returned */
};
struct message next_message(u32 endpoint);
/* Answer a fault with items and don't wait; how many were entered, or the error. */
i64 fault_items(u32 right, const struct fault_item *items, u32 n);
/* Everybody else runs until they wait. */
void settle(void);

/* What the instruction at an address of a program's code does, for the host, that has no processor for it;
 * and where the next one is. */
enum program_does { DOES_STORE, DOES_LOAD, DOES_ALIEN, DOES_SYSCALL, DOES_CALL, DOES_TEST, DOES_TRAP };
enum program_does program_next(u64 rip);
u64 program_syscall_at(void), program_after_syscall(void), program_after_call(void), program_after_trap(void),
    program_call_begin(void);

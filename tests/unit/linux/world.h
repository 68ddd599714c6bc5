/* SPDX-License-Identifier: MIT */
/* A model of what is below linux: the kernel's side of kern.h, and region, cache, console, frame and slab as
 * far as they are asked. Programs are scripted: a test makes a task call, and sees the answer. Memory of a
 * program is WORLD_PAGES pages from WORLD_BASE on, absent until written or faulted in; what lies outside does
 * not exist. */
#pragma once

#include "kern.h"
#include "state.h"

#define WORLD_BASE  0x100000ull
#define WORLD_PAGES 64
#define WORLD_END   (WORLD_BASE + WORLD_PAGES * PAGE_BYTES)

/* What came of a call. */
enum outcome { OUT_ANSWER, OUT_WAITS, OUT_FORWARDED, OUT_GONE };

/* Starts the server with a first process of one task (no file is executed); returns it. Everything is as
 * after boot. */
struct task *world_begin(void);
/* The server is idle: everything it holds but the first process has gone. Aborts the test if not. */
void world_check_idle(void);
/* Sizes of what is in use: slots, threads, memory descriptors. */
u32 world_slots(void);
u32 world_threads(void);
u32 world_memories(void);
/* How often the system was told to end. */
extern u32 world_exits;

/* A call of a task that runs. *result is valid with OUT_ANSWER. Faults on the way are served like the real
 * ones. */
enum outcome world_call(u32 tid, u64 number, const u64 w[6], i64 *result);
#define CALL(tid, number, result, ...) world_call(tid, number, (u64[6]){__VA_ARGS__}, result)
/* Has a call that waited been answered (or forwarded) since? */
enum outcome world_outcome(u32 tid, i64 *result);
/* A right to answer a call of the task, for a part that is tested by itself. */
u32 world_reply(u32 tid);
/* Sends the exception that interrupt() or a new thread asks for, until the task is in its program again.
 * False: it ended or stopped. */
bool world_settle(u32 tid);
/* The program's registers: what the next instruction would see. */
struct user_regs *world_regs(u32 tid);
bool world_interrupted(u32 tid);

/* The program's memory, as the program sees it. */
void world_write(u32 tid, u64 address, const void *from, u64 bytes);
void world_read(u32 tid, u64 address, void *to, u64 bytes);
/* Takes all pages of a program away (as if never touched); what was in them comes back with a fault. */
void world_absent(u32 tid);

/* Time goes on; timers expire. */
void world_time(u64 ms);
/* What the programs have written to standard output; what they may read. */
extern char world_output[];
extern u64 world_output_bytes;
void world_type(const char *text, u64 signals);

/* SPDX-License-Identifier: MIT */
/* Tests of the kernel from ring 3: this program is booted as the module `root`, alone. Each test says `ok
 * NAME` or `FAIL NAME line N`; the run ends with `quire: exit N`. */
#pragma once

#include <abi/info.h>
#include <abi/layout.h>
#ifdef HOST_TEST
#undef __x86_64__ /* no SYSCALL: sys6 and ipc_raw are the host's */
struct pair sys6(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
#endif
#include <ipc/sys.h>

/* A test is a function; CHECK leaves it at the first failure. */
typedef int test_function(void); /* 0, or the line that failed */
#define CHECK(x)                                                                                             \
    do {                                                                                                     \
        if (!(x))                                                                                            \
            return __LINE__;                                                                                 \
    } while (0)
#define RUN(name) run(#name, name)
void run(const char *name, test_function *test);

void say(const char *text);
void say_number(u64 n);

/* Before anything else: a larger capability table. Later: more frames, when root's own are few. */
void table_grow(void);
void frames_more(void);

/* A frame of root's account that nothing uses. */
pfn frame_get(void);
/* A fresh slot; an endpoint; a program's space with 16 page tables. */
u32 slot_get(void);
u32 endpoint_make(void);
u32 space_make(void);
err feed(u32 space, u32 n); /* n fresh frames; how many */
must_check err map_page(u32 space, vaddr at, pfn frame, u64 rights);
/* Where this program sees a frame of its own (mapped on demand, writable). */
void *window(pfn frame);

/* A thread of this program: message page and stack of its own. */
struct worker {
    u32 slot;  /* of its thread */
    u32 index; /* also its tag */
};
#define PRIO_HIGH (PRIO_ROOT - 1)
#define PRIO_LOW  PRIO_PROGRAM
/* Make (but do not start) a thread that runs entry(argument). This program's first thread has PRIO_ROOT:
 * workers run when it waits. */
struct worker worker_make(void (*entry)(u64), u64 argument, u64 priority);
/* The message page of worker `index`; 0: this program's first thread. */
u64 *message_of(u32 index);
#define AREA (message_of(0) + AREA_FIRST)

/* Time, in ticks of the TSC. work_until uses the processor until then; the timer may interrupt it. */
#ifdef HOST_TEST
u64 now(void);
#else
static inline u64 now(void) {
    u32 lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (u64)hi << 32 | lo;
}
#endif
u64 ms(u64 n);
void work_until(u64 when);

/* IPC by hand. */
struct ipc_io call_of(u32 endpoint, u64 label, u64 w0, u64 w1);
struct ipc_io wait_on(u32 endpoint, u32 reply_slot);
struct ipc_io answer_wait(u32 reply, u64 label, u64 w0, u32 endpoint, u32 next);
err answer(u32 reply, u64 label, u64 w0); /* without waiting */
/* A wait with a deadline (0: none) and WAIT_xxx; reply_slot 0: takes bits only. Of it: did the deadline's bit
 * come, and nothing else? Is there neither bit nor message (asked without a deadline)? */
struct ipc_io wait_until(u32 endpoint, u32 reply_slot, u64 deadline, u64 flags);
bool is_due(struct ipc_io io);
bool is_empty(u32 endpoint);
/* Wait on an endpoint that nobody else knows, so that others can run. */
void sleep_ms(u64 n);

void test_ipc(void);
void test_notify(void);
void test_deadline(void);
void test_priority(void);
void test_fault(void);
void test_alien(void);
void test_object(void);
void test_names(void);
void test_ranges(void);
void test_tlb(void);
void test_short(void);
void test_limits(void);
void test_stale(void);
void test_checked(void);
void test_conversation(void);
void test_alone(void);
void measure(void);
void talk(void);

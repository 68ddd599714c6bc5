/* SPDX-License-Identifier: MIT */
/* Tests of the kernel from ring 3: this program is booted as the module `root`, alone. Each test says `ok NAME` or
 * `FAIL NAME line N`; the run ends with `quire: exit N`. */
#pragma once

#include <abi/info.h>
#include <abi/layout.h>
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

/* Frames of root's own account that nothing uses; frames come back with frame_put. */
pfn frame_get(void);

/* A thread of this program: message page and stack of its own. Index 1 .. 15. */
struct worker {
    u32 slot; /* of its thread */
    u32 index;
};
#define PRIO_HERE (PRIO_ROOT - 1)
/* Make (but do not start) a thread that runs entry(argument) at that priority. */
struct worker worker_make(void (*entry)(u64), u64 argument, u64 priority);
/* A worker's last act: it never runs again. */
void worker_end(void);
/* The message page of worker `index`; 0: this program's first thread. */
u64 *message_of(u32 index);
#define AREA (message_of(0) + AREA_FIRST)

/* A fresh slot, endpoint, space (fed with some tables, in account 1 if own). */
u32 slot_get(void);
u32 endpoint_make(void);
u32 space_make(void);
err map_page(u32 space, vaddr at, pfn frame, u64 rights);
/* Where a frame may be seen by this program. */
void *window(pfn frame);

/* IPC by hand. */
struct ipc_io call_of(u32 endpoint, u64 label, u64 w0, u64 w1);
struct ipc_io wait_on(u32 endpoint, u32 reply_slot);
struct ipc_io answer_wait(u32 reply, u64 label, u64 w0, u32 endpoint, u32 next);
err answer(u32 reply, u64 label, u64 w0);

void test_ipc(void);
void test_fault(void);
void test_alien(void);
void test_notify(void);
void test_object(void);
void measure(void);

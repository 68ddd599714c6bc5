/* SPDX-License-Identifier: MIT */
/* Whose time calls in slices take: programs must get on meanwhile, and no time is to be wasted while none of
 * them wants it.
 *
 *   - After each slice region waits, for SLICE_GAP_US at most: then a deadline brings the next one. So
 * programs have a share of the time however long the work is, and wait for one slice at a time.
 *   - A thread of region's with a program's priority, the pump, calls region whenever it gets its turn, and
 *     yields after that: each call is worth one slice, so that gaps are short while no program wants to run.
 *     While there is no work, its call waits for the answer. */
#include <abi/info.h>
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/space.h>

#include "shell.h"

#define PUMP_THREAD  1
#define SLICE_GAP_US 50

static void pump(void *argument) {
    (void)argument;
    for (;;) {
        err e = ipc_call_words(SLOT_ENDPOINT, LABEL_PUMP, NULL, 0, NULL, 0);
        ASSERT(e == 0);
        (void)!sys_yield();
    }
}

u64 slice_deadline(void) {
    if (TAILQ_EMPTY(&shell.works))
        return 0;
    return __builtin_ia32_rdtsc() + ((const struct info_page *)INFO_PAGE)->tsc_per_ms * SLICE_GAP_US / 1000;
}

void pump_wake(void) {
    u32 reply = shell.pump;
    if (!reply)
        return;
    shell.pump = 0;
    err e = ipc_answer(reply, 0, NULL, 0, 0);
    ASSERT(e == 0);
    slot_free(reply);
}

void pump_start(void) {
    u32 own = server_priority;
    server_priority = PRIO_PROGRAM;
    err e = thread_spawn(PUMP_THREAD, pump, NULL, "region.pump");
    ASSERT(e == 0);
    server_priority = own;
}

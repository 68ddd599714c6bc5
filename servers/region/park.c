/* SPDX-License-Identifier: MIT */
/* Faults that wait: for frames, or for the end of a call on their descriptor. Their threads stay in the
 * fault; when they are answered without items they fault again. */
#include <abi/info.h>
#include <abi/layout.h>
#include <ipc/frame.h>
#include <ipc/log.h>

#include "shell.h"

#define OOM_WAIT_MS 500 /* so long frames may take to come back before a program is ended */

static u64 in_ms(u64 ms) {
    return __builtin_ia32_rdtsc() + ms * ((const struct info_page *)INFO_PAGE)->tsc_per_ms;
}

static void resume(u32 reply) {
    (void)!ipc_answer_fault(reply, NULL, 0);
    slot_free(reply);
}

void park(struct parked p) {
    if (shell.parked_count == PARKED_MAX) {
        resume(p.reply);
        return;
    }
    shell.parked[shell.parked_count++] = p;
    if (p.memory && !shell.oom_deadline)
        shell.oom_deadline = in_ms(OOM_WAIT_MS);
}

static void take_out(u32 i) {
    shell.parked[i] = shell.parked[--shell.parked_count];
}

void unpark_memory(void) {
    shell.oom_deadline = 0;
    for (u32 i = shell.parked_count; i-- > 0;)
        if (shell.parked[i].memory) {
            u32 reply = shell.parked[i].reply;
            take_out(i);
            resume(reply);
        }
}

void unpark_space(u32 id) {
    for (u32 i = shell.parked_count; i-- > 0;)
        if (!shell.parked[i].memory && shell.parked[i].id == id) {
            u32 reply = shell.parked[i].reply;
            take_out(i);
            resume(reply);
        }
}

/* The parked fault whose program is the largest; PARKED_MAX if none waits for frames. */
static u32 largest(void) {
    u64 most = 0;
    u32 victim = PARKED_MAX;
    for (u32 i = 0; i < shell.parked_count; i++) {
        const struct space *s = space_of(shell.parked[i].id);
        if (shell.parked[i].memory && s && s->mm->total_vm >= most) {
            most = s->mm->total_vm;
            victim = i;
        }
    }
    return victim;
}

void out_of_memory(void) {
    pfn frame = alloc_page(GFP_HIGHUSER);
    u32 victim = largest();

    if (frame) {
        __free_page(frame);
        unpark_memory();
        return;
    }
    shell.oom_deadline = shell.parked_count ? in_ms(OOM_WAIT_MS) : 0;
    if (victim == PARKED_MAX)
        return;
    struct parked p = shell.parked[victim];
    take_out(victim);
    log_line("out of memory: descriptor %u %s", p.id, p.call ? "has a call fail" : "is ended");
    if (sys_raise(p.reply, RAISE_CODE(SIGKILL, 0), 0) < 0)
        resume(p.reply);
    else
        slot_free(p.reply);
}

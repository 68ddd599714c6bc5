/* SPDX-License-Identifier: MIT */
/* Faults that wait: for frames, or for the end of a call on their descriptor. Their threads stay in the
 * fault; when they are answered without items they fault again. */
#include <abi/info.h>
#include <abi/layout.h>
#include <ipc/frame.h>
#include <ipc/log.h>

#include "shell.h"

#define OOM_WAIT_MS   500 /* so long frames may take to come back before a program is ended */
#define OOM_AGAIN_MS  50  /* and where one was ended lately, before the next is */
#define OOM_LATELY_MS 1000
#define OOM_SPARE_MS                                                                                         \
    5000 /* so long the oldest program is spared, which may be the first: the system ends with it */

static u64 ticks(u64 ms) {
    return ms * ((const struct info_page *)INFO_PAGE)->tsc_per_ms;
}

static u64 next_deadline(void) {
    u64 now = __builtin_ia32_rdtsc();
    bool lately = shell.oom_ended && now - shell.oom_ended < ticks(OOM_LATELY_MS);
    return now + ticks(lately ? OOM_AGAIN_MS : OOM_WAIT_MS);
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
    if (p.memory && !shell.oom_deadline) {
        shell.oom_since = __builtin_ia32_rdtsc();
        shell.oom_deadline = next_deadline();
    }
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

static const struct mm_struct *waits_for_memory(u32 i) {
    const struct space *s = shell.parked[i].memory ? space_of(shell.parked[i].id) : NULL;
    return s ? s->mm : NULL;
}

static const struct mm_struct *oldest_program(void) {
    const struct mm_struct *oldest = NULL;
    for (u32 id = 1; id < SPACES_MAX; id++) {
        const struct space *s = shell.space[id];
        if (s && (!oldest || s->mm->fault_key < oldest->fault_key))
            oldest = s->mm;
    }
    return oldest;
}

/* The parked fault whose program is to go: of the largest, or if it is alone of the oldest. PARKED_MAX: of
 * none. */
static u32 choose_victim(u64 now) {
    const struct mm_struct *oldest = oldest_program();
    bool spared = now - MAX(shell.oom_since, shell.oom_ended) < ticks(OOM_SPARE_MS);
    u64 most = 0;
    u32 victim = PARKED_MAX;
    for (u32 i = 0; i < shell.parked_count; i++) {
        const struct mm_struct *mm = waits_for_memory(i);
        if (!mm || (mm == oldest && spared))
            continue;
        u64 pages = mm == oldest ? 0 : mm->total_vm;
        if (pages >= most) {
            most = pages;
            victim = i;
        }
    }
    return victim;
}

void out_of_memory(void) {
    u64 now = __builtin_ia32_rdtsc();
    pfn frame = frame_for_page();
    u32 victim = choose_victim(now);

    if (frame) {
        __free_page(frame);
        unpark_memory();
        return;
    }
    if (victim != PARKED_MAX)
        shell.oom_ended = now;
    shell.oom_deadline = shell.parked_count ? next_deadline() : 0;
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

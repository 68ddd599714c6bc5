/* SPDX-License-Identifier: MIT */
#include "core/sched.h"
#include "arch/log.h"
#include "arch/switch.h"
#include "core/exception.h"
#include "core/trace.h"

static struct link queues[PRIO_COUNT];
static u32 ready_mask; /* bit p: threads of priority p are ready (the running one not counted) */
/* The server thread of each level that was interrupted while it ran; it is at the head. Threads of a server
 * take no locks against each other, so nobody of its level may run before it has gone on and waits. */
static struct thread *preempted[PRIO_COUNT];
/* Programs that share a level take turns. The slice is timed only while there is somebody to take it: 0
 * otherwise. */
static u64 slice_end;
static bool slice_over;
static u64 next_deadline; /* of endpoints; 0: none */

void sched_update(void) {
    const u64 written = 1ull << TRACE_IPC_CALL | 1ull << TRACE_IPC_RECV | 1ull << TRACE_IPC_REPLY |
                        1ull << TRACE_FORWARD | 1ull << TRACE_SWITCH | 1ull << TRACE_PAGE_FAULT |
                        1ull << TRACE_RESUME;
    u32 top = ready_mask ? 31 - (u32)__builtin_clz(ready_mask) : 0;
    bool waits_for_turn = top == PRIO_PROGRAM ? !slice_end : preempted[top] != NULL;
    cpu.ready_level = (u8)(trace_mask & written ? 255 : top && !waits_for_turn ? top - 1 : top);
}

static void set_ready(u32 mask) {
    ready_mask = mask;
    slice_over &= mask >> PRIO_PROGRAM & 1; /* else nobody is there to take the turn */
    sched_update();
}

void sched_init(void) {
    for (u32 p = 0; p < PRIO_COUNT; p++)
        link_init(&queues[p]);
}

void sched_ready(struct thread *t) {
    link_push_tail(&queues[t->priority], &t->link);
    set_ready(ready_mask | 1u << t->priority);
}

void sched_ready_head(struct thread *t) {
    struct thread *first = preempted[t->priority];
    link_push_head(first ? &first->link : &queues[t->priority], &t->link);
    set_ready(ready_mask | 1u << t->priority);
}

void sched_remove(struct thread *t) {
    link_unlink(&t->link);
    if (preempted[t->priority] == t)
        preempted[t->priority] = NULL;
    set_ready(link_empty(&queues[t->priority]) ? ready_mask & ~(1u << t->priority) : ready_mask);
}

static struct thread *pop(void) {
    if (ready_mask == 0)
        return NULL;
    struct link *first = queues[31 - __builtin_clz(ready_mask)].next;
    struct thread *t = container_of(first, struct thread, link);
    sched_remove(t);
    return t;
}

static void set_timer(void) {
    u64 at = next_deadline;
    if (slice_end && (at == 0 || slice_end < at))
        at = slice_end;
    timer_set(at);
}

void sched_deadline_changed(u64 earliest) {
    next_deadline = earliest;
    set_timer();
}

/* Somebody of next's level or a higher one is ready too. */
static struct thread *compete(struct thread *next) {
    bool server = next->priority != PRIO_PROGRAM;
    if (ready_mask >> (next->priority + 1) || (server && preempted[next->priority])) {
        sched_ready_head(next);
        if (server && next == cpu.current)
            preempted[next->priority] = next;
        return pop();
    }
    if (server)
        return next;
    if (slice_over) {
        slice_over = false;
        sched_ready(next);
        next = pop();
    }
    if (slice_end == 0) {
        slice_end = rdtsc() + SLICE_MS * tsc_per_ms;
        set_timer();
        sched_update();
    }
    return next;
}

void sched_timer(void) {
    u64 now = rdtsc();
    if (slice_end && now >= slice_end) {
        slice_end = 0;
        slice_over = true;
    }
    next_deadline = endpoint_expire(now);
    set_timer();
    set_ready(ready_mask);
}

static struct thread *choose(struct thread *next) {
    if (!next)
        next = pop();
    if (__builtin_expect(next && ready_mask >> next->priority != 0, 0))
        return compete(next);
    return next;
}

struct thread *sched_leave(struct thread *next) {
    next = choose(next);
    while (__builtin_expect(next && next->attention, 0))
        next = choose(exception_attend(next));
    if (next == cpu.current)
        return next;
    if (!next) {
        cpu.current = NULL;
        return NULL;
    }
    trace(TRACE_SWITCH, (u32)virt_to_frame(next), virt_to_frame(next) | space_frame(next->space) << 32);
    arch_switch(next);
    return next;
}

void sched_start(struct thread *first) {
    ASSERT(first->state == THREAD_READY);
    enter_thread(sched_leave(NULL));
}

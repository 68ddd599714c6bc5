/* SPDX-License-Identifier: MIT */
/* What programs ask about the system, and limits. */
#include <string.h>

#include <abi/layout.h>
#include <proto/frame.def>
#include <proto/region.def>

#include "clock.h"
#include "kern.h"
#include "proc_text.h"
#include "state.h"
#include "sys.h"

i64 linux_uname(struct call *k) {
    struct {
        char field[6][65];
    } name = {{"Linux", "quire", LINUX_RELEASE, "#1 Quire", "x86_64", "(none)"}};
    return copy_out(k, k->w[0], &name, sizeof name);
}

i64 linux_sysinfo(struct call *k) {
    struct {
        i64 uptime;
        u64 loads[3], total, free, shared, buffers, swap, swap_free;
        u16 procs, pad;
        u32 pad2;
        u64 high, high_free;
        u32 unit;
        char fill[4];
    } s = {.uptime = clock_monotonic().sec, .procs = (u16)state.tasks.count, .unit = 1};
    _Static_assert(sizeof s == 112, "struct sysinfo");
    struct frame_memory_rep m = {0};
    err e = frame_memory(SERVICE(SRV_FRAME), &(struct frame_memory_req){0}, &m);
    if (e < 0)
        return e;
    s.total = m.total * PAGE_BYTES;
    s.free = m.free * PAGE_BYTES;
    return copy_out(k, k->w[0], &s, sizeof s);
}

i64 linux_getrandom(struct call *k) {
    u64 words[32];
    if (k->w[2] & ~7ull)
        return -E_INVAL;
    u64 bytes = MIN(k->w[1], sizeof words); /* a short count is allowed above 256 bytes */
    for (u32 i = 0; i < ARRAY_LEN(words); i++)
        words[i] = random_next();
    i64 e = copy_out(k, k->w[0], words, bytes);
    return e ? e : (i64)bytes;
}

i64 linux_times(struct call *k) {
    const u64 zeroes[4] = {0};
    struct timespec64 up = clock_monotonic();
    i64 e = k->w[0] ? copy_out(k, k->w[0], zeroes, sizeof zeroes) : 0;
    return e ? e : up.sec * 100 + up.nsec / 10000000;
}

i64 linux_sched_yield(struct call *k) {
    (void)k;
    return 0;
}

i64 linux_sched_getaffinity(struct call *k) {
    u64 mask = 1;
    if (k->w[1] < sizeof mask)
        return -E_INVAL;
    i64 e = copy_out(k, k->w[2], &mask, sizeof mask);
    return e ? e : (i64)sizeof mask;
}

static i64 set_limit(struct process *p, u64 resource, const struct rlimit64 *next) {
    if (next->now > next->max)
        return -E_INVAL;
    if (resource == RLIMIT_NOFILE && next->max > FILES_MAX)
        return -E_PERM;
    bool memory = resource == RLIMIT_DATA || resource == RLIMIT_STACK || resource == RLIMIT_AS;
    if (memory && p->mm) { /* process 1 has none */
        struct region_limit_rep rep;
        err e = region_limit(SERVICE(SRV_REGION),
                             &(struct region_limit_req){p->mm->number, resource, next->now}, &rep);
        if (e < 0)
            return e;
    }
    p->rlimit[resource] = *next;
    return 0;
}

static i64 limit(struct call *k, u64 pid, u64 resource, u64 next_at, u64 old_at) {
    struct process *p = pid ? process_find(&state.tasks, (u32)pid) : k->task->process;
    struct rlimit64 next;
    if (!p || p->state != PROCESS_ALIVE)
        return -E_SRCH;
    if (resource >= RLIMITS)
        return -E_INVAL;
    struct rlimit64 old = p->rlimit[resource];
    i64 e = next_at ? copy_in(k, &next, next_at, sizeof next) : 0;
    if (!e && old_at)
        e = copy_out(k, old_at, &old, sizeof old);
    return e || !next_at ? e : set_limit(p, resource, &next);
}

i64 linux_prlimit64(struct call *k) {
    return limit(k, k->w[0], (u32)k->w[1], k->w[2], k->w[3]);
}
i64 linux_getrlimit(struct call *k) {
    return limit(k, 0, (u32)k->w[0], 0, k->w[1]);
}
i64 linux_setrlimit(struct call *k) {
    return limit(k, 0, (u32)k->w[0], k->w[1], 0);
}

enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER, NICE_LEAST = -20, NICE_MOST = 19 };

static bool priority_means(const struct process *p, const struct process *caller, u32 which, u32 who) {
    if (p->state == PROCESS_ZOMBIE)
        return false;
    if (which == PRIO_USER)
        return who == 0; /* root, who all are */
    return which == PRIO_PROCESS ? p->pid == (who ? who : caller->pid)
                                 : p->pgid == (who ? who : caller->pgid);
}

i64 linux_getpriority(struct call *k) {
    const struct process *p;
    i64 best = -E_SRCH;
    if ((u32)k->w[0] > PRIO_USER)
        return -E_INVAL;
    TAILQ_FOREACH(p, &state.tasks.processes, all) {
        if (priority_means(p, k->task->process, (u32)k->w[0], (u32)k->w[1]))
            best = MAX(best, (i64)(20 - p->nice));
    }
    return best;
}

i64 linux_setpriority(struct call *k) {
    struct process *p;
    i64 result = -E_SRCH;
    i32 nice = (i32)k->w[2];
    if ((u32)k->w[0] > PRIO_USER)
        return -E_INVAL;
    nice = nice < NICE_LEAST ? NICE_LEAST : MIN(nice, (i32)NICE_MOST);
    TAILQ_FOREACH(p, &state.tasks.processes, all) {
        if (!priority_means(p, k->task->process, (u32)k->w[0], (u32)k->w[1]))
            continue;
        p->nice = (i8)nice;
        result = 0;
    }
    return result;
}

i64 linux_reboot(struct call *k) {
    enum { RESTART = 0x1234567, HALT = (int)0xcdef0123, POWER_OFF = 0x4321fedc };
    u32 what = (u32)k->w[2];
    if ((u32)k->w[0] != 0xfee1dead)
        return -E_INVAL;
    if (what == RESTART || what == (u32)HALT || what == POWER_OFF)
        kern_system_exit(0);
    return 0;
}

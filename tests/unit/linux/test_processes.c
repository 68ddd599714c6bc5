/* SPDX-License-Identifier: MIT */
/* Process 1, and many processes at random. */
#include <criterion/criterion.h>
#include <string.h>
#include "model/seed.h"
#include "calls.h"

/* Process 1 buries orphans by itself, those that have ended already and those that do later. */
Test(processes, orphans_leave_nothing) {
    u32 me = world_begin()->tid, parent = forked(me), ended = forked(parent), later = forked(parent);
    exits(ended, 1);
    cr_assert_eq(process_find(&state.tasks, ended)->state, PROCESS_ZOMBIE);
    exits(parent, 2);
    cr_assert_eq(process_find(&state.tasks, ended), NULL);
    cr_assert_eq(answer(later, GETPPID, 0, 0, 0, 0), 1);
    exits(later, 3);
    cr_assert_eq(process_find(&state.tasks, later), NULL);
    cr_assert_eq(answer(me, WAIT4, ~0ull, 0, 0, 0), parent);
    cr_assert_eq(answer(me, WAIT4, ~0ull, 0, 0, 0), -E_CHILD);
    world_check_idle();
}

Test(processes, process_1_obeys_what_ends_the_run) {
    static const u32 ends[] = {SIGUSR1, SIGUSR2, SIGTERM};
    u32 me = world_begin()->tid, expected = 0;
    for (u32 signal = 0; signal <= SIGNALS; signal++) {
        world_exits = 0;
        cr_assert_eq(answer(me, KILL, 1, signal, 0, 0), 0);
        cr_assert_eq(process_find(&state.tasks, 1)->state, PROCESS_ALIVE, "signal %u", signal);
        bool obeyed = expected < ARRAY_LEN(ends) && signal == ends[expected];
        cr_assert_eq(world_exits, obeyed, "signal %u", signal);
        expected += obeyed;
    }
    cr_assert_eq(expected, ARRAY_LEN(ends));
    cr_assert_eq(answer(me, KILL, ~0ull, SIGTERM, 0, 0), -E_SRCH,
                 "neither process 1 nor the caller is meant");
    world_check_idle();
}

/* Many processes at random: nothing may be lost or left over. */

enum { MOST = 24 };

static u32 running[MOST];
static u32 count;

static void forget_ended(void) {
    for (u32 i = 0; i < count;) {
        if (task_find(&state.tasks, running[i]))
            i++;
        else
            running[i] = running[--count];
    }
}

static void random_call(u32 me, u64 *seed) {
    static const u64 fds[] = {0, 1, 3, 4, 5, 6, 7};
    u64 fd = fds[seed_next(seed, ARRAY_LEN(fds))], bytes = seed_next(seed, 9000), r4 = seed_next(seed, 4);
    u64 at = seed_next(seed, 10)  ? BUFFER + seed_next(seed, 9000)
             : seed_next(seed, 2) ? WORLD_END - 50
                                  : 0x10;
    static const u64 signals[] = {SIGUSR, SIGTERM, SIGCHLD, SIGSTOP, SIGCONT, SIGKILL, SIGPIPE};
    i64 r;
    switch (seed_next(seed, 12)) {
    case 0:
        if (count < MOST && world_call(me, r4 ? FORK : VFORK, (u64[6]){0}, &r) != OUT_GONE) {
            struct process *p = task_find(&state.tasks, me)->process,
                           *child = TAILQ_LAST(&p->children, process_list);
            if (child && child->state == PROCESS_ALIVE && child->start_tsc == kern_tsc())
                running[count++] = child->pid;
        }
        break;
    case 1:
        world_call(me, EXIT_GROUP, (u64[6]){r4}, &r);
        break;
    case 2:
        world_call(me, WAIT4, (u64[6]){~0ull, BUFFER, r4 ? WNOHANG : WUNTRACED}, &r);
        break;
    case 3:
        world_call(me, PIPE, (u64[6]){at}, &r);
        break;
    case 4:
    case 5:
        world_call(me, WRITE, (u64[6]){fd ? fd : 1, at, bytes}, &r);
        break;
    case 6:
        world_call(me, READ, (u64[6]){fd < 2 ? 3 : fd, at, bytes}, &r);
        break;
    case 7:
        world_call(me, CLOSE, (u64[6]){fd < 3 ? 3 : fd}, &r);
        break;
    case 8:
        world_call(me, DUP2, (u64[6]){fd, 3 + r4}, &r);
        break;
    case 9:
        world_call(me, KILL,
                   (u64[6]){running[seed_next(seed, count)], signals[seed_next(seed, ARRAY_LEN(signals))]},
                   &r);
        break;
    case 10:
        world_absent(me);
        break;
    default: {
        struct linux_sigaction a = {.handler = r4 == 0   ? SIG_IGN
                                               : r4 == 1 ? SIG_DFL
                                                         : 0x5000,
                                    .flags = r4 == 3 ? SA_RESTART : 0};
        world_write(me, OTHER, &a, sizeof a);
        world_call(me, SIGACTION, (u64[6]){signals[seed_next(seed, ARRAY_LEN(signals))], OTHER, 0, 8}, &r);
    }
    }
}

static void bury_all(u32 me) {
    i64 r;
    for (u32 pid = 2; pid < PID_LIMIT; pid++)
        if (pid != me && task_find(&state.tasks, pid))
            answer(me, KILL, pid, SIGKILL, 0, 0);
    while (world_call(me, WAIT4, (u64[6]){~0ull}, &r) == OUT_ANSWER && r > 0)
        ;
    cr_assert_eq(r, -E_CHILD);
    for (u64 fd = 3; fd < 100; fd++)
        world_call(me, CLOSE, (u64[6]){fd}, &r);
}

Test(processes, random_processes_leave_nothing) {
    u64 seed = seed_begin(9);
    u32 me = world_begin()->tid;
    for (u32 round = 0; round < 60; round++) {
        u32 first = forked(me);
        running[0] = first;
        count = 1;
        for (u32 step = 0; step < 300 && count; step++) {
            u32 tid = running[seed_next(&seed, count)];
            world_time(1);
            struct task *t = task_find(&state.tasks, tid);
            if (t && !t->call.reply && !t->stopped_reply) {
                world_regs(tid)->rsp = STACK;
                if (world_settle(tid) && !task_find(&state.tasks, tid)->call.reply)
                    random_call(tid, &seed);
            }
            forget_ended();
        }
        bury_all(me);
        world_check_idle();
        world_output_bytes = 0;
    }
}

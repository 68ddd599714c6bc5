/* SPDX-License-Identifier: MIT */
/* The process tree in random sequences of fork, exit, wait, setpgid and setsid, against invariants after each
 * step. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include <abi/errors.h>
#include "model/seed.h"
#include "task.h"

static struct tasks tasks;
static u32 alive, zombies;

static struct process *fork_of(struct process *parent) {
    u32 pid = pid_alloc(&tasks);
    cr_assert(pid && !process_find(&tasks, pid));
    struct process *p = calloc(1, sizeof *p);
    struct task *t = calloc(1, sizeof *t);
    *p = (struct process){.pid = pid, .pgid = parent->pgid, .sid = parent->sid};
    t->tid = pid;
    process_enter(&tasks, p, parent);
    task_enter(&tasks, t, p);
    alive++;
    return p;
}

/* Process 1, and one that leads a session. */
static struct process *begin(void) {
    static struct process init;
    tasks_init(&tasks);
    init = (struct process){.pid = pid_alloc(&tasks)};
    init_enter(&tasks, &init);
    struct process *p = fork_of(&init);
    cr_assert(process_setsid(&tasks, p) == 2 && p->parent->pid == 1);
    return p;
}

static void end(struct process *p) {
    struct task *t = TAILQ_FIRST(&p->tasks);
    task_leave(&tasks, t);
    free(t);
    process_orphan(&tasks, p);
    p->state = PROCESS_ZOMBIE;
    p->status = STATUS_EXIT(p->pid);
    alive--;
    zombies++;
}

static void reap(struct process *p) {
    process_leave(&tasks, p);
    free(p);
    zombies--;
}

static void check_tree(void) {
    struct process *p, *c;
    u32 seen = 0, dead = 0;
    TAILQ_FOREACH(p, &tasks.processes, all) {
        cr_assert_eq(process_find(&tasks, p->pid), p);
        seen += p->state == PROCESS_ALIVE;
        dead += p->state == PROCESS_ZOMBIE;
        cr_assert_eq(p->task_count, p->state == PROCESS_ALIVE && p != tasks.init);
        cr_assert_eq(!p->parent, p == tasks.init);
        cr_assert(p->state == PROCESS_ALIVE || TAILQ_EMPTY(&p->children), "a zombie has no children");
        TAILQ_FOREACH(c, &p->children, sibling)
        cr_assert_eq(c->parent, p);
    }
    cr_assert(seen == alive + 1 && dead == zombies && tasks.count == alive);
}

static struct process *random_process(u64 *seed) {
    struct process *p;
    u64 n = seed_next(seed, 1 + alive + zombies);
    TAILQ_FOREACH(p, &tasks.processes, all) {
        if (!n--)
            return p;
    }
    return NULL;
}

static void wait_for_any(struct process *p) {
    struct process *child = NULL;
    u32 status, have = 0, ended = 0;
    TAILQ_FOREACH(child, &p->children, sibling) {
        have++;
        ended += child->state == PROCESS_ZOMBIE;
    }
    enum wait_verdict v = wait_select(p, -1, WEXITED, &child, &status);
    cr_assert_eq(v, ended ? WAIT_FOUND : have ? WAIT_NONE_YET : WAIT_NO_CHILD);
    if (v != WAIT_FOUND)
        return;
    cr_assert(child->parent == p && status == STATUS_EXIT(child->pid));
    cr_assert_eq(wait_select(p, child->pid, WEXITED, &child, &status), WAIT_FOUND);
    reap(child);
}

Test(tasks, random_tree) {
    u64 seed = seed_begin(5);
    struct process *first = begin();
    for (u32 step = 0; step < 20000; step++) {
        struct process *p = random_process(&seed), *other = random_process(&seed);
        if (p->state != PROCESS_ALIVE)
            continue;
        switch (seed_next(&seed, 6)) {
        case 0:
        case 1:
            if (alive < 300 && p != tasks.init)
                fork_of(p);
            break;
        case 2:
            if (p != tasks.init && p != first)
                end(p);
            break;
        case 3:
            wait_for_any(p);
            break;
        case 4: {
            u32 old = other->pgid;
            err e = process_setpgid(&tasks, p, other->pid, seed_next(&seed, 2) ? 0 : p->pgid);
            cr_assert(e == 0 || other->pgid == old, "an error changes nothing");
            cr_assert(group_exists(&tasks, other->pgid, other->sid));
            break;
        }
        default:
            if (process_setsid(&tasks, p) > 0)
                cr_assert(p->sid == p->pid && p->pgid == p->pid);
        }
        check_tree();
    }
}

Test(tasks, stops_are_told_once_and_on_request) {
    struct process *child;
    u32 status;
    struct process *p = begin(), *c = fork_of(p);
    c->stopped = true;
    c->stop_signal = SIGTSTP;
    cr_assert_eq(wait_select(p, -1, WEXITED, &child, &status), WAIT_NONE_YET);
    cr_assert_eq(wait_select(p, -1, WUNTRACED, &child, &status), WAIT_FOUND);
    cr_assert_eq(status, STATUS_STOPPED(SIGTSTP));
    c->stop_reported = true;
    cr_assert_eq(wait_select(p, -1, WUNTRACED, &child, &status), WAIT_NONE_YET);
    c->stopped = false;
    c->continued = true;
    cr_assert_eq(wait_select(p, 0, WCONTINUED, &child, &status), WAIT_FOUND);
    cr_assert_eq(status, STATUS_CONTINUED);
    cr_assert_eq(wait_select(p, -(i64)c->pid, WCONTINUED, &child, &status), WAIT_NO_CHILD,
                 "not of that group");
    cr_assert_eq(process_setpgid(&tasks, p, c->pid, c->pid), 0);
    cr_assert_eq(process_setpgid(&tasks, p, p->pid, p->pid), -E_PERM, "a session's leader stays");
    cr_assert_eq(process_setpgid(&tasks, c, p->pid, 0), -E_SRCH);
    c->execed = true;
    cr_assert_eq(process_setpgid(&tasks, p, c->pid, 0), -E_ACCES);
}

Test(tasks, all_numbers_taken) {
    struct process *p = begin();
    for (u32 i = 3; i < PID_LIMIT; i++)
        tasks.task[i] = TAILQ_FIRST(&p->tasks);
    cr_assert_eq(pid_alloc(&tasks), 0);
}

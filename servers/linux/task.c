/* SPDX-License-Identifier: MIT */
#include "task.h"

#include <abi/errors.h>
#include <ipc/assert.h>

void tasks_init(struct tasks *t) {
    *t = (struct tasks){.last = 0};
    TAILQ_INIT(&t->processes);
}

struct process *process_find(const struct tasks *t, u64 pid) {
    struct process *p;
    struct task *task = task_find(t, pid);
    if (task && task->process->pid == pid)
        return task->process;
    TAILQ_FOREACH(p, &t->processes, all) {
        if (p->pid == pid)
            return p;
    }
    return NULL;
}

static bool number_in_use(const struct tasks *t, u32 pid) {
    const struct process *p;
    if (t->task[pid])
        return true;
    TAILQ_FOREACH(p, &t->processes, all) {
        if (p->pid == pid || p->pgid == pid || p->sid == pid)
            return true;
    }
    return false;
}

u32 pid_alloc(struct tasks *t) {
    for (u32 tried = 0; tried < PID_LIMIT; tried++) {
        if (++t->last >= PID_LIMIT)
            t->last = 1;
        if (!number_in_use(t, t->last))
            return t->last;
    }
    return 0;
}

static void enter(struct tasks *t, struct process *p) {
    TAILQ_INIT(&p->children);
    TAILQ_INIT(&p->tasks);
    TAILQ_INSERT_TAIL(&t->processes, p, all);
}

void init_enter(struct tasks *t, struct process *p) {
    ASSERT(!t->init);
    enter(t, p);
    p->pgid = p->sid = p->pid;
    t->init = p;
}

void process_enter(struct tasks *t, struct process *p, struct process *parent) {
    enter(t, p);
    p->parent = parent;
    TAILQ_INSERT_TAIL(&parent->children, p, sibling);
}

void task_enter(struct tasks *t, struct task *task, struct process *p) {
    ASSERT(task->tid < PID_LIMIT && !t->task[task->tid]);
    t->task[task->tid] = task;
    t->count++;
    task->process = p;
    TAILQ_INSERT_TAIL(&p->tasks, task, sibling);
    p->task_count++;
}

void task_leave(struct tasks *t, struct task *task) {
    ASSERT(t->task[task->tid] == task);
    t->task[task->tid] = NULL;
    t->count--;
    TAILQ_REMOVE(&task->process->tasks, task, sibling);
    task->process->task_count--;
}

void process_orphan(struct tasks *t, struct process *p) {
    struct process *child;
    while ((child = TAILQ_FIRST(&p->children))) {
        TAILQ_REMOVE(&p->children, child, sibling);
        child->parent = t->init;
        child->exit_signal = SIGCHLD;
        TAILQ_INSERT_TAIL(&t->init->children, child, sibling);
    }
}

void process_leave(struct tasks *t, struct process *p) {
    ASSERT(TAILQ_EMPTY(&p->tasks) && TAILQ_EMPTY(&p->children));
    TAILQ_REMOVE(&p->parent->children, p, sibling);
    TAILQ_REMOVE(&t->processes, p, all);
}

static bool wait_matches(const struct process *p, const struct process *child, i64 which) {
    if (which > 0)
        return child->pid == (u64)which;
    if (which == -1)
        return true;
    return child->pgid == (which ? (u64)-which : p->pgid);
}

enum wait_verdict wait_select(const struct process *p, i64 which, u32 options, struct process **child,
                              u32 *status) {
    enum wait_verdict verdict = WAIT_NO_CHILD;
    struct process *c;
    TAILQ_FOREACH(c, &p->children, sibling) {
        bool zombie = c->state == PROCESS_ZOMBIE;
        if (!wait_matches(p, c, which) || (zombie && !(options & WEXITED)))
            continue;
        verdict = WAIT_NONE_YET;
        if (zombie)
            *status = c->status;
        else if ((options & WUNTRACED) && c->stopped && !c->stop_reported)
            *status = STATUS_STOPPED(c->stop_signal);
        else if ((options & WCONTINUED) && c->continued)
            *status = STATUS_CONTINUED;
        else
            continue;
        *child = c;
        return WAIT_FOUND;
    }
    return verdict;
}

bool group_exists(const struct tasks *t, u32 pgid, u32 sid) {
    const struct process *p;
    TAILQ_FOREACH(p, &t->processes, all) {
        if (p->pgid == pgid && (!sid || p->sid == sid))
            return true;
    }
    return false;
}

err process_setpgid(struct tasks *t, struct process *caller, u64 pid, u64 pgid) {
    struct process *p = pid ? process_find(t, pid) : caller;
    if ((i32)pgid < 0 || (!pgid && (i32)pid < 0))
        return -E_INVAL;
    if (!p || p->state != PROCESS_ALIVE || (p != caller && p->parent != caller))
        return -E_SRCH;
    if (p != caller && p->execed)
        return -E_ACCES;
    if (p->sid == p->pid || p->sid != caller->sid)
        return -E_PERM;
    u32 group = pgid ? (u32)pgid : p->pid;
    if (group != p->pid && !group_exists(t, group, caller->sid))
        return -E_PERM;
    p->pgid = group;
    return 0;
}

err process_setsid(struct tasks *t, struct process *p) {
    if (group_exists(t, p->pid, 0) && p->pgid == p->pid)
        return -E_PERM;
    p->sid = p->pgid = p->pid;
    return p->pid;
}

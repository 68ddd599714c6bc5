/* SPDX-License-Identifier: MIT */
/* fork, vfork, clone: a new task, in a process of its own or in its maker's. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <proto/limits.h>
#include <string.h>

#include "kern.h"
#include "state.h"
#include "sys.h"

#define SHORT_WAIT_MS    3000 /* so long a fork waits for memory: region ends programs after half a second */
#define SHORT_RETRY_MS   50
#define WAITS_FOR_MEMORY (1ull << 63) /* in k->progress: the rest is when the wait ends (TSC) */

struct clone_args {
    u64 flags, stack, parent_tid, child_tid, tls;
};

static struct files *files_dup(const struct files *from) {
    struct files *to = kmem_cache_alloc(state.files_cache, GFP_KERNEL);
    if (!to)
        return NULL;
    if (files_init(to) < 0)
        goto no_room;
    if (files_copy(to, from) < 0) {
        files_fini(to);
        goto no_room;
    }
    for (i64 fd = files_next(to, 0, false); fd >= 0; fd = files_next(to, (u64)fd + 1, false))
        file_get(files_get(to, (u64)fd));
    return to;
no_room:
    kmem_cache_free(state.files_cache, to);
    return NULL;
}

static struct fs *fs_dup(const struct fs *from) {
    struct fs *to = kmem_cache_alloc(state.fs_cache, GFP_KERNEL);
    if (!to)
        return NULL;
    *to = (struct fs){
        .refs = 1, .umask = from->umask, .cwd = from->cwd, .cwd_path = string_copy(from->cwd_path)};
    if (!to->cwd_path) {
        kmem_cache_free(state.fs_cache, to);
        return NULL;
    }
    node_get(&to->cwd);
    return to;
}

static struct sighand *sighand_dup(const struct sighand *from) {
    struct sighand *to = kmem_cache_alloc(state.sighand_cache, GFP_KERNEL);
    if (to) {
        *to = *from;
        to->refs = 1;
    }
    return to;
}

/* Copies, or shares, what the flags say. Whatever is missing afterwards is NULL: no memory. */
static bool copy_process(struct process *child, struct process *parent, u64 flags) {
    child->files = flags & CLONE_FILES ? parent->files : files_dup(parent->files);
    child->fs = flags & CLONE_FS ? parent->fs : fs_dup(parent->fs);
    child->sighand = flags & CLONE_SIGHAND ? parent->sighand : sighand_dup(parent->sighand);
    if (child->files && flags & CLONE_FILES)
        child->files->refs++;
    if (child->fs && flags & CLONE_FS)
        child->fs->refs++;
    if (child->sighand && flags & CLONE_SIGHAND)
        child->sighand->refs++;
    child->pgid = parent->pgid;
    child->sid = parent->sid;
    u32 signal = CLONE_SIGNAL(flags);
    child->exit_signal = signal <= SIGNALS ? (u8)signal : 0; /* Linux sends none that does not exist */
    child->vfork = flags & CLONE_VFORK;
    child->nice = parent->nice;
    memcpy(child->rlimit, parent->rlimit, sizeof child->rlimit);
    return child->files && child->fs && child->sighand;
}

static void drop_process(struct process *p) {
    files_put(p->files);
    fs_put(p->fs);
    sighand_put(p->sighand);
    process_free(p);
}

/* What the new task takes over from its maker, and with which registers it begins. */
static void copy_task(struct task *child, struct task *parent, const struct clone_args *a) {
    struct user_regs *regs = kern_regs_read(parent->thread, REGS_GENERAL | REGS_FPU);
    regs->rax = 0;
    if (a->stack)
        regs->rsp = a->stack;
    if (a->flags & CLONE_SETTLS)
        regs->fs_base = a->tls;
    err e = kern_regs_write(child->thread, REGS_GENERAL | REGS_FPU);
    ASSERT(e >= 0); /* do_clone has looked at the one value that the caller chose */
    child->blocked = parent->blocked;
    if (!(a->flags & CLONE_VM) || (a->flags & CLONE_VFORK))
        child->altstack = parent->altstack;
    child->set_child_tid = a->flags & CLONE_CHILD_SETTID ? a->child_tid : 0;
    child->clear_child_tid = a->flags & CLONE_CHILD_CLEARTID ? a->child_tid : 0;
    memcpy(child->comm, parent->comm, sizeof child->comm);
}

static void put_parent_tid(struct call *k, const struct clone_args *a, u32 tid) {
    u64 stopped;
    if (a->flags & CLONE_PARENT_SETTID)
        copy_out_some(k, a->parent_tid, &tid, sizeof tid, &stopped);
}

/* The parent of a vfork waits here for the child's exec or exit; k->progress is the child's number. */
static i64 vfork_wait(struct call *k) {
    struct process *child = process_find(&state.tasks, k->progress);
    if (!child || !child->vfork || child->parent != k->task->process)
        return (i64)k->progress;
    return block(k, &child->vfork_done, 0, BLOCK_DEAF);
}

static i64 new_thread(struct call *k, const struct clone_args *a) {
    struct task *parent = k->task;
    struct process *p = parent->process;
    u32 tid = pid_alloc(&state.tasks);
    struct task *child = tid ? task_create(p->mm, tid) : NULL;
    if (!child)
        return -E_AGAIN;
    task_enter(&state.tasks, child, p);
    copy_task(child, parent, a);
    put_parent_tid(k, a, tid);
    kern_thread_start(child->thread);
    return tid;
}

static i64 new_process(struct call *k, const struct clone_args *a) {
    struct task *parent = k->task;
    struct process *from = parent->process;
    u32 pid = pid_alloc(&state.tasks);
    struct process *p = pid ? process_create(pid) : NULL;
    err why = -E_NOMEM;
    if (!p)
        return pid ? -E_NOMEM : -E_AGAIN;
    /* Entered at once, so that the number is taken while region works. */
    process_enter(&state.tasks, p, from);
    if (!copy_process(p, from, a->flags))
        goto no_memory;
    if (a->flags & CLONE_VM) {
        p->mm = from->mm;
        p->mm->users++;
    } else {
        p->mm = mm_fork(from->mm, &why);
    }
    struct task *child = p->mm ? task_create(p->mm, pid) : NULL;
    if (!child)
        goto no_memory;
    task_enter(&state.tasks, child, p);
    copy_task(child, parent, a);
    put_parent_tid(k, a, pid);
    state.forks++;
    kern_thread_start(child->thread);
    if (!(a->flags & CLONE_VFORK))
        return pid;
    k->progress = pid;
    return vfork_wait(k);
no_memory:
    process_leave(&state.tasks, p);
    if (p->mm)
        mm_put(p->mm, NULL);
    drop_process(p);
    return why;
}

/* Linux takes memory from others before a fork fails: here it comes back while the call waits. */
static i64 try_again(struct call *k) {
    u64 now = kern_tsc();
    if (!k->progress)
        k->progress = WAITS_FOR_MEMORY | (now + SHORT_WAIT_MS * kern_tsc_per_ms());
    if (now >= (k->progress & ~WAITS_FOR_MEMORY))
        return -E_NOMEM;
    return block(k, &state.asleep, now + SHORT_RETRY_MS * kern_tsc_per_ms(), BLOCK_DEAF);
}

static i64 do_clone(struct call *k, const struct clone_args *a) {
    if (k->progress && !(k->progress & WAITS_FOR_MEMORY))
        return vfork_wait(k);
    if ((a->flags & CLONE_SIGHAND) && !(a->flags & CLONE_VM))
        return -E_INVAL;
    if (state.tasks.count >= TASKS_MAX)
        return -E_AGAIN;
    if ((a->flags & CLONE_SETTLS) && a->tls >= USER_END)
        return -E_PERM;
    if (!(a->flags & CLONE_THREAD)) {
        i64 r = new_process(k, a);
        return r == -E_NOMEM ? try_again(k) : r;
    }
    const u64 all = CLONE_VM | CLONE_SIGHAND | CLONE_FILES | CLONE_FS;
    return (a->flags & all) == all ? new_thread(k, a) : -E_INVAL;
}

i64 linux_clone(struct call *k) {
    return do_clone(k, &(struct clone_args){k->w[0], k->w[1], k->w[2], k->w[3], k->w[4]});
}

i64 linux_fork(struct call *k) {
    return do_clone(k, &(struct clone_args){.flags = SIGCHLD});
}

i64 linux_vfork(struct call *k) {
    return do_clone(k, &(struct clone_args){.flags = CLONE_VM | CLONE_VFORK | SIGCHLD});
}

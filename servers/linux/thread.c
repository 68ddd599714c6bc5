/* SPDX-License-Identifier: MIT */
/* Making and ending tasks and memory descriptors. */
#include <string.h>

#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/server.h>
#include <proto/cache.def>
#include <proto/region.def>

#include "kern.h"
#include "state.h"
#include "usage.h"

static struct mm *mm_alloc(void) {
    struct mm *mm = kmem_cache_alloc(state.mm_cache, GFP_KERNEL);
    if (!mm)
        return NULL;
    *mm = (struct mm){.users = 1, .space = kern_slot()};
    if (mm->space)
        return mm;
    kmem_cache_free(state.mm_cache, mm);
    return NULL;
}

static void mm_free(struct mm *mm) {
    kern_slot_drop(mm->space);
    kfree(mm->exe);
    kmem_cache_free(state.mm_cache, mm);
}

struct mm *mm_create(void) {
    struct mm *mm = mm_alloc();
    if (!mm)
        return NULL;
    struct region_create_rep rep;
    ipc_next_recv_cap(mm->space);
    err e = region_create(SERVICE(SRV_REGION), &(struct region_create_req){0}, &rep);
    if (e < 0 || !ipc_got_cap()) {
        mm_free(mm);
        return NULL;
    }
    mm->number = (u32)rep.mm;
    return mm;
}

struct mm *mm_fork(struct mm *from, err *why) {
    struct mm *mm = mm_alloc();
    *why = -E_NOMEM;
    if (!mm)
        return NULL;
    struct region_fork_rep rep;
    ipc_next_recv_cap(mm->space);
    err e = region_fork(SERVICE(SRV_REGION), &(struct region_fork_req){from->number}, &rep);
    if (e < 0 || !ipc_got_cap()) {
        *why = e < 0 ? e : -E_NOMEM;
        mm_free(mm);
        return NULL;
    }
    mm->number = (u32)rep.mm;
    mm->arg_start = from->arg_start;
    mm->arg_end = from->arg_end;
    mm->env_end = from->env_end;
    mm->exe = from->exe ? string_copy(from->exe) : NULL;
    return mm;
}

void mm_put(struct mm *mm, struct process *p) {
    if (--mm->users)
        return;
    struct region_exit_rep rep;
    u64 faults = 0, key = 0;
    err e;
    do {
        rep = (struct region_exit_rep){0};
        e = region_exit(SERVICE(SRV_REGION), &(struct region_exit_req){mm->number}, 0, &rep);
        if (e >= 0)
            object_unmapped(ipc_tail(), rep.released);
        faults += rep.faults;
        key += rep.fault_key; /* the first answer alone has them */
    } while (e >= 0 && rep.again);
    if (p)
        fault_counts_add(&p->faults, key ? fault_counts(faults, key) : (struct fault_counts){faults, 0});
    mm_free(mm);
}

struct task *task_create(struct mm *mm, u32 tid) {
    struct task *t = kmem_cache_alloc(state.task_cache, GFP_KERNEL);
    if (!t)
        return NULL;
    *t = (struct task){.tid = tid, .altstack.flags = SS_DISABLE, .timer.expired = call_timer_expired};
    if (kern_thread_create(mm->space, tid, &t->thread, &t->frame) >= 0)
        return t;
    kmem_cache_free(state.task_cache, t);
    return NULL;
}

void sigpending_release(struct sigpending *p) {
    struct sigqueue *q;
    while ((q = sig_discard(p, ~0ull)))
        kmem_cache_free(state.sigqueue_cache, q);
}

void exec_image_free(struct exec_image *image) {
    if (!image)
        return;
    kfree(image->stack.bytes);
    kfree(image);
}

void task_drop_waits(struct task *t) {
    wait_leave(&state.run, &t->waiter);
    timer_set(&state.timers, &t->timer, 0);
    if (t->call.reply)
        kern_slot_drop(t->call.reply);
    if (t->stopped_reply)
        kern_slot_drop(t->stopped_reply);
    t->call.reply = t->stopped_reply = 0;
}

void task_kill(struct task *t) {
    if (t->busy)
        t->ending = true;
    else
        task_bury(t);
}

void task_bury(struct task *t) {
    struct process *p = t->process;
    if (t->thread)
        kern_thread_destroy(t->thread, t->frame);
    task_drop_waits(t);
    task_leave(&state.tasks, t);
    sigpending_release(&t->pending);
    exec_image_free(t->image);
    kmem_cache_free(state.task_cache, t);
    bool last = p->state == PROCESS_EXITING && !p->task_count;
    if (last) {
        struct mm *mm = p->mm;
        p->mm = NULL;
        mm_put(mm, p);
        process_finish(p);
    }
}

struct process *process_create(u32 pid) {
    struct process *p = kmem_cache_alloc(state.process_cache, GFP_KERNEL);
    if (!p)
        return NULL;
    *p = (struct process){.pid = pid, .exit_signal = SIGCHLD, .start_tsc = kern_tsc()};
    wait_queue_init(&p->children_changed);
    wait_queue_init(&p->vfork_done);
    return p;
}

void process_free(struct process *p) {
    ASSERT(wait_empty(&p->children_changed) && wait_empty(&p->vfork_done));
    sigpending_release(&p->pending);
    kmem_cache_free(state.process_cache, p);
}

void files_put(struct files *t) {
    if (!t || --t->refs)
        return;
    for (i64 fd = files_next(t, 0, false); fd >= 0; fd = files_next(t, (u64)fd + 1, false))
        file_put(files_remove(t, (u64)fd));
    files_fini(t);
    kmem_cache_free(state.files_cache, t);
}

void fs_put(struct fs *fs) {
    if (!fs || --fs->refs)
        return;
    node_put(&fs->cwd);
    kfree(fs->cwd_path);
    kmem_cache_free(state.fs_cache, fs);
}

void sighand_put(struct sighand *h) {
    if (h && !--h->refs)
        kmem_cache_free(state.sighand_cache, h);
}

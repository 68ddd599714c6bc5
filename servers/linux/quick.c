/* SPDX-License-Identifier: MIT */
#include "quick.h"

#include <abi/layout.h>
#include <proto/cache.def>
#include <proto/region.def>

#include "state.h"

/* NULL: it has ended, and is dealt with elsewhere. */
static struct task *task_of(u32 tag) {
    return task_find(&state.tasks, tag);
}

static struct quick done(struct task *t, u64 what, i64 result) {
    state.calls++;
    t->restart = RESTART_NONE;
    return (struct quick){what, result};
}
static const struct quick not_quick = {.what = QUICK_NOT};

#define QUICK(name) static struct quick quick_##name(u32 tag, u64 w[MSG_REG_WORDS])

/* Calls without arguments. */
#define LOOK(name, value)                                                                                    \
    QUICK(name) {                                                                                            \
        struct task *t = task_of(tag);                                                                       \
        (void)w;                                                                                             \
        return t ? done(t, QUICK_ANSWER, (value)) : not_quick;                                               \
    }
LOOK(getpid, t->process->pid)
LOOK(getppid, t->process->parent->pid)
LOOK(gettid, t->tid)
LOOK(getpgrp, t->process->pgid)
LOOK(zero, 0) /* all programs are root's */

/* Region's words: the descriptor, and then the program's own. */
static struct quick to_region(u32 tag, u64 label, u64 w[MSG_REG_WORDS]) {
    struct task *t = task_of(tag);
    if (!t)
        return not_quick;
    w[4] = w[3];
    w[3] = w[2];
    w[2] = w[1];
    w[1] = w[0];
    w[0] = t->process->mm->number;
    return done(t, QUICK_FORWARD(SERVICE(SRV_REGION), label), 0);
}
QUICK(munmap) {
    return to_region(tag, region_label_munmap, w);
}
QUICK(mprotect) {
    return to_region(tag, region_label_mprotect, w);
}
/* Its new pages must be there at once. */
static bool locks_future(u32 tag) {
    const struct task *t = task_of(tag);
    return t && t->process->mm->lock_future;
}
QUICK(brk) {
    return locks_future(tag) ? not_quick : to_region(tag, region_label_brk, w);
}
/* Private anonymous memory, if its pages need not be there at once. */
QUICK(mmap) {
    u64 flags = w[3] & (MAP_TYPE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE), offset = w[5];
    if (flags != (MAP_PRIVATE | MAP_ANONYMOUS) || offset & PAGE_MASK || locks_future(tag))
        return not_quick;
    return to_region(tag, region_label_map, w);
}

/* Cache's words: its open file, and then the program's own. What is not so simple is told what is wrong elsewhere. */
static struct quick to_cache(u32 tag, u64 label, u64 w[MSG_REG_WORDS]) {
    struct task *t = task_of(tag);
    const struct file *f = t ? files_get(t->process->files, w[0]) : NULL;
    u64 buffer = w[1], bytes = w[2];
    if (!f || f->ops != &disk_file_ops || f->flags & (O_ACCMODE | O_PATH) || !S_ISREG(f->node.mode) ||
        bytes > RW_BYTES_MAX || buffer > USER_END - bytes)
        return not_quick;
    w[0] = f->handle;
    return done(t, QUICK_FORWARD(SERVICE(SRV_CACHE), label), 0);
}
QUICK(read) {
    return to_cache(tag, cache_label_read, w);
}
QUICK(pread64) {
    return (i64)w[3] < 0 ? not_quick : to_cache(tag, cache_label_pread, w);
}

const quick_call quick_table[QUICK_CALLS] = {
    [0] = quick_read,      [9] = quick_mmap,     [10] = quick_mprotect, [11] = quick_munmap,
    [12] = quick_brk,      [17] = quick_pread64, [39] = quick_getpid,   [102] = quick_zero,
    [104] = quick_zero,    [107] = quick_zero,   [108] = quick_zero,    [110] = quick_getppid,
    [111] = quick_getpgrp, [186] = quick_gettid};

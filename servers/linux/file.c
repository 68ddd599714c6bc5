/* SPDX-License-Identifier: MIT */
/* Open files in general: references, descriptors. */
#include "file.h"

#include <string.h>

#include "state.h"

struct file *file_alloc(const struct file_operations *ops, u32 flags, const char *path) {
    struct file *f = kmem_cache_alloc(state.filp_cache, GFP_KERNEL);
    if (!f)
        return NULL;
    *f = (struct file){.ops = ops, .refs = 1, .flags = flags & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_PATH)};
    if (path && !(f->path = string_copy(path))) {
        kmem_cache_free(state.filp_cache, f);
        return NULL;
    }
    return f;
}

void file_put(struct file *f) {
    if (--f->refs)
        return;
    f->ops->release(f);
    text_release(&f->text);
    kfree(f->path);
    kmem_cache_free(state.filp_cache, f);
}

struct file *fd_get(struct call *k, u64 fd) {
    struct file *f = files_get(k->task->process->files, fd);
    if (f)
        file_get(f);
    return f;
}

i64 fd_install(struct call *k, struct file *f, bool cloexec) {
    struct process *p = k->task->process;
    err fd = files_add(p->files, f, 0, p->rlimit[RLIMIT_NOFILE].now, cloexec);
    if (fd < 0)
        file_put(f);
    return fd;
}

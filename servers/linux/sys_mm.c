/* SPDX-License-Identifier: MIT */
/* Memory: handed on to region; here are only what files have to do with it, and the references of objects. */
#include <abi/layout.h>
#include <ipc/server.h>
#include <proto/cache.def>
#include <proto/region.def>

#include "state.h"
#include "sys.h"
#include "virtual.h"

#define REGION SERVICE(SRV_REGION)

static u32 mm_of(struct call *k) {
    return k->task->process->mm->number;
}

/* What a mapping is of. */
struct source {
    u64 object, index;
    u64 most; /* PROT_xxx that it may ever get */
    u64 inode;
    const char *path;
    struct file *file; /* a reference, or NULL */
    bool owned;        /* the object's reference is ours to hand over */
};

static i64 shared_memory(struct source *s, u64 bytes) {
    struct cache_create_shared_rep rep;
    err e = cache_create_shared(SERVICE(SRV_CACHE),
                                &(struct cache_create_shared_req){ROUND_UP(bytes, PAGE_BYTES) / PAGE_BYTES},
                                &rep);
    if (e < 0)
        return e;
    s->object = rep.object;
    s->path = "/dev/zero (deleted)";
    s->inode = ++state.next_inode;
    s->owned = true;
    return 0;
}

static i64 file_memory(struct source *s, u64 prot, bool shared) {
    struct file *f = s->file;
    if (f->flags & O_PATH)
        return -E_BADF;
    if ((f->flags & O_ACCMODE) == O_WRONLY)
        return -E_ACCES;
    if (f->node.fs != FS_DISK || !S_ISREG(f->node.mode))
        return -E_NODEV;
    s->object = f->node.id;
    s->path = f->path;
    s->inode = f->node.inode;
    if (shared) {
        s->most = PROT_READ | PROT_EXEC; /* no file is open for writing */
        if (prot & PROT_WRITE)
            return -E_ACCES;
    }
    return 0;
}

static i64 find_source(struct call *k, struct source *s, u64 flags) {
    u64 type = flags & MAP_TYPE, bytes = k->w[1], offset = k->w[5];
    bool anonymous = flags & MAP_ANONYMOUS;
    bool shared = type == MAP_SHARED || (type == MAP_SHARED_VALIDATE && !anonymous);
    if (offset & PAGE_MASK)
        return -E_INVAL;
    s->index = offset / PAGE_BYTES;
    s->most = PROT_READ | PROT_WRITE | PROT_EXEC;
    if (!anonymous && !(s->file = fd_get(k, (u32)k->w[4])))
        return -E_BADF;
    if (!bytes || (!shared && type != MAP_PRIVATE))
        return -E_INVAL;
    if (bytes > USER_END)
        return -E_NOMEM;
    if (s->file) {
        bool zero = s->file->node.fs == FS_DEV && s->file->node.id == DEV_ZERO;
        if (!zero)
            return file_memory(s, k->w[2], shared);
    }
    s->index = 0;
    return shared ? shared_memory(s, bytes) : 0;
}

/* True if its pages are to be there before the program goes on. */
static bool wants_pages(struct call *k, u64 flags) {
    return (flags & (MAP_LOCKED | MAP_POPULATE)) || k->task->process->mm->lock_future;
}

i64 linux_mmap(struct call *k) {
    struct source s = {0};
    struct region_mmap_rep rep = {0};
    u64 flags = k->w[3], prot = k->w[2] & 7;
    if (k->progress)
        return mmap_populate_on(k);
    i64 e = find_source(k, &s, flags);
    if (!e && s.object)
        e = object_map(s.object, s.path, s.inode, s.owned ? OBJECT_SHARED_OURS : OBJECT_FILE);
    if (e && s.owned)
        object_mapped(s.object, false);
    if (!e) {
        struct region_mmap_req req = {
            mm_of(k), k->w[0], k->w[1], prot | s.most << 24 | (flags & 0xffffffff) << 32, s.object, s.index};
        e = region_mmap(REGION, &req, 0, &rep);
        if (e >= 0)
            object_unmapped(ipc_tail(), rep.released);
        if (s.object)
            object_mapped(s.object, e >= 0 && rep.first);
    }
    if (s.file)
        file_put(s.file);
    if (e >= 0 && wants_pages(k, flags))
        return mmap_populate(k, rep.addr);
    return e < 0 ? e : (i64)rep.addr;
}

/* These usually go to region without coming by here (quick.c). */
i64 linux_munmap(struct call *k) {
    return forward(k, REGION, region_label_munmap, mm_of(k), k->w[0], k->w[1], 0);
}

i64 linux_mprotect(struct call *k) {
    return forward(k, REGION, region_label_mprotect, mm_of(k), k->w[0], k->w[1], k->w[2]);
}

i64 linux_brk(struct call *k) {
    struct region_brk_rep old = {0}, rep;
    bool lock = k->task->process->mm->lock_future;
    if (k->progress)
        return heap_populate(k, k->progress);
    err e = lock ? region_brk(REGION, &(struct region_brk_req){mm_of(k), 0}, &old) : 0;
    if (e >= 0)
        e = region_brk(REGION, &(struct region_brk_req){mm_of(k), k->w[0]}, &rep);
    if (e >= 0 && lock && rep.brk > old.brk)
        return heap_populate(k, ROUND_UP(old.brk, PAGE_BYTES));
    return e < 0 ? e : (i64)rep.brk;
}

i64 linux_mremap(struct call *k) {
    struct region_mremap_rep rep = {0};
    struct region_mremap_req req = {mm_of(k), k->w[0], k->w[1], k->w[2], k->w[3], k->w[4]};
    err e = region_mremap(REGION, &req, 0, &rep);
    if (e < 0)
        return e;
    object_unmapped(ipc_tail(), rep.released);
    return (i64)rep.addr;
}

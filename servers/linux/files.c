/* SPDX-License-Identifier: MIT */
#include "files.h"

#include <string.h>

#include <abi/errors.h>
#include <ipc/slab.h>

static err grow(struct files *t, u64 need) {
    if (need <= t->room)
        return 0;
    u64 room = t->room ? t->room : FILES_FIRST;
    while (room < need)
        room *= 2;
    struct file **file = kmalloc(room * sizeof *file, GFP_KERNEL);
    if (!file)
        return -E_NOMEM;
    for (u32 fd = 0; fd < t->end; fd++)
        file[fd] = t->file[fd];
    kfree(t->file);
    t->file = file;
    t->room = (u32)room;
    return 0;
}

err files_init(struct files *t) {
    t->refs = 1;
    t->room = t->lowest = t->end = 0;
    t->file = NULL;
    return grow(t, FILES_FIRST);
}

void files_fini(struct files *t) {
    kfree(t->file);
}

void files_set_cloexec(struct files *t, u64 fd, bool on) {
    if (on)
        t->cloexec[fd / 64] |= 1ull << (fd % 64);
    else
        t->cloexec[fd / 64] &= ~(1ull << (fd % 64));
}

/* There is room for fd. */
static void put_at(struct files *t, u64 fd, struct file *f, bool cloexec) {
    while (t->end <= fd)
        t->file[t->end++] = NULL;
    t->file[fd] = f;
    files_set_cloexec(t, fd, cloexec);
}

err files_add(struct files *t, struct file *f, u64 least, u64 limit, bool cloexec) {
    limit = MIN(limit, FILES_MAX);
    if (least >= limit)
        return least ? -E_INVAL : -E_MFILE;
    u64 fd = MAX(least, t->lowest);
    while (fd < t->end && t->file[fd])
        fd++;
    if (fd >= limit)
        return -E_MFILE;
    err e = grow(t, fd + 1);
    if (e)
        return e;
    put_at(t, fd, f, cloexec);
    if (least <= t->lowest)
        t->lowest = (u32)fd + 1;
    return (err)fd;
}

err files_set(struct files *t, u64 fd, struct file *f, u64 limit, bool cloexec, struct file **old) {
    if (fd >= MIN(limit, FILES_MAX))
        return -E_BADF;
    err e = grow(t, fd + 1);
    if (e)
        return e;
    *old = files_get(t, fd);
    put_at(t, fd, f, cloexec);
    return (err)fd;
}

struct file *files_remove(struct files *t, u64 fd) {
    struct file *f = files_get(t, fd);
    if (!f)
        return NULL;
    t->file[fd] = NULL;
    while (t->end && !t->file[t->end - 1])
        t->end--;
    t->lowest = MIN(t->lowest, (u32)fd);
    return f;
}

i64 files_next(const struct files *t, u64 from, bool cloexec_only) {
    for (u64 fd = from; fd < t->end; fd++)
        if (t->file[fd] && (!cloexec_only || files_cloexec(t, fd)))
            return (i64)fd;
    return -1;
}

err files_copy(struct files *to, const struct files *from) {
    err e = grow(to, from->end);
    if (e)
        return e;
    for (u32 fd = 0; fd < from->end; fd++)
        to->file[fd] = from->file[fd];
    for (u32 i = 0; i < (from->end + 63) / 64; i++)
        to->cloexec[i] = from->cloexec[i];
    to->end = from->end;
    to->lowest = from->lowest;
    return 0;
}

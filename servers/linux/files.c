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
    if (t->room)
        memcpy(file, t->file, t->room * sizeof *file);
    memset(file + t->room, 0, (room - t->room) * sizeof *file);
    kfree(t->file);
    t->file = file;
    t->room = (u32)room;
    return 0;
}

err files_init(struct files *t) {
    *t = (struct files){.refs = 1};
    return grow(t, FILES_FIRST);
}

void files_fini(struct files *t) {
    kfree(t->file);
    *t = (struct files){0};
}

void files_set_cloexec(struct files *t, u64 fd, bool on) {
    if (on)
        t->cloexec[fd / 64] |= 1ull << (fd % 64);
    else
        t->cloexec[fd / 64] &= ~(1ull << (fd % 64));
}

static void put_at(struct files *t, u64 fd, struct file *f, bool cloexec) {
    t->file[fd] = f;
    files_set_cloexec(t, fd, cloexec);
}

err files_add(struct files *t, struct file *f, u64 least, u64 limit, bool cloexec) {
    limit = MIN(limit, FILES_MAX);
    if (least >= limit)
        return least ? -E_INVAL : -E_MFILE;
    u64 fd = MAX(least, t->lowest);
    while (fd < t->room && t->file[fd])
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
    *old = t->file[fd];
    put_at(t, fd, f, cloexec);
    return (err)fd;
}

struct file *files_remove(struct files *t, u64 fd) {
    struct file *f = files_get(t, fd);
    if (!f)
        return NULL;
    put_at(t, fd, NULL, false);
    t->lowest = MIN(t->lowest, (u32)fd);
    return f;
}

i64 files_next(const struct files *t, u64 from, bool cloexec_only) {
    for (u64 fd = from; fd < t->room; fd++)
        if (t->file[fd] && (!cloexec_only || files_cloexec(t, fd)))
            return (i64)fd;
    return -1;
}

err files_copy(struct files *to, const struct files *from) {
    err e = grow(to, from->room);
    if (e)
        return e;
    memcpy(to->file, from->file, from->room * sizeof *from->file);
    memcpy(to->cloexec, from->cloexec, sizeof to->cloexec);
    to->lowest = from->lowest;
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Open files and directories of /proc and /dev. */
#include <string.h>

#include <proto/console.def>

#include "dispatch.h"
#include "kern.h"
#include "proc_text.h"
#include "state.h"
#include "virtual.h"

static i64 fill_user(struct call *k, u64 buffer, u64 bytes, bool random) {
    u64 block_of[32] = {0}, stopped;
    while (k->progress < bytes) {
        u64 n = MIN(bytes - k->progress, sizeof block_of);
        for (u32 i = 0; random && i < ARRAY_LEN(block_of); i++)
            block_of[i] = random_next();
        u64 done = copy_out_some(k, buffer + k->progress, block_of, n, &stopped);
        k->progress += done;
        if (done < n)
            return fault_or_short(k, stopped, ACCESS_WRITE);
    }
    return (i64)bytes;
}

u64 random_next(void) {
    state.random += 0x9e3779b97f4a7c15ull + kern_tsc();
    u64 z = state.random ^ kern_random();
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static i64 device_read(struct call *k, u64 device, u64 buffer, u64 bytes) {
    switch (device) {
    case DEV_ZERO:
    case DEV_FULL:
        return fill_user(k, buffer, bytes, false);
    case DEV_RANDOM:
    case DEV_URANDOM:
        return fill_user(k, buffer, bytes, true);
    default:
        return 0;
    }
}

static i64 virtual_read(struct call *k, struct file *f, u64 buffer, u64 bytes, i64 offset) {
    u64 at = offset < 0 ? f->position : (u64)offset, stopped;
    if (S_ISDIR(f->node.mode))
        return -E_ISDIR;
    if (f->node.fs == FS_DEV)
        return device_read(k, f->node.id, buffer, bytes);
    if (!at || !f->text.bytes) {
        text_release(&f->text);
        err e = proc_text(&f->text, f->node.id);
        if (e < 0)
            return e;
    }
    if (at >= f->text.n)
        return 0;
    u64 n = MIN(bytes, f->text.n - at);
    u64 done = copy_out_some(k, buffer, f->text.bytes + at, n, &stopped);
    if (done < n && (!done || !(k->flags & IPC_FAULTED)))
        return fault_at(k, stopped, ACCESS_WRITE);
    if (offset < 0)
        f->position += done;
    return (i64)done;
}

static i64 virtual_write(struct call *k, struct file *f, u64 buffer, u64 bytes) {
    char text[16] = {0};
    if (f->node.fs == FS_DEV)
        return f->node.id == DEV_FULL ? -E_NOSPC : (i64)bytes;
    if (f->node.id != PROC_DROP_CACHES)
        return -E_BADF;
    i64 e = copy_in(k, text, buffer, MIN(bytes, sizeof text - 1));
    if (e)
        return e;
    if (text[0] < '1' || text[0] > '3')
        return -E_INVAL;
    if (!waiting_begins(k))
        return 0;
    drop_caches((u64)(text[0] - '0'));
    waiting_ends();
    return (i64)bytes;
}

static i64 virtual_lseek(struct file *f, i64 offset, u64 whence) {
    if (f->node.fs == FS_DEV)
        return 0; /* as of Linux's /dev/null: a position means nothing there */
    i64 base = whence == 0 ? 0 : (i64)f->position;
    if (whence > 1 || base + offset < 0)
        return -E_INVAL;
    f->position = (u64)(base + offset);
    return base + offset;
}

static u32 virtual_poll(struct file *f) {
    (void)f;
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

static i64 virtual_ioctl(struct call *k, struct file *f, u64 command, u64 argument) {
    (void)k, (void)f, (void)command, (void)argument;
    return -E_NOTTY;
}

static u8 type_of(u32 mode) {
    return (u8)(mode >> 12 & 15);
}

static i64 virtual_getdents(struct call *k, struct file *f, u64 buffer, u64 bytes) {
    char name[NAME_BYTES_MAX + 1];
    union {
        struct linux_dirent64 d;
        char bytes[sizeof(struct linux_dirent64) + NAME_BYTES_MAX + 8];
    } out;
    struct node entry;
    u64 done = 0, next, stopped;
    if (!S_ISDIR(f->node.mode))
        return -E_NOTDIR;
    while (virtual_entry(&state.tasks, &f->node, f->position, name, &entry, &next)) {
        u64 length = strlen(name), record = ROUND_UP(offsetof(struct linux_dirent64, d_name) + length + 1, 8);
        if (done + record > bytes)
            return done ? (i64)done : -E_INVAL;
        memset(out.bytes, 0, sizeof out);
        out.d = (struct linux_dirent64){entry.id + 1, (i64)next, (u16)record, type_of(entry.mode)};
        memcpy(out.d.d_name, name, length);
        if (copy_out_some(k, buffer + done, &out, record, &stopped) < record)
            return done ? (i64)done : fault_at(k, stopped, ACCESS_WRITE);
        done += record;
        f->position = next;
    }
    return (i64)done;
}

static err virtual_stat(struct file *f, struct linux_stat *st) {
    return node_stat(&f->node, st);
}

static void virtual_release(struct file *f) {
    (void)f;
}

const struct file_operations virtual_ops = {virtual_read,  virtual_write,    virtual_lseek, virtual_poll,
                                            virtual_ioctl, virtual_getdents, virtual_stat,  virtual_release};

/* /proc/PID/fd/N: the open file itself, once more. */
static err open_again(struct call *k, u64 id, struct file **f) {
    struct process *p = process_find(&state.tasks, PROC_PID(id));
    *f = p && p == k->task->process ? fd_get(k, PROC_FD_NR(id)) : NULL;
    return *f ? 0 : -E_NOENT;
}

err virtual_open(struct call *k, const struct node *n, const char *path, u32 flags, struct file **f) {
    bool writes = (flags & O_ACCMODE) != 0;
    if (n->fs == FS_PROC && PROC_NODE(n->id) == PROC_FD)
        return open_again(k, n->id, f);
    if (S_ISDIR(n->mode) && writes)
        return -E_ISDIR;
    if (n->fs == FS_PROC && writes && !(n->mode & 0222))
        return -E_ACCES;
    if (n->fs == FS_DEV && (n->id == DEV_TTY || n->id == DEV_CONSOLE)) {
        if (n->id == DEV_TTY && (!state.tty.session || state.tty.session != k->task->process->sid))
            return -E_NXIO;
        *f = tty_open(CHANNEL_TTY, path, flags);
    } else {
        *f = file_alloc(&virtual_ops, flags, path);
    }
    if (!*f)
        return -E_NOMEM;
    (*f)->node = *n;
    return 0;
}

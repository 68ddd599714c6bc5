/* SPDX-License-Identifier: MIT */
/* Descriptors, reading and writing. */
#include <abi/layout.h>
#include <abi/syscall.h>

#include "kern.h"
#include "state.h"
#include "sys.h"

/* A buffer that reaches out of the program's part of the address space is refused before anything moves. */
static bool in_reach(u64 buffer, u64 bytes) {
    return buffer <= USER_END && bytes <= USER_END - buffer;
}

static i64 read_file(struct call *k, struct file *f, u64 buffer, u64 bytes, i64 offset) {
    if ((f->flags & O_ACCMODE) == O_WRONLY || f->flags & O_PATH)
        return -E_BADF;
    return in_reach(buffer, bytes) ? f->ops->read(k, f, buffer, MIN(bytes, RW_BYTES_MAX), offset) : -E_FAULT;
}

static i64 write_file(struct call *k, struct file *f, u64 buffer, u64 bytes) {
    if (!(f->flags & O_ACCMODE) || f->flags & O_PATH)
        return -E_BADF;
    return in_reach(buffer, bytes) ? f->ops->write(k, f, buffer, MIN(bytes, RW_BYTES_MAX)) : -E_FAULT;
}

i64 linux_read(struct call *k) {
    struct file *f = fd_get(k, k->w[0]);
    if (!f)
        return -E_BADF;
    i64 r = read_file(k, f, k->w[1], k->w[2], -1);
    file_put(f);
    return r;
}

i64 linux_pread64(struct call *k) {
    struct file *f = fd_get(k, k->w[0]);
    if (!f)
        return -E_BADF;
    i64 r = (i64)k->w[3] < 0 ? -E_INVAL : read_file(k, f, k->w[1], k->w[2], (i64)k->w[3]);
    file_put(f);
    return r;
}

i64 linux_write(struct call *k) {
    struct file *f = fd_get(k, k->w[0]);
    if (!f)
        return -E_BADF;
    i64 r = write_file(k, f, k->w[1], k->w[2]);
    file_put(f);
    return r;
}

i64 linux_pwrite64(struct call *k) {
    struct file *f = fd_get(k, k->w[0]);
    if (!f)
        return -E_BADF;
    i64 r = (i64)k->w[3] < 0                ? -E_INVAL
            : f->pipe || f->ops == &tty_ops ? -E_SPIPE
                                            : write_file(k, f, k->w[1], k->w[2]);
    file_put(f);
    return r;
}

/* The first piece that is not empty, as if the call had named it alone: a short count is always allowed. */
i64 linux_readv(struct call *k) {
    struct iovec64 v = {0};
    u64 count = k->w[2];
    if (count > IOV_MAX)
        return -E_INVAL;
    for (u64 i = 0; i < count && !v.bytes; i++) {
        i64 e = copy_in(k, &v, k->w[1] + i * sizeof v, sizeof v);
        if (e || (i64)v.bytes < 0)
            return e ? e : -E_INVAL;
    }
    struct file *f = fd_get(k, k->w[0]);
    if (!f)
        return -E_BADF;
    i64 r = read_file(k, f, v.base, v.bytes, -1);
    file_put(f);
    return r;
}

/* Piece by piece. k->progress counts over all pieces; each piece's write sees its own part of it. */
static i64 write_pieces(struct call *k, struct file *f, u64 vector, u64 count) {
    u64 begin = 0;
    for (u64 i = 0; i < count; i++) {
        struct iovec64 v;
        i64 e = copy_in(k, &v, vector + i * sizeof v, sizeof v);
        if (e)
            return e == -E_FAULT && begin ? (i64)k->progress : e;
        u64 total = k->progress;
        if ((i64)v.bytes < 0)
            return total ? (i64)total : -E_INVAL;
        if (total >= begin + v.bytes && v.bytes) {
            begin += v.bytes;
            continue;
        }
        /* What is left of this piece. Once something was written an absent page ends the call with a short
         * count. */
        struct call part = *k;
        part.progress = 0;
        part.flags |= total ? IPC_FAULTED : 0;
        i64 r = write_file(&part, f, v.base + (total - begin), v.bytes - (total - begin));
        k->verdict = part.verdict;
        k->queue = part.queue;
        k->deadline = part.deadline;
        k->progress = total + part.progress;
        if (part.verdict != ANSWER)
            return r;
        if (r < 0)
            return total ? (i64)total : r;
        k->progress = total + (u64)r;
        if ((u64)r < v.bytes - (total - begin))
            break;
        begin += v.bytes;
    }
    return (i64)k->progress;
}

i64 linux_writev(struct call *k) {
    u64 count = k->w[2];
    if (count > IOV_MAX)
        return -E_INVAL;
    struct file *f = fd_get(k, k->w[0]);
    if (!f)
        return -E_BADF;
    i64 r = f->flags & O_ACCMODE ? write_pieces(k, f, k->w[1], count) : -E_BADF;
    file_put(f);
    return r;
}

i64 linux_lseek(struct call *k) {
    struct file *f = fd_get(k, k->w[0]);
    if (!f)
        return -E_BADF;
    i64 r = f->flags & O_PATH ? -E_BADF : f->ops->lseek(f, (i64)k->w[1], k->w[2]);
    file_put(f);
    return r;
}

i64 linux_getdents64(struct call *k) {
    struct file *f = fd_get(k, k->w[0]);
    if (!f)
        return -E_BADF;
    i64 r = f->flags & O_PATH ? -E_BADF : f->ops->getdents(k, f, k->w[1], MIN(k->w[2], RW_BYTES_MAX));
    file_put(f);
    return r;
}

i64 linux_ioctl(struct call *k) {
    struct file *f = fd_get(k, k->w[0]);
    struct files *t = k->task->process->files;
    if (!f)
        return -E_BADF;
    i64 r = 0;
    if (k->w[1] == FIOCLEX || k->w[1] == FIONCLEX) {
        files_set_cloexec(t, k->w[0], k->w[1] == FIOCLEX);
    } else if (k->w[1] == FIONBIO) {
        i32 on;
        r = copy_in(k, &on, k->w[2], sizeof on);
        if (!r)
            f->flags = on ? f->flags | O_NONBLOCK : f->flags & ~O_NONBLOCK;
    } else {
        r = f->ops->ioctl(k, f, k->w[1] & 0xffffffff, k->w[2]);
    }
    file_put(f);
    return r;
}

i64 linux_close(struct call *k) {
    struct file *f = files_remove(k->task->process->files, k->w[0]);
    if (!f)
        return -E_BADF;
    file_put(f);
    return 0;
}

static i64 duplicate(struct call *k, u64 fd, u64 least, bool cloexec) {
    struct process *p = k->task->process;
    struct file *f = fd_get(k, fd);
    if (!f)
        return -E_BADF;
    err to = files_add(p->files, f, least, p->rlimit[RLIMIT_NOFILE].now, cloexec);
    if (to < 0)
        file_put(f);
    return to;
}

static i64 duplicate_to(struct call *k, u64 fd, u64 to, bool cloexec) {
    struct process *p = k->task->process;
    struct file *old = NULL, *f = fd_get(k, fd);
    if (!f)
        return -E_BADF;
    err e = files_set(p->files, to, f, p->rlimit[RLIMIT_NOFILE].now, cloexec, &old);
    if (e < 0)
        old = f;
    if (old)
        file_put(old);
    return e;
}

i64 linux_dup(struct call *k) {
    return duplicate(k, k->w[0], 0, false);
}

i64 linux_dup2(struct call *k) {
    u32 fd = (u32)k->w[0], to = (u32)k->w[1];
    if (fd == to)
        return files_get(k->task->process->files, fd) ? (i64)to : -E_BADF;
    return duplicate_to(k, fd, to, false);
}

i64 linux_dup3(struct call *k) {
    if ((u32)k->w[0] == (u32)k->w[1] || (k->w[2] & ~(u64)O_CLOEXEC))
        return -E_INVAL;
    return duplicate_to(k, (u32)k->w[0], (u32)k->w[1], k->w[2]);
}

i64 linux_fcntl(struct call *k) {
    struct files *t = k->task->process->files;
    struct file *f = files_get(t, k->w[0]);
    if (!f)
        return -E_BADF;
    switch (k->w[1]) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return duplicate(k, k->w[0], k->w[2], k->w[1] == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return files_cloexec(t, k->w[0]);
    case F_SETFD:
        files_set_cloexec(t, k->w[0], k->w[2] & 1);
        return 0;
    case F_GETFL:
        return f->flags | O_LARGEFILE;
    case F_SETFL:
        f->flags = (f->flags & ~(O_APPEND | O_NONBLOCK)) | (k->w[2] & (O_APPEND | O_NONBLOCK));
        return 0;
    case F_GETPIPE_SZ:
        return f->pipe ? (i64)PIPE_BYTES : -E_BADF;
    default:
        return -E_INVAL; /* locks: no one writes */
    }
}

static i64 make_pipe(struct call *k, u64 to, u32 flags) {
    struct file *ends[2];
    i32 fd[2];
    if (flags & ~(O_CLOEXEC | O_NONBLOCK))
        return -E_INVAL;
    u64 stopped;
    i32 probe[2] = {-1, -1};
    if (copy_out_some(k, to, probe, sizeof probe, &stopped) < sizeof probe)
        return fault_at(k, stopped, ACCESS_WRITE);
    err e = pipe_create(ends, flags);
    if (e < 0)
        return e;
    fd[0] = (i32)fd_install(k, ends[0], flags & O_CLOEXEC);
    fd[1] = (i32)fd_install(k, ends[1], flags & O_CLOEXEC);
    struct files *t = k->task->process->files;
    if (fd[0] >= 0 && fd[1] >= 0)
        return copy_out(k, to, fd, sizeof fd);
    if (fd[0] >= 0)
        file_put(files_remove(t, (u64)fd[0]));
    if (fd[1] >= 0)
        file_put(files_remove(t, (u64)fd[1]));
    return -E_MFILE;
}

i64 linux_pipe(struct call *k) {
    return make_pipe(k, k->w[0], 0);
}

i64 linux_pipe2(struct call *k) {
    return make_pipe(k, k->w[0], (u32)k->w[1]);
}

/* Nothing is ever dirty. */
static i64 nothing_to_do(struct call *k) {
    struct file *f = files_get(k->task->process->files, k->w[0]);
    if (!f)
        return -E_BADF;
    return f->pipe ? -E_INVAL : 0;
}
i64 linux_fsync(struct call *k) {
    return nothing_to_do(k);
}
i64 linux_fdatasync(struct call *k) {
    return nothing_to_do(k);
}
i64 linux_sync(struct call *k) {
    (void)k;
    return 0;
}
i64 linux_flock(struct call *k) {
    return files_get(k->task->process->files, k->w[0]) ? -E_OPNOTSUPP : -E_BADF;
}

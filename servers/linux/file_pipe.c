/* SPDX-License-Identifier: MIT */
/* Pipes: pipe.c's ring between two open files. Bytes count as moved only once they are copied; writes of up
 * to PIPE_BUF bytes go in whole or not at all. */
#include <abi/syscall.h>

#include "kern.h"
#include "state.h"
#include "sys.h"

static i64 pipe_read(struct call *k, struct file *f, u64 buffer, u64 bytes, i64 offset) {
    struct pipe *p = f->pipe;
    u64 done = 0, n, copied, stopped;
    const char *from;
    if (offset >= 0)
        return -E_SPIPE;
    if (!bytes)
        return 0;
    while (done < bytes && (n = pipe_read_span(&p->ring, done, bytes - done, &from))) {
        copied = copy_out_some(k, buffer + done, from, n, &stopped);
        done += copied;
        if (copied < n) {
            /* Nothing is taken yet: with the page there, all of it is copied at once. */
            if (!done || !(k->flags & IPC_FAULTED))
                return fault_at(k, stopped, ACCESS_WRITE);
            break;
        }
    }
    if (done) {
        pipe_consumed(&p->ring, done);
        wake(&p->writable);
        return (i64)done;
    }
    if (!p->writers)
        return 0;
    return f->flags & O_NONBLOCK ? -E_AGAIN : block(k, &p->readable, 0, BLOCK_RESTART);
}

/* Copies into the ring behind what is there, without committing. Returns how many; *e: why it stopped, or 0;
 * -E_FAULT: at *stopped. */
static u64 fill(struct call *k, struct pipe *p, u64 buffer, u64 bytes, i64 *e, u64 *stopped) {
    u64 done = 0;
    char *to;
    *e = 0;
    while (done < bytes) {
        i64 n = pipe_write_span(&p->ring, done, bytes - done, &to);
        if (n <= 0) {
            *e = n;
            break;
        }
        u64 copied = copy_in_some(k, to, buffer + done, (u64)n, stopped);
        done += copied;
        if (copied < (u64)n) {
            *e = -E_FAULT;
            break;
        }
    }
    return done;
}

static i64 broken_pipe(struct call *k, u64 done) {
    if (done)
        return (i64)done;
    signal_task(k->task, SIGPIPE, NULL);
    return -E_PIPE;
}

/* Bytes for which a reader waits go straight to it: one copy, and its handler need not run again. False: not
 * so simple, and nothing has happened. */
static bool hand_over(struct call *k, struct pipe *p, u64 buffer, u64 bytes) {
    struct waiter *first = TAILQ_FIRST(&p->readable.waiters);
    if (!first || pipe_used(&p->ring))
        return false;
    struct task *reader = container_of(first, struct task, waiter);
    const struct kept_call *read = &reader->call;
    if (syscall_table[read->number].handler != linux_read || read->w[2] < bytes)
        return false;
    if (kern_copy_between(read->reply, read->w[1], k->reply, buffer, bytes) < bytes)
        return false;
    answer_kept(reader, (i64)bytes);
    return true;
}

/* k->progress: bytes written before this call had to wait. */
static i64 pipe_write(struct call *k, struct file *f, u64 buffer, u64 bytes) {
    struct pipe *p = f->pipe;
    i64 e;
    u64 stopped = 0;
    while (k->progress < bytes || !bytes) {
        if (!bytes)
            return 0;
        if (!p->readers)
            return broken_pipe(k, k->progress);
        if (hand_over(k, p, buffer + k->progress, bytes - k->progress))
            return (i64)bytes;
        u64 left = bytes - k->progress, room = pipe_room(&p->ring);
        if (room && (left <= room || bytes > PIPE_BUF)) {
            u64 n = fill(k, p, buffer + k->progress, MIN(left, room), &e, &stopped);
            bool whole = bytes > PIPE_BUF || n == left;
            if (n && whole) {
                pipe_written(&p->ring, n);
                k->progress += n;
                wake(&p->readable);
            }
            if (e == -E_FAULT)
                return fault_or_short(k, stopped, ACCESS_READ);
            if (e)
                return k->progress ? (i64)k->progress : e;
            continue;
        }
        if (f->flags & O_NONBLOCK)
            return k->progress ? (i64)k->progress : -E_AGAIN;
        if (k->progress && signal_is_pending(k->task))
            return (i64)k->progress;
        return block(k, &p->writable, 0, BLOCK_RESTART);
    }
    return (i64)k->progress;
}

static i64 not_readable(struct call *k, struct file *f, u64 buffer, u64 bytes, i64 offset) {
    (void)k, (void)f, (void)buffer, (void)bytes, (void)offset;
    return -E_BADF;
}
static i64 not_writable(struct call *k, struct file *f, u64 buffer, u64 bytes) {
    (void)k, (void)f, (void)buffer, (void)bytes;
    return -E_BADF;
}

static i64 pipe_lseek(struct file *f, i64 offset, u64 whence) {
    (void)f, (void)offset, (void)whence;
    return -E_SPIPE;
}

static u32 pipe_read_poll(struct file *f) {
    struct pipe *p = f->pipe;
    return (pipe_used(&p->ring) ? POLLIN | POLLRDNORM : 0) | (p->writers ? 0 : POLLHUP);
}

static u32 pipe_write_poll(struct file *f) {
    struct pipe *p = f->pipe;
    return (pipe_room(&p->ring) >= PIPE_BUF ? POLLOUT | POLLWRNORM : 0) | (p->readers ? 0 : POLLERR);
}

static i64 pipe_ioctl(struct call *k, struct file *f, u64 command, u64 argument) {
    i32 used = (i32)pipe_used(&f->pipe->ring);
    return command == FIONREAD ? copy_out(k, argument, &used, sizeof used) : -E_NOTTY;
}

static i64 pipe_getdents(struct call *k, struct file *f, u64 buffer, u64 bytes) {
    (void)k, (void)f, (void)buffer, (void)bytes;
    return -E_NOTDIR;
}

static err pipe_stat(struct file *f, struct linux_stat *st) {
    *st = (struct linux_stat){.st_dev = 9,
                              .st_ino = f->pipe->inode,
                              .st_nlink = 1,
                              .st_mode = S_IFIFO | 0600,
                              .st_blksize = PAGE_BYTES};
    return 0;
}

static void end_closed(struct pipe *p, u32 *ends) {
    --*ends;
    wake(&p->readable);
    wake(&p->writable);
    if (p->readers || p->writers)
        return;
    pipe_release(&p->ring);
    kmem_cache_free(state.pipe_cache, p);
}

static void reader_closed(struct file *f) {
    end_closed(f->pipe, &f->pipe->readers);
}

static void writer_closed(struct file *f) {
    end_closed(f->pipe, &f->pipe->writers);
}

const struct file_operations pipe_read_ops = {pipe_read,  not_writable,  pipe_lseek, pipe_read_poll,
                                              pipe_ioctl, pipe_getdents, pipe_stat,  reader_closed};
const struct file_operations pipe_write_ops = {not_readable, pipe_write,    pipe_lseek, pipe_write_poll,
                                               pipe_ioctl,   pipe_getdents, pipe_stat,  writer_closed};

err pipe_create(struct file *ends[2], u32 flags) {
    struct pipe *p = kmem_cache_alloc(state.pipe_cache, GFP_KERNEL);
    if (!p)
        return -E_NOMEM;
    *p = (struct pipe){.readers = 1, .writers = 1, .inode = ++state.next_inode};
    wait_queue_init(&p->readable);
    wait_queue_init(&p->writable);
    ends[0] = file_alloc(&pipe_read_ops, flags & O_NONBLOCK, NULL);
    ends[1] = file_alloc(&pipe_write_ops, (flags & O_NONBLOCK) | O_WRONLY, NULL);
    if (ends[0])
        ends[0]->pipe = p;
    if (ends[1])
        ends[1]->pipe = p;
    if (ends[0] && ends[1])
        return 0;
    if (ends[0])
        file_put(ends[0]);
    else
        end_closed(p, &p->readers);
    if (ends[1])
        file_put(ends[1]);
    else
        end_closed(p, &p->writers);
    return -E_NOMEM;
}

/* SPDX-License-Identifier: MIT */
/* The console's channels: the terminal, and in command mode the host's standard streams. console never waits;
 * what it cannot take or give now is tried again when it notifies. */
#include <string.h>

#include <abi/layout.h>
#include <ipc/server.h>
#include <proto/console.def>

#include "state.h"

#define CONSOLE SERVICE(SRV_CONSOLE)

/* What console has given and no program has taken yet (its page was absent). */
static struct {
    char bytes[MSG_TAIL_BYTES];
    u64 n, at;
    bool asking;  /* a worker is at it */
    bool crossed; /* and another one came meanwhile: it is to look again */
} input[CHANNEL_COUNT];

/* Hands over what is there. */
static i64 take(struct call *k, u32 channel, u64 buffer, u64 bytes) {
    u64 stopped, n = MIN(bytes, input[channel].n - input[channel].at);
    u64 done = copy_out_some(k, buffer, input[channel].bytes + input[channel].at, n, &stopped);
    input[channel].at += done;
    return done ? (i64)done : fault_at(k, stopped, ACCESS_WRITE);
}

static i64 tty_read(struct call *k, struct file *f, u64 buffer, u64 bytes, i64 offset) {
    u32 channel = f->channel;
    struct process *p = k->task->process;
    if (offset >= 0)
        return -E_SPIPE;
    if (!bytes)
        return 0;
    if (channel == CHANNEL_TTY && state.tty.group && p->sid == state.tty.session &&
        p->pgid != state.tty.group) {
        if (sig_ignored(p->sighand, SIGTTIN) || (k->task->blocked & SIGSET(SIGTTIN)))
            return -E_IO;
        signal_group(p->pgid, SIGTTIN, NULL); /* this task is of the group: it does not wait */
        return block(k, &state.tty.readable, 0, BLOCK_RESTART);
    }
    if (input[channel].at < input[channel].n)
        return take(k, channel, buffer, bytes);
    if (!input[channel].asking) {
        struct console_read_rep rep;
        input[channel].asking = true;
        err e =
            console_read(CONSOLE, &(struct console_read_req){channel, MIN(bytes, MSG_TAIL_BYTES)}, 0, &rep);
        input[channel].asking = false;
        if (input[channel].crossed)
            wake(&state.tty.readable);
        input[channel].crossed = false;
        if (e < 0 && e != -E_AGAIN)
            return e;
        if (e >= 0 && rep.bytes > sizeof input[channel].bytes)
            return -E_PROTO;
        if (e >= 0) {
            memcpy(input[channel].bytes, ipc_tail(), rep.bytes);
            input[channel].n = rep.bytes;
            input[channel].at = 0;
            return rep.bytes ? take(k, channel, buffer, bytes) : 0;
        }
    } else {
        input[channel].crossed = true;
    }
    return f->flags & O_NONBLOCK ? -E_AGAIN : block(k, &state.tty.readable, 0, BLOCK_RESTART);
}

/* k->progress: bytes written before this call had to wait. */
static i64 tty_write(struct call *k, struct file *f, u64 buffer, u64 bytes) {
    u64 stopped;
    while (k->progress < bytes) {
        struct console_write_rep rep = {0};
        u64 n = MIN(bytes - k->progress, MSG_TAIL_BYTES);
        u64 copied = copy_in_some(k, ipc_tail(), buffer + k->progress, n, &stopped);
        if (!copied)
            return fault_or_short(k, stopped, ACCESS_READ);
        err e =
            console_write(CONSOLE, &(struct console_write_req){f->channel, copied}, (copied + 7) / 8, &rep);
        if (e < 0 && e != -E_AGAIN)
            return k->progress ? (i64)k->progress : e;
        k->progress += e < 0 ? 0 : MIN(rep.taken, copied);
        if (e >= 0 && rep.taken)
            continue;
        if (f->flags & O_NONBLOCK)
            return k->progress ? (i64)k->progress : -E_AGAIN;
        if (k->progress && signal_is_pending(k->task))
            return (i64)k->progress;
        return block(k, &state.tty.writable, 0, BLOCK_RESTART);
    }
    return (i64)k->progress;
}

static i64 tty_lseek(struct file *f, i64 offset, u64 whence) {
    (void)f, (void)offset, (void)whence;
    return -E_SPIPE;
}

static u32 tty_poll(struct file *f) {
    struct console_poll_rep rep;
    if (input[f->channel].at < input[f->channel].n)
        return POLLIN | POLLRDNORM;
    err e = console_poll(CONSOLE, &(struct console_poll_req){f->channel}, &rep);
    return e < 0 ? POLLERR : (u32)rep.events;
}

static i64 get_attributes(struct call *k, u64 argument) {
    char termios[TERMIOS_BYTES];
    struct console_getattr_rep rep;
    err e = console_getattr(CONSOLE, &(struct console_getattr_req){CHANNEL_TTY}, 0, &rep);
    if (e < 0)
        return e;
    memcpy(termios, ipc_tail(), sizeof termios);
    return copy_out(k, argument, termios, sizeof termios);
}

static i64 set_attributes(struct call *k, u64 command, u64 argument) {
    struct console_setattr_rep rep;
    char termios[TERMIOS_BYTES];
    i64 e = copy_in(k, termios, argument, sizeof termios);
    if (e)
        return e;
    memcpy(ipc_tail(), termios, sizeof termios);
    return console_setattr(CONSOLE, &(struct console_setattr_req){CHANNEL_TTY, command},
                           (TERMIOS_BYTES + 7) / 8, &rep);
}

static i64 window_size(struct call *k, u64 argument) {
    struct console_winsize_rep rep;
    err e = console_winsize(CONSOLE, &(struct console_winsize_req){CHANNEL_TTY}, &rep);
    u16 size[4] = {(u16)rep.rows, (u16)rep.columns, 0, 0};
    return e < 0 ? e : copy_out(k, argument, size, sizeof size);
}

static i64 set_group(struct call *k, u64 argument) {
    i32 pgid;
    i64 e = copy_in(k, &pgid, argument, sizeof pgid);
    if (e)
        return e;
    struct process *p = k->task->process;
    if (state.tty.session != p->sid)
        return -E_NOTTY;
    if (pgid < 0)
        return -E_INVAL;
    if (!group_exists(&state.tasks, (u32)pgid, p->sid))
        return -E_PERM;
    state.tty.group = (u32)pgid;
    wake(&state.tty.readable);
    return 0;
}

static i64 tty_ioctl(struct call *k, struct file *f, u64 command, u64 argument) {
    struct process *p = k->task->process;
    i32 number;
    if (f->channel != CHANNEL_TTY)
        return -E_NOTTY;
    switch (command) {
    case TCGETS:
        return get_attributes(k, argument);
    case TCSETS:
    case TCSETS + 1:
    case TCSETSF:
        return set_attributes(k, command, argument);
    case TIOCGWINSZ:
        return window_size(k, argument);
    case TIOCGPGRP:
    case TIOCGSID:
        if (state.tty.session != p->sid)
            return -E_NOTTY;
        number = (i32)(command == TIOCGSID ? state.tty.session : state.tty.group);
        return copy_out(k, argument, &number, sizeof number);
    case TIOCSPGRP:
        return set_group(k, argument);
    case TIOCSCTTY:
        if (p->sid != p->pid)
            return -E_PERM;
        state.tty.session = p->sid;
        state.tty.group = p->pgid;
        return 0;
    case TIOCNOTTY:
        return 0;
    default:
        return -E_NOTTY;
    }
}

static i64 tty_getdents(struct call *k, struct file *f, u64 buffer, u64 bytes) {
    (void)k, (void)f, (void)buffer, (void)bytes;
    return -E_NOTDIR;
}

/* In command mode the streams look like pipes. */
static err tty_stat(struct file *f, struct linux_stat *st) {
    bool tty = f->channel == CHANNEL_TTY;
    *st = (struct linux_stat){.st_dev = FS_DEV,
                              .st_ino = 100 + f->channel,
                              .st_nlink = 1,
                              .st_blksize = 1024,
                              .st_mode = tty ? S_IFCHR | 0620 : S_IFIFO | 0600,
                              .st_rdev = tty ? 5 << 8 : 0};
    return 0;
}

static void tty_release(struct file *f) {
    (void)f;
}

const struct file_operations tty_ops = {tty_read,  tty_write,    tty_lseek, tty_poll,
                                        tty_ioctl, tty_getdents, tty_stat,  tty_release};

struct file *tty_open(u32 channel, const char *path, u32 flags) {
    struct file *f = file_alloc(&tty_ops, flags, path);
    if (f)
        f->channel = channel;
    return f;
}

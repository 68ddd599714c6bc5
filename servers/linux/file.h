/* SPDX-License-Identifier: MIT */
/* Open files. One structure for all kinds; what differs is in a table of operations (file_disk.c,
 * file_pipe.c, file_tty.c, file_virtual.c). */
#pragma once

#include "call.h"
#include "pipe.h"
#include "text.h"

struct file;
#define RW_BYTES_MAX 0x7ffff000ull /* more are not moved by one call */

struct file_operations {
    /* offset: -1 for the file's own position. */
    i64 (*read)(struct call *k, struct file *f, u64 buffer, u64 bytes, i64 offset);
    i64 (*write)(struct call *k, struct file *f, u64 buffer, u64 bytes);
    i64 (*lseek)(struct file *f, i64 offset, u64 whence);
    /* POLLxxx that hold now; never waits. */
    u32 (*poll)(struct file *f);
    i64 (*ioctl)(struct call *k, struct file *f, u64 command, u64 argument);
    i64 (*getdents)(struct call *k, struct file *f, u64 buffer, u64 bytes);
    err (*stat)(struct file *f, struct linux_stat *st);
    void (*release)(struct file *f);
};

struct pipe {
    struct pipe_ring ring;
    u32 readers, writers; /* open files */
    u64 inode;
    struct wait_queue readable, writable;
};

struct file {
    const struct file_operations *ops;
    u32 refs;         /* descriptors, and handlers at work with it */
    u32 flags;        /* O_ACCMODE, O_APPEND, O_NONBLOCK */
    struct node node; /* FS_DISK: with a reference */
    char *path;       /* canonical, of kmalloc; NULL: none (pipes) */
    u64 position;     /* of virtual files and directories */
    u64 handle;       /* FS_DISK: cache's open file */
    struct pipe *pipe;
    u32 channel;      /* a console's: enum console_channel */
    struct text text; /* contents of a file of /proc as of its last read at position 0 */
};

/* A new open file with one reference; path is copied (may be NULL). NULL: no memory. */
struct file *file_alloc(const struct file_operations *ops, u32 flags, const char *path);
static inline void file_get(struct file *f) {
    f->refs++;
}
/* Drops a reference; the last one closes the file. */
void file_put(struct file *f);
/* The caller's open file with a reference, or NULL. */
struct file *fd_get(struct call *k, u64 fd);
/* Hands a reference of f over to a new descriptor of the caller: the number or -E_MFILE, -E_NOMEM (then f is
 * put). */
i64 fd_install(struct call *k, struct file *f, bool cloexec);

extern const struct file_operations disk_file_ops, pipe_read_ops, pipe_write_ops, tty_ops, virtual_ops;

/* Opens what a node is. disk_open takes the node's reference over, if it succeeds. */
err disk_open(const struct node *n, const char *path, u32 flags, struct file **f) must_check;
err virtual_open(struct call *k, const struct node *n, const char *path, u32 flags,
                 struct file **f) must_check;
err pipe_create(struct file *ends[2], u32 flags) must_check;
struct file *tty_open(u32 channel, const char *path, u32 flags);
/* The inode's description. */
err node_stat(const struct node *n, struct linux_stat *st) must_check;

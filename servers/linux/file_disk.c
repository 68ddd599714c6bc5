/* SPDX-License-Identifier: MIT */
/* Files and directories of the disk: cache does the work, and answers reads to the program itself. */
#include <string.h>

#include <abi/layout.h>
#include <ipc/server.h>
#include <proto/cache.def>

#include "state.h"
#include "virtual.h"

#define CACHE SERVICE(SRV_CACHE)

static i64 disk_read(struct call *k, struct file *f, u64 buffer, u64 bytes, i64 offset) {
    if (S_ISDIR(f->node.mode))
        return -E_ISDIR;
    u64 label = offset < 0 ? cache_label_read : cache_label_pread;
    return forward(k, CACHE, label, f->handle, buffer, bytes, offset < 0 ? 0 : (u64)offset);
}

static i64 disk_write(struct call *k, struct file *f, u64 buffer, u64 bytes) {
    (void)k, (void)f, (void)buffer, (void)bytes;
    return -E_BADF; /* none is open for writing */
}

static i64 disk_lseek(struct file *f, i64 offset, u64 whence) {
    struct cache_lseek_rep rep;
    err e = cache_lseek(CACHE, &(struct cache_lseek_req){f->handle, offset, whence}, &rep);
    return e < 0 ? e : rep.position;
}

static u32 disk_poll(struct file *f) {
    (void)f;
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

static i64 disk_ioctl(struct call *k, struct file *f, u64 command, u64 argument) {
    (void)k, (void)f, (void)command, (void)argument;
    return -E_NOTTY;
}

static i64 disk_getdents(struct call *k, struct file *f, u64 buffer, u64 bytes) {
    if (!S_ISDIR(f->node.mode))
        return -E_NOTDIR;
    return forward(k, CACHE, cache_label_getdents, f->handle, buffer, bytes, 0);
}

static err disk_stat(struct file *f, struct linux_stat *st) {
    return node_stat(&f->node, st);
}

static void disk_release(struct file *f) {
    struct cache_close_rep rep;
    err e = cache_close(CACHE, &(struct cache_close_req){f->handle}, &rep);
    (void)e;
    node_put(&f->node);
}

const struct file_operations disk_file_ops = {disk_read,  disk_write,    disk_lseek, disk_poll,
                                              disk_ioctl, disk_getdents, disk_stat,  disk_release};

err disk_open(const struct node *n, const char *path, u32 flags, struct file **f) {
    struct cache_open_rep rep;
    err e = cache_open(CACHE, &(struct cache_open_req){n->id, flags}, &rep);
    if (e < 0)
        return e;
    *f = file_alloc(&disk_file_ops, flags, path);
    if (!*f) {
        struct cache_close_rep closed;
        e = cache_close(CACHE, &(struct cache_close_req){rep.file}, &closed);
        return -E_NOMEM;
    }
    (*f)->node = *n;
    (*f)->handle = rep.file;
    return 0;
}

/* major << 8 | minor */
static const u16 device_number[] = {
    [DEV_NULL] = 0x103,    [DEV_ZERO] = 0x105, [DEV_FULL] = 0x107,   [DEV_RANDOM] = 0x108,
    [DEV_URANDOM] = 0x109, [DEV_TTY] = 0x500,  [DEV_CONSOLE] = 0x501};

err node_stat(const struct node *n, struct linux_stat *st) {
    *st = (struct linux_stat){0};
    if (n->fs != FS_DISK) {
        st->st_dev = n->fs;
        st->st_ino = n->id + 1;
        st->st_mode = n->mode;
        st->st_nlink = S_ISDIR(n->mode) ? 2 : 1;
        st->st_blksize = PAGE_BYTES;
        if ((n->mode & S_IFMT) == S_IFCHR)
            st->st_rdev = device_number[n->id];
        return 0;
    }
    struct cache_stat_rep rep;
    struct cache_stat s;
    err e = cache_stat(CACHE, &(struct cache_stat_req){n->id}, 0, &rep);
    if (e < 0)
        return e;
    memcpy(&s, ipc_tail(), sizeof s);
    *st = (struct linux_stat){.st_dev = 0x300,
                              .st_ino = s.inode,
                              .st_nlink = s.links,
                              .st_mode = (u32)s.mode,
                              .st_uid = (u32)s.uid,
                              .st_gid = (u32)s.gid,
                              .st_rdev = s.device,
                              .st_size = (i64)s.size,
                              .st_blksize = (i64)s.block_bytes,
                              .st_blocks = (i64)s.blocks_512,
                              .atime = s.atime,
                              .mtime = s.mtime,
                              .ctime = s.ctime};
    return 0;
}

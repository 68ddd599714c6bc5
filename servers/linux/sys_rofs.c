/* SPDX-License-Identifier: MIT */
/* Calls that would change the disk: it is read-only, so each ends in an error, but in the one that Linux
 * gives for that path on a read-only disk. */
#include "kern.h"
#include "state.h"
#include "sys.h"

/* Something that must exist is to be changed. */
static i64 change(struct call *k, i64 dirfd, u64 path, u32 flags) {
    i64 e = walk_user(k, dirfd, path, flags, NULL);
    if (e < 0)
        return e;
    struct node n = walk_buffer()->result.node;
    node_put(&n);
    return n.fs == FS_DISK ? -E_ROFS : -E_PERM;
}

/* A name that must not exist is to be made. */
static i64 make(struct call *k, i64 dirfd, u64 path) {
    bool last_missing;
    i64 e = walk_user(k, dirfd, path, PATH_NOFOLLOW, &last_missing);
    if (e == -E_NOENT && last_missing)
        return -E_ROFS;
    if (e < 0)
        return e;
    node_put(&walk_buffer()->result.node);
    return -E_EXIST;
}

/* A name is to go: Linux refuses before it looks whether it is there. */
static i64 detach(struct call *k, i64 dirfd, u64 path) {
    i64 e = make(k, dirfd, path);
    return e == -E_EXIST ? -E_ROFS : e;
}

#define DIR_FD ((i64)k->w[0])
#define DEFINE(name, body)                                                                                   \
    i64 linux_##name(struct call *k) {                                                                       \
        return body;                                                                                         \
    }
DEFINE(truncate, change(k, AT_FDCWD, k->w[0], 0))
DEFINE(rename, detach(k, AT_FDCWD, k->w[0]))
DEFINE(renameat, detach(k, DIR_FD, k->w[1]))
DEFINE(renameat2, detach(k, DIR_FD, k->w[1]))
DEFINE(mkdir, make(k, AT_FDCWD, k->w[0]))
DEFINE(mkdirat, make(k, DIR_FD, k->w[1]))
DEFINE(rmdir, detach(k, AT_FDCWD, k->w[0]))
DEFINE(unlink, detach(k, AT_FDCWD, k->w[0]))
DEFINE(unlinkat, detach(k, DIR_FD, k->w[1]))
DEFINE(link, make(k, AT_FDCWD, k->w[1]))
DEFINE(linkat, make(k, (i64)k->w[2], k->w[3]))
DEFINE(symlink, make(k, AT_FDCWD, k->w[1]))
DEFINE(symlinkat, make(k, (i64)k->w[1], k->w[2]))
DEFINE(chmod, change(k, AT_FDCWD, k->w[0], 0))
DEFINE(fchmodat, change(k, DIR_FD, k->w[1], 0))
DEFINE(chown, change(k, AT_FDCWD, k->w[0], 0))
DEFINE(lchown, change(k, AT_FDCWD, k->w[0], PATH_NOFOLLOW))
DEFINE(fchownat, change(k, DIR_FD, k->w[1], k->w[4] & AT_SYMLINK_NOFOLLOW ? PATH_NOFOLLOW : 0))
DEFINE(utime, change(k, AT_FDCWD, k->w[0], 0))
DEFINE(utimes, change(k, AT_FDCWD, k->w[0], 0))

static i64 change_file(struct call *k, u64 fd) {
    struct file *f = files_get(k->task->process->files, fd);
    if (!f)
        return -E_BADF;
    return f->node.fs == FS_DISK ? -E_ROFS : -E_INVAL;
}
/* Needs a file open for writing, and no file of the disk is. */
DEFINE(ftruncate, files_get(k->task->process->files, k->w[0]) ? -E_INVAL : -E_BADF)
DEFINE(fchmod, change_file(k, k->w[0]))
DEFINE(fchown, change_file(k, k->w[0]))
DEFINE(utimensat, k->w[1] ? change(k, DIR_FD, k->w[1], k->w[3] & AT_SYMLINK_NOFOLLOW ? PATH_NOFOLLOW : 0)
                          : change_file(k, (u32)k->w[0]))

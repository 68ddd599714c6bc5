/* SPDX-License-Identifier: MIT */
/* Calls that take a path: open, stat, links, directories; and all that would change the disk, which is
 * read-only. */
#include <string.h>

#include <abi/layout.h>
#include <ipc/server.h>
#include <proto/cache.def>

#include "kern.h"
#include "state.h"
#include "sys.h"

static i64 open_node(struct call *k, struct path_walk *w, u32 flags) {
    struct node *n = &w->result.node;
    struct file *f = NULL;
    err e;
    if ((flags & O_CREAT) && (flags & O_EXCL))
        e = -E_EXIST;
    else if (S_ISLNK(n->mode) && !(flags & O_PATH))
        e = -E_LOOP;
    else if (S_ISDIR(n->mode) && (flags & (O_ACCMODE | O_CREAT)))
        e = -E_ISDIR;
    else if (n->fs == FS_DISK)
        e = disk_open(n, w->result.path, flags & ~O_CREAT, &f);
    else
        e = virtual_open(k, n, w->result.path, flags, &f);
    if (e < 0 || n->fs != FS_DISK)
        node_put(n); /* otherwise it is the file's now */
    return e < 0 ? e : fd_install(k, f, flags & O_CLOEXEC);
}

static i64 do_open(struct call *k, i64 dirfd, u64 path, u32 flags) {
    bool last_missing = false;
    if (flags & O_PATH)
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    bool alone = (flags & O_CREAT) && (flags & O_EXCL);
    u32 walk = (flags & O_NOFOLLOW || alone ? PATH_NOFOLLOW : 0) | (flags & O_DIRECTORY ? PATH_DIRECTORY : 0);
    i64 e = walk_user(k, dirfd, path, walk, &last_missing);
    if (e == -E_NOENT && last_missing && (flags & O_CREAT)) {
        const char *name = walk_buffer()->name;
        return name[strlen(name) - 1] == '/' ? -E_ISDIR : -E_ROFS;
    }
    return e < 0 ? e : open_node(k, walk_buffer(), flags);
}

i64 linux_open(struct call *k) {
    return do_open(k, AT_FDCWD, k->w[0], (u32)k->w[1]);
}
i64 linux_openat(struct call *k) {
    return do_open(k, (i64)k->w[0], k->w[1], (u32)k->w[2]);
}
i64 linux_creat(struct call *k) {
    return do_open(k, AT_FDCWD, k->w[0], O_CREAT | O_WRONLY | O_TRUNC);
}

static i64 do_stat(struct call *k, i64 dirfd, u64 path, u32 flags, u64 to) {
    struct linux_stat st;
    i64 e = walk_user(k, dirfd, path, flags, NULL);
    if (e < 0)
        return e;
    struct node n = walk_buffer()->result.node;
    e = node_stat(&n, &st);
    node_put(&n);
    return e < 0 ? e : copy_out(k, to, &st, sizeof st);
}

static i64 do_fstat(struct call *k, u64 fd, u64 to) {
    struct linux_stat st;
    struct file *f = fd_get(k, fd);
    if (!f)
        return -E_BADF;
    i64 e = f->ops->stat(f, &st);
    file_put(f);
    return e < 0 ? e : copy_out(k, to, &st, sizeof st);
}

i64 linux_stat(struct call *k) {
    return do_stat(k, AT_FDCWD, k->w[0], 0, k->w[1]);
}
i64 linux_lstat(struct call *k) {
    return do_stat(k, AT_FDCWD, k->w[0], PATH_NOFOLLOW, k->w[1]);
}
i64 linux_fstat(struct call *k) {
    return do_fstat(k, k->w[0], k->w[1]);
}

i64 linux_newfstatat(struct call *k) {
    char first = 1;
    const u64 known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;
    if (k->w[3] & ~known)
        return -E_INVAL;
    if (k->w[3] & AT_EMPTY_PATH) {
        i64 e = copy_in(k, &first, k->w[1], 1);
        if (e)
            return e;
    }
    if (!first && (i32)k->w[0] != AT_FDCWD)
        return do_fstat(k, (u32)k->w[0], k->w[2]);
    if (!first) {
        struct linux_stat st;
        i64 e = node_stat(&k->task->process->fs->cwd, &st);
        return e < 0 ? e : copy_out(k, k->w[2], &st, sizeof st);
    }
    return do_stat(k, (i64)k->w[0], k->w[1], k->w[3] & AT_SYMLINK_NOFOLLOW ? PATH_NOFOLLOW : 0, k->w[2]);
}

/* All programs are root's: what exists may be read; nothing of the disk may be written; some mode must have
 * an x. */
static i64 do_access(struct call *k, i64 dirfd, u64 path, u64 mode, u64 flags) {
    if ((mode & ~7ull) || (flags & ~(u64)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
        return -E_INVAL;
    i64 e = walk_user(k, dirfd, path, flags & AT_SYMLINK_NOFOLLOW ? PATH_NOFOLLOW : 0, NULL);
    if (e < 0)
        return e;
    struct node n = walk_buffer()->result.node;
    node_put(&n);
    if ((mode & 1) && !(n.mode & 0111) && !S_ISDIR(n.mode))
        return -E_ACCES;
    if ((mode & 2) && n.fs == FS_DISK)
        return -E_ROFS;
    return 0;
}

i64 linux_access(struct call *k) {
    return do_access(k, AT_FDCWD, k->w[0], k->w[1], 0);
}
i64 linux_faccessat(struct call *k) {
    return do_access(k, (i64)k->w[0], k->w[1], k->w[2], 0);
}
i64 linux_faccessat2(struct call *k) {
    return do_access(k, (i64)k->w[0], k->w[1], k->w[2], k->w[3]);
}

static i64 do_readlink(struct call *k, i64 dirfd, u64 path, u64 buffer, u64 bytes) {
    struct path_walk *w = walk_buffer();
    if ((i64)bytes <= 0)
        return -E_INVAL;
    i64 e = walk_user(k, dirfd, path, PATH_NOFOLLOW, NULL);
    if (e < 0)
        return e;
    struct node n = w->result.node;
    e = S_ISLNK(n.mode) ? node_readlink(k->task->process, &n, w->target) : -E_INVAL;
    node_put(&n);
    if (e < 0)
        return e;
    u64 length = MIN(strlen(w->target), bytes);
    e = copy_out(k, buffer, w->target, length);
    return e ? e : (i64)length;
}

i64 linux_readlink(struct call *k) {
    return do_readlink(k, AT_FDCWD, k->w[0], k->w[1], k->w[2]);
}
i64 linux_readlinkat(struct call *k) {
    return do_readlink(k, (i64)k->w[0], k->w[1], k->w[2], k->w[3]);
}

/* The process's directory becomes node (its reference is taken over). */
static i64 set_cwd(struct process *p, const struct node *n, const char *path) {
    char *copy = string_copy(path);
    if (!copy) {
        node_put(n);
        return -E_NOMEM;
    }
    struct node old = p->fs->cwd;
    kfree(p->fs->cwd_path);
    p->fs->cwd = *n;
    p->fs->cwd_path = copy;
    node_put(&old);
    return 0;
}

i64 linux_chdir(struct call *k) {
    struct path_walk *w = walk_buffer();
    i64 e = walk_user(k, AT_FDCWD, k->w[0], PATH_DIRECTORY, NULL);
    return e < 0 ? e : set_cwd(k->task->process, &w->result.node, w->result.path);
}

i64 linux_fchdir(struct call *k) {
    struct file *f = fd_get(k, k->w[0]);
    if (!f)
        return -E_BADF;
    i64 r = -E_NOTDIR;
    if (f->path && S_ISDIR(f->node.mode)) {
        node_get(&f->node);
        r = set_cwd(k->task->process, &f->node, f->path);
    }
    file_put(f);
    return r;
}

i64 linux_getcwd(struct call *k) {
    const char *path = k->task->process->fs->cwd_path;
    u64 n = strlen(path) + 1;
    if (k->w[1] < n)
        return -E_RANGE;
    i64 e = copy_out(k, k->w[0], path, n);
    return e ? e : (i64)n;
}

i64 linux_umask(struct call *k) {
    struct fs *fs = k->task->process->fs;
    u32 old = fs->umask;
    fs->umask = (u32)k->w[0] & 0777;
    return old;
}

static i64 put_statfs(struct call *k, bool disk, u64 to) {
    struct linux_statfs s = {
        .f_type = 0x9fa0, .f_bsize = PAGE_BYTES, .f_namelen = NAME_BYTES_MAX, .f_flags = 1};
    if (disk) {
        struct cache_mount_rep rep;
        struct cache_fs fs;
        err e = cache_mount(SERVICE(SRV_CACHE), &(struct cache_mount_req){0}, 0, &rep);
        if (e < 0)
            return e;
        memcpy(&fs, ipc_tail(), sizeof fs);
        node_put(&(struct node){.fs = FS_DISK, .id = rep.root});
        s = (struct linux_statfs){.f_type = 0xef53,
                                  .f_bsize = fs.block_bytes,
                                  .f_frsize = fs.block_bytes,
                                  .f_blocks = fs.blocks,
                                  .f_bfree = fs.blocks_free,
                                  .f_bavail = fs.blocks_free,
                                  .f_files = fs.inodes,
                                  .f_ffree = fs.inodes_free,
                                  .f_namelen = fs.name_bytes_max,
                                  .f_flags = 1};
    }
    return copy_out(k, to, &s, sizeof s);
}

i64 linux_statfs(struct call *k) {
    i64 e = walk_user(k, AT_FDCWD, k->w[0], 0, NULL);
    if (e < 0)
        return e;
    struct node n = walk_buffer()->result.node;
    node_put(&n);
    return put_statfs(k, n.fs == FS_DISK, k->w[1]);
}

i64 linux_fstatfs(struct call *k) {
    struct file *f = files_get(k->task->process->files, k->w[0]);
    return f ? put_statfs(k, f->node.fs == FS_DISK, k->w[1]) : -E_BADF;
}

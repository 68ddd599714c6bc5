/* SPDX-License-Identifier: MIT */
/* Paths to nodes: the walk of path.c over the disk (cache's lookup and readlink) and the virtual directories
 * /proc and /dev. */
#include <string.h>

#include <abi/layout.h>
#include <ipc/server.h>
#include <proto/cache.def>

#include "kern.h"
#include "state.h"
#include "virtual.h"

static struct path_walk buffers[WORKERS];

struct path_walk *walk_buffer(void) {
    return &buffers[kern_worker()];
}

char *string_copy(const char *s) {
    u64 n = strlen(s) + 1;
    char *copy = kmalloc(n, GFP_KERNEL);
    if (copy)
        memcpy(copy, s, n);
    return copy;
}

void node_get(const struct node *n) {
    struct cache_get_rep rep;
    if (n->fs == FS_DISK) {
        err e = cache_get(SERVICE(SRV_CACHE), &(struct cache_get_req){n->id}, &rep);
        (void)e; /* of an object that we hold already */
    }
}

void node_put(const struct node *n) {
    struct cache_put_rep rep;
    if (n->fs == FS_DISK) {
        err e = cache_put(SERVICE(SRV_CACHE), &(struct cache_put_req){n->id}, &rep);
        (void)e;
    }
}

static err disk_lookup(const struct node *dir, const char *name, u32 bytes, struct node *found) {
    struct cache_lookup_rep rep;
    memset(ipc_tail() + bytes / 8, 0, 8);
    memcpy(ipc_tail(), name, bytes);
    err e =
        cache_lookup(SERVICE(SRV_CACHE), &(struct cache_lookup_req){dir->id, bytes}, (bytes + 7) / 8, &rep);
    if (e >= 0)
        *found = (struct node){FS_DISK, (u32)rep.mode, rep.object, rep.inode, rep.size};
    return e < 0 ? e : 0;
}

static err lookup(void *of, const struct node *dir, const char *dir_path, const char *name, u32 bytes,
                  struct node *found) {
    (void)of;
    if (dir->fs != FS_DISK) {
        if (bytes == 2 && !memcmp(name, "..", 2) && virtual_is_top(dir)) {
            *found = state.root;
            node_get(found);
            return 0;
        }
        return virtual_lookup(&state.tasks, dir, name, bytes, found);
    }
    if (!dir_path[1] && virtual_mount(name, bytes, found))
        return 0;
    return disk_lookup(dir, name, bytes, found);
}

static err disk_readlink(const struct node *link, char *to) {
    struct cache_readlink_rep rep;
    u64 done = 0;
    do {
        err e = cache_readlink(SERVICE(SRV_CACHE), &(struct cache_readlink_req){link->id, done}, 0, &rep);
        if (e < 0)
            return e;
        if (rep.bytes > MSG_TAIL_BYTES)
            return -E_PROTO;
        if (done + rep.bytes >= PATH_BYTES_MAX)
            return -E_NAMETOOLONG;
        memcpy(to + done, ipc_tail(), rep.bytes);
        done += rep.bytes;
    } while (rep.bytes && done < rep.total);
    to[done] = 0;
    return 0;
}

static err readlink_of(void *of, const struct node *link, char *to) {
    struct process *p = of;
    return link->fs == FS_DISK ? disk_readlink(link, to) : virtual_readlink(&state.tasks, p, link, to);
}

static void get(void *of, const struct node *n) {
    (void)of;
    node_get(n);
}
static void put(void *of, const struct node *n) {
    (void)of;
    node_put(n);
}

static err walk_at(struct process *p, const struct node *start, const char *start_path, struct path_walk *w,
                   u32 flags, bool *last_missing) {
    const struct path_ops ops = {lookup, readlink_of, get, put, p};
    return path_walk(w, &ops, &state.root, start, start_path, flags, last_missing);
}

err walk_from(struct process *p, struct path_walk *w, u32 flags, bool *last_missing) {
    return walk_at(p, &p->fs->cwd, p->fs->cwd_path, w, flags, last_missing);
}

i64 walk_user(struct call *k, i64 dirfd, u64 path, u32 flags, bool *last_missing) {
    struct path_walk *w = walk_buffer();
    struct process *p = k->task->process;
    i64 n = copy_string(k, w->name, path, sizeof w->name);
    if (n <= 0)
        return n ? n : -E_NOENT;
    if ((i32)dirfd == AT_FDCWD || w->name[0] == '/')
        return walk_from(p, w, flags, last_missing);
    struct file *f = fd_get(k, (u32)dirfd);
    if (!f)
        return -E_BADF;
    err e =
        f->path && S_ISDIR(f->node.mode) ? walk_at(p, &f->node, f->path, w, flags, last_missing) : -E_NOTDIR;
    file_put(f);
    return e;
}

i64 node_readlink(struct process *p, const struct node *link, char *to) {
    return readlink_of(p, link, to);
}

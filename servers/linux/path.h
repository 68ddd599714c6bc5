/* SPDX-License-Identifier: MIT */
/* Path walk: from a path to a node, over callbacks that know directories and symbolic links. Pure; the
 * callbacks may wait.
 *
 * A canonical path (absolute, no links, no dots) is built on the way: as nothing is ever renamed here it
 * names the node. */
#pragma once

#include <abi/types.h>
#include "uapi.h"

#define PATH_LINKS_MAX 40

enum node_fs { FS_NONE, FS_DISK, FS_PROC, FS_DEV };
/* An inode of some file system. A node of FS_DISK holds a reference to cache's object. */
struct node {
    u32 fs;    /* enum node_fs */
    u32 mode;  /* type and permissions */
    u64 id;    /* FS_DISK: cache's object; otherwise see virtual.h */
    u64 inode; /* FS_DISK: its number on the disk (of the root: 0) */
    u64 size;  /* FS_DISK, a regular file: bytes, when it was looked up */
};

struct path_ops {
    /* One component in a directory, a new reference. -E_NOENT, -E_NOTDIR ... dir_path: dir's canonical
     * path. */
    err (*lookup)(void *of, const struct node *dir, const char *dir_path, const char *name, u32 bytes,
                  struct node *found);
    /* The target of a link, at most PATH_BYTES_MAX - 1 bytes and a 0. */
    err (*readlink)(void *of, const struct node *link, char *to);
    void (*get)(void *of, const struct node *n);
    void (*put)(void *of, const struct node *n);
    void *of;
};

/* What is found. `node` holds a reference that the caller puts. */
struct path_result {
    struct node node;
    char path[PATH_BYTES_MAX]; /* canonical */
};
enum path_flag {
    PATH_NOFOLLOW = 1, /* a link in the last place is the result itself */
    PATH_DIRECTORY = 2 /* the result must be a directory */
};
/* Buffers of a walk; too large for a server's stack. */
struct path_walk {
    struct path_result result;
    char rest[2 * PATH_BYTES_MAX]; /* what is still to be walked */
    char target[PATH_BYTES_MAX];
    char name[PATH_BYTES_MAX]; /* the caller's: the path as the program gave it */
};

/* Walks w->name from `start` (its canonical path start_path; borrowed) or, if absolute, from root. On success
 * w->result is filled. *parent (may be NULL) says, with -E_NOENT, whether only the last component is missing.
 * Errors: as Linux. */
err path_walk(struct path_walk *w, const struct path_ops *ops, const struct node *root,
              const struct node *start, const char *start_path, u32 flags, bool *last_missing) must_check;

/* SPDX-License-Identifier: MIT */
/* Names: (directory, name) -> inode number, also for names that do not exist. Only a cache: it can be dropped
 * at any time, and names too long for it are looked up in the directory each time. */
#pragma once

#include <abi/types.h>
#include <ipc/queue.h>

struct cache;
struct inode;
struct kmem_cache;

enum { DENTRY_BUCKETS = 512, DNAME_BYTES = 40, NAME_MAX_BYTES = 255 };

struct dentry {
    LIST_ENTRY(dentry) hash;
    TAILQ_ENTRY(dentry) lru;
    u32 dir; /* inode number of the directory */
    u32 ino; /* 0: there is no such name */
    u32 len;
    char name[DNAME_BYTES]; /* not ended by 0 */
};

LIST_HEAD(dentry_bucket, dentry);
TAILQ_HEAD(dentry_list, dentry);

struct dentry_cache {
    struct dentry_bucket bucket[DENTRY_BUCKETS];
    struct dentry_list lru;   /* least recently used first */
    struct kmem_cache *heads; /* "dentry_cache" */
    u64 dentries;
};

err dentry_init(struct dentry_cache *dc) must_check;

/* The inode behind one name in a directory, counted; symbolic links are not followed. The name is not empty,
 * has no '/', and need not end by 0. -E_NOENT, -E_NOTDIR, -E_NAMETOOLONG, -E_IO, -E_NOMEM, -E_AGAIN. Long
 * wait; the caller has dir counted. */
err lookup(struct cache *c, struct inode *dir, const char *name, u64 len, struct inode **out) must_check;

/* Frees up to `want` names, the least recently used first; returns how many. Never waits. */
u64 prune_dcache(struct cache *c, u64 want);

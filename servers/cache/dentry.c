/* SPDX-License-Identifier: MIT */
#include "dentry.h"

#include <ipc/gfp.h>
#include <ipc/slab.h>
#include <string.h>

#include "cache.h"

err dentry_init(struct dentry_cache *dc) {
    for (u32 i = 0; i < DENTRY_BUCKETS; i++)
        LIST_INIT(&dc->bucket[i]);
    TAILQ_INIT(&dc->lru);
    dc->heads = kmem_cache_create("dentry_cache", sizeof(struct dentry), 0, 0, NULL, NULL);
    return dc->heads ? 0 : -E_NOMEM;
}

static struct dentry_bucket *bucket_of(struct dentry_cache *dc, u32 dir, const char *name, u64 len) {
    u32 hash = dir;
    for (u64 i = 0; i < len; i++)
        hash = (hash ^ (u8)name[i]) * 16777619u; /* FNV-1a */
    return &dc->bucket[hash % DENTRY_BUCKETS];
}

static struct dentry *find_dentry(struct dentry_cache *dc, u32 dir, const char *name, u64 len) {
    struct dentry *d;
    LIST_FOREACH(d, bucket_of(dc, dir, name, len), hash) {
        if (d->dir == dir && d->len == len && memcmp(d->name, name, len) == 0) {
            TAILQ_REMOVE(&dc->lru, d, lru);
            TAILQ_INSERT_TAIL(&dc->lru, d, lru);
            return d;
        }
    }
    return NULL;
}

/* Remembers a name, if it is short enough and there is memory. Short wait. */
static void add_dentry(struct cache *c, u32 dir, const char *name, u64 len, u32 ino) {
    struct dentry_cache *dc = &c->dentries;
    if (len > DNAME_BYTES)
        return;
    struct dentry *d = kmem_cache_alloc(dc->heads, GFP_KERNEL);
    if (!d)
        return;
    if (find_dentry(dc, dir, name, len)) {
        kmem_cache_free(dc->heads, d);
        return;
    }
    d->dir = dir;
    d->ino = ino;
    d->len = (u32)len;
    memcpy(d->name, name, len);
    LIST_INSERT_HEAD(bucket_of(dc, dir, name, len), d, hash);
    TAILQ_INSERT_TAIL(&dc->lru, d, lru);
    dc->dentries++;
}

err lookup(struct cache *c, struct inode *dir, const char *name, u64 len, struct inode **out) {
    if (dir->kind != INODE_DIR)
        return -E_NOTDIR;
    if (len > NAME_MAX_BYTES)
        return -E_NAMETOOLONG;
    struct dentry *d = len <= DNAME_BYTES ? find_dentry(&c->dentries, dir->ino, name, len) : NULL;
    u32 ino;
    if (d) {
        ino = d->ino;
    } else {
        err e = ext2_lookup(c, dir, name, len, &ino);
        if (e && e != -E_NOENT)
            return e;
        if (e)
            ino = 0;
        add_dentry(c, dir->ino, name, len, ino);
    }
    return ino ? iget(c, ino, out) : -E_NOENT;
}

u64 prune_dcache(struct cache *c, u64 want) {
    struct dentry_cache *dc = &c->dentries;
    u64 freed = 0;
    for (; freed < want && !TAILQ_EMPTY(&dc->lru); freed++) {
        struct dentry *d = TAILQ_FIRST(&dc->lru);
        LIST_REMOVE(d, hash);
        TAILQ_REMOVE(&dc->lru, d, lru);
        dc->dentries--;
        kmem_cache_free(dc->heads, d);
    }
    return freed;
}

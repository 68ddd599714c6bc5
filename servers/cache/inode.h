/* SPDX-License-Identifier: MIT */
/* Objects in memory: files, directories and symbolic links of the disk, and anonymous shared memory.
 *
 * count is the number of users: open handles, regions' objects, and requests under way. At 0 an inode of the
 * disk stays cached, with its pages, until memory is short; shared memory goes at once, or as soon as its
 * last page is mapped nowhere. An inode that has pages is never freed. */
#pragma once

#include <abi/types.h>
#include <ipc/queue.h>

#include "page.h"

struct cache;
struct kmem_cache;

enum { INODE_BUCKETS = 512, INODE_BLOCKS = 15 };

enum inode_kind { INODE_FILE, INODE_DIR, INODE_SYMLINK, INODE_OTHER, INODE_SHM };

struct inode {
    LIST_ENTRY(inode) hash;    /* not INODE_SHM */
    TAILQ_ENTRY(inode) unused; /* if count is 0 */
    struct page_list pages;    /* its queue in the page cache */
    u64 npages;
    u32 count;
    u32 references; /* that other servers hold by its object number; each is one of count */
    u64 object;     /* the number they know it by; 0: references is 0 */
    enum inode_kind kind;
    u32 ino; /* 0: INODE_SHM */
    u32 mode, links, uid, gid;
    u64 size;    /* bytes */
    u64 sectors; /* of 512 bytes, that it takes on the disk */
    u32 atime, mtime, ctime;
    u32 rdev;
    bool dead;               /* INODE_SHM: the last user is gone, or just going: its pages are garbage */
    bool fast_symlink;       /* its target lies in block[] */
    u32 block[INODE_BLOCKS]; /* direct 0..11, single, double, triple indirect; checked when used */
};

LIST_HEAD(inode_bucket, inode);
TAILQ_HEAD(inode_list, inode);

struct inode_cache {
    struct inode_bucket bucket[INODE_BUCKETS];
    struct inode_list unused; /* least recently used first */
    struct kmem_cache *heads; /* "inode_cache" */
    u64 inodes, nunused;
};

err inode_init(struct inode_cache *ic) must_check;

/* The inode with that number, counted. -E_IO: no such inode, a free one, or one that makes no sense.
 * -E_NOMEM, -E_AGAIN. Long wait. */
err iget(struct cache *c, u32 ino, struct inode **out) must_check;

/* One more user of an inode that has one. Never waits. */
void inode_hold(struct inode *inode);

/* One user less. Short wait, if it was the last one of shared memory. */
void iput(struct cache *c, struct inode *inode);

/* A new object of shared memory of `size` bytes, counted once. -E_NOMEM; -E_INVAL: size 0. Short wait. */
err shm_create(struct cache *c, u64 size, struct inode **out) must_check;

/* Frees unused inodes without pages, at most `want`, the least recently used first; returns how many. Never
 * waits. */
u64 prune_icache(struct cache *c, u64 want);

/* Pages of the object: an index is below. */
static inline u64 inode_page_count(const struct inode *inode) {
    return inode->size / PAGE_BYTES + (inode->size % PAGE_BYTES != 0);
}

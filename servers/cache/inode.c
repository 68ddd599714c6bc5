/* SPDX-License-Identifier: MIT */
#include "inode.h"

#include <ipc/assert.h>
#include <ipc/slab.h>

#include "cache.h"
#include "reclaim.h"

err inode_init(struct inode_cache *ic) {
    for (u32 i = 0; i < INODE_BUCKETS; i++)
        LIST_INIT(&ic->bucket[i]);
    TAILQ_INIT(&ic->unused);
    ic->heads = kmem_cache_create("inode_cache", sizeof(struct inode), 0, 0, NULL, NULL);
    return ic->heads ? 0 : -E_NOMEM;
}

static struct inode *find_inode(struct inode_cache *ic, u32 ino) {
    struct inode *inode;
    LIST_FOREACH(inode, &ic->bucket[ino % INODE_BUCKETS], hash) {
        if (inode->ino == ino)
            return inode;
    }
    return NULL;
}

static void take(struct inode_cache *ic, struct inode *inode) {
    if (inode->count++ == 0) {
        TAILQ_REMOVE(&ic->unused, inode, unused);
        ic->nunused--;
    }
}

err iget(struct cache *c, u32 ino, struct inode **out) {
    struct inode *inode = find_inode(&c->inodes, ino);
    if (!inode) {
        struct inode read;
        err e = ext2_read_inode(c, ino, &read);
        if (e)
            return e;
        struct inode *made = cache_object(c, c->inodes.heads);
        if (!made)
            return -E_NOMEM;
        inode = find_inode(&c->inodes, ino); /* another worker may have read it meanwhile */
        if (!inode) {
            *made = read;
            TAILQ_INIT(&made->pages);
            made->count = 1;
            LIST_INSERT_HEAD(&c->inodes.bucket[ino % INODE_BUCKETS], made, hash);
            c->inodes.inodes++;
            *out = made;
            return 0;
        }
        kmem_cache_free(c->inodes.heads, made);
    }
    take(&c->inodes, inode);
    *out = inode;
    return 0;
}

void inode_hold(struct inode *inode) {
    ASSERT(inode->count > 0);
    inode->count++;
}

static void free_inode(struct cache *c, struct inode *inode) {
    ASSERT(inode->npages == 0 && inode->count == 0);
    c->inodes.inodes--;
    if (inode->kind != INODE_SHM)
        LIST_REMOVE(inode, hash);
    kmem_cache_free(c->inodes.heads, inode);
}

/* Nobody can ask for the pages of shared memory any more. Those that are still mapped go when reclaim comes
 * by. The last user is still counted, so that the inode stays. */
static void drop_shm(struct cache *c, struct inode *inode) {
    struct page *page;
    inode->dead = true;
    TAILQ_FOREACH(page, &inode->pages, queue) {
        page_lru_first(c, page);
    }
    reclaim_inode(c, inode);
}

void iput(struct cache *c, struct inode *inode) {
    ASSERT(inode->count > 0);
    bool shm = inode->kind == INODE_SHM;
    if (shm && inode->count == 1)
        drop_shm(c, inode);
    if (--inode->count > 0)
        return;
    if (shm && inode->npages == 0) {
        free_inode(c, inode);
    } else {
        TAILQ_INSERT_TAIL(&c->inodes.unused, inode, unused);
        c->inodes.nunused++;
    }
}

err shm_create(struct cache *c, u64 size, struct inode **out) {
    if (size == 0)
        return -E_INVAL;
    struct inode *inode = cache_object(c, c->inodes.heads);
    if (!inode)
        return -E_NOMEM;
    *inode = (struct inode){.kind = INODE_SHM, .count = 1, .size = size, .links = 1};
    TAILQ_INIT(&inode->pages);
    c->inodes.inodes++;
    *out = inode;
    return 0;
}

u64 prune_icache(struct cache *c, u64 want) {
    u64 freed = 0, visits = c->inodes.nunused;
    struct inode *inode;
    /* From the head again after each, as others may run when one is freed. */
    for (; visits > 0 && freed < want && (inode = TAILQ_FIRST(&c->inodes.unused)); visits--) {
        TAILQ_REMOVE(&c->inodes.unused, inode, unused);
        if (inode->npages > 0) {
            TAILQ_INSERT_TAIL(&c->inodes.unused, inode, unused);
            continue;
        }
        c->inodes.nunused--;
        free_inode(c, inode);
        freed++;
    }
    return freed;
}

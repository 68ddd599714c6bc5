/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <ipc/assert.h>
#include <ipc/slab.h>

#include "cache.h"

err file_init(struct file_table *ft) {
    ft->filps = kmem_cache_create("cache_filp", sizeof(struct filp), 0, 0, NULL, NULL);
    return ft->filps ? 0 : -E_NOMEM;
}

err object_reference(struct cache *c, struct inode *inode, u64 *number) {
    if (!inode->object) {
        u64 made = handle_new(c, &c->files.objects, inode);
        if (!made) {
            iput(c, inode);
            return -E_NOMEM;
        }
        if (inode->object) /* another worker was quicker while we waited for memory */
            handle_end(&c->files.objects, made);
        else
            inode->object = made;
    }
    inode->references++;
    *number = inode->object;
    return 0;
}

struct inode *object_find(struct cache *c, u64 number) {
    struct inode *inode = handle_find(&c->files.objects, number);
    if (inode)
        inode_hold(inode);
    return inode;
}

err object_get(struct cache *c, u64 number) {
    struct inode *inode = object_find(c, number);
    if (!inode)
        return -E_STALE;
    inode->references++;
    return 0;
}

err object_put(struct cache *c, u64 number) {
    struct inode *inode = handle_find(&c->files.objects, number);
    if (!inode)
        return -E_STALE;
    if (--inode->references == 0) {
        handle_end(&c->files.objects, number);
        inode->object = 0;
    }
    iput(c, inode);
    return 0;
}

static err may_open(const struct inode *inode, u64 flags) {
    bool writes = (flags & OPEN_ACCMODE) != 0 || (flags & OPEN_TRUNC);
    if (flags & OPEN_PATH)
        writes = false;
    if (inode->kind == INODE_SYMLINK && !(flags & OPEN_PATH))
        return -E_LOOP;
    if ((flags & OPEN_DIRECTORY) && inode->kind != INODE_DIR)
        return -E_NOTDIR;
    if (inode->kind == INODE_DIR && writes)
        return -E_ISDIR;
    if (inode->kind == INODE_OTHER && !(flags & OPEN_PATH))
        return -E_NXIO;
    return writes ? -E_ROFS : 0;
}

err file_open(struct cache *c, u64 object, u64 flags, u64 *number) {
    struct inode *inode = object_find(c, object);
    if (!inode)
        return -E_STALE;
    err e = may_open(inode, flags);
    if (e)
        goto put_inode;
    e = -E_NOMEM;
    struct filp *filp = cache_object(c, c->files.filps);
    if (!filp)
        goto put_inode;
    *filp = (struct filp){.inode = inode, .count = 1};
    filp->number = handle_new(c, &c->files.files, filp);
    if (!filp->number)
        goto free_filp;
    *number = filp->number;
    return 0;
free_filp:
    kmem_cache_free(c->files.filps, filp);
put_inode:
    iput(c, inode);
    return e;
}

struct filp *file_find(struct cache *c, u64 number) {
    struct filp *filp = handle_find(&c->files.files, number);
    if (filp)
        filp->count++;
    return filp;
}

void file_release(struct cache *c, struct filp *filp) {
    ASSERT(filp->count > 0);
    if (--filp->count > 0)
        return;
    iput(c, filp->inode);
    kmem_cache_free(c->files.filps, filp);
}

err file_close(struct cache *c, u64 number) {
    struct filp *filp = handle_find(&c->files.files, number);
    if (!filp)
        return -E_BADF;
    handle_end(&c->files.files, number);
    file_release(c, filp);
    return 0;
}

err file_seek(struct cache *c, u64 number, i64 offset, u64 whence) {
    struct filp *filp = handle_find(&c->files.files, number);
    if (!filp)
        return -E_BADF;
    u64 base;
    switch (whence) {
    case FROM_SET:
        base = 0;
        break;
    case FROM_CUR:
        base = filp->position;
        break;
    case FROM_END:
        base = filp->inode->size;
        break;
    case FROM_DATA: /* all is data up to the end, as Linux says where it does not look for holes */
    case FROM_HOLE:
        if (offset < 0 || (u64)offset >= filp->inode->size)
            return -E_NXIO;
        base = whence == FROM_HOLE ? filp->inode->size - (u64)offset : 0;
        break;
    default:
        return -E_INVAL;
    }
    i64 position;
    if (__builtin_add_overflow((i64)base, offset, &position))
        return -E_INVAL;
    if (position < 0)
        return -E_INVAL;
    filp->position = (u64)position;
    return position;
}

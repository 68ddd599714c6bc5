/* SPDX-License-Identifier: MIT */
/* Requests of linux about names, objects and open files, and about memory. */
#include <abi/layout.h>
#include <ipc/log.h>
#include <proto/cache.def>
#include <string.h>

#include "ext2_format.h"
#include "filemap.h"
#include "reclaim.h"
#include "shell.h"

enum { DEVICE_NUMBER = 0x0300 }; /* the first IDE disk, as Linux numbers it */

err serve_check(const struct ipc_ctx *c, u64 label) {
    enum server_id from = label == cache_label_page_in ? SRV_REGION : SRV_LINUX;
    return c->badge == from ? 0 : -E_PERM;
}

/* Makes the disk's file system known, once. Long wait. */
static err mount_disk(void) {
    const char *why;
    if (cache.fs.mounted)
        return 0;
    if (cache.device_sectors == 0)
        return -E_NODEV;
    err e = ext2_mount(&cache, &why);
    if (e == 0)
        log_line("ext2: %lu blocks of %u bytes, %u inodes", cache.fs.blocks, cache.fs.block_bytes,
                 cache.fs.inodes);
    else if (e != -E_AGAIN)
        log_line("the disk is not mounted: %s%s%s", err_name(e), why ? ": " : "", why ? why : "");
    return e;
}

err cache_on_mount(struct ipc_ctx *c, const struct cache_mount_req *req, struct cache_mount_rep *rep) {
    (void)req;
    struct inode *root;
    err e = mount_disk();
    if (!e)
        e = iget(&cache, EXT2_ROOT_INO, &root);
    if (e)
        return e;
    if (root->kind != INODE_DIR) {
        iput(&cache, root);
        return ext2_fault(&cache, "root is no directory", EXT2_ROOT_INO);
    }
    e = object_reference(&cache, root, &rep->root);
    if (e)
        return e;
    struct cache_fs fs = {.block_bytes = cache.fs.block_bytes,
                          .blocks = cache.fs.blocks,
                          .blocks_free = cache.fs.free_blocks,
                          .inodes = cache.fs.inodes,
                          .inodes_free = cache.fs.free_inodes,
                          .name_bytes_max = NAME_MAX_BYTES};
    memcpy(c->tail, &fs, sizeof fs);
    c->tail_words = sizeof fs / 8;
    return 0;
}

/* The object of a lookup that went well. Takes over the inode's count. */
static err answer_object(struct inode *inode, struct cache_lookup_rep *rep) {
    struct cache_lookup_rep found = {.mode = inode->mode, .inode = inode->ino, .size = inode->size};
    err e = object_reference(&cache, inode, &found.object);
    if (!e)
        *rep = found;
    return e;
}

err cache_on_lookup(struct ipc_ctx *c, const struct cache_lookup_req *req, struct cache_lookup_rep *rep) {
    char name[MSG_TAIL_BYTES]; /* the tail does not outlive a wait */
    u64 came = c->words > MSG_REG_WORDS ? (c->words - MSG_REG_WORDS) * 8u : 0;
    if (req->name_bytes == 0 || req->name_bytes > came)
        return -E_INVAL;
    memcpy(name, c->tail, req->name_bytes);
    if (memchr(name, '/', req->name_bytes))
        return -E_INVAL;
    struct inode *dir = object_find(&cache, req->dir), *inode;
    if (!dir)
        return -E_STALE;
    err e = lookup(&cache, dir, name, req->name_bytes, &inode);
    iput(&cache, dir);
    return e ? e : answer_object(inode, rep);
}

err cache_on_get(struct ipc_ctx *c, const struct cache_get_req *req, struct cache_get_rep *rep) {
    (void)c, (void)rep;
    return object_get(&cache, req->object);
}

err cache_on_put(struct ipc_ctx *c, const struct cache_put_req *req, struct cache_put_rep *rep) {
    (void)c, (void)rep;
    return object_put(&cache, req->object);
}

err cache_on_stat(struct ipc_ctx *c, const struct cache_stat_req *req, struct cache_stat_rep *rep) {
    (void)rep;
    struct inode *i = object_find(&cache, req->object);
    if (!i)
        return -E_STALE;
    struct cache_stat stat = {.inode = i->ino,
                              .mode = i->mode,
                              .links = i->links,
                              .uid = i->uid,
                              .gid = i->gid,
                              .size = i->size,
                              .blocks_512 = i->sectors,
                              .block_bytes = cache.fs.block_bytes,
                              .atime = i->atime,
                              .mtime = i->mtime,
                              .ctime = i->ctime,
                              .device = DEVICE_NUMBER};
    iput(&cache, i);
    memcpy(c->tail, &stat, sizeof stat);
    c->tail_words = sizeof stat / 8;
    return 0;
}

/* Bytes become the answer's tail. */
static void answer_bytes(struct ipc_ctx *c, const char *data, u64 bytes) {
    u64 words = (bytes + 7) / 8;
    if (words > 0)
        c->tail[words - 1] = 0;
    memcpy(c->tail, data, bytes);
    c->tail_words = (u32)words;
}

err cache_on_readlink(struct ipc_ctx *c, const struct cache_readlink_req *req,
                      struct cache_readlink_rep *rep) {
    char target[MSG_TAIL_BYTES];
    struct inode *inode = object_find(&cache, req->object);
    if (!inode)
        return -E_STALE;
    u64 total = inode->size;
    err n = ext2_readlink(&cache, inode, req->offset, target, sizeof target);
    iput(&cache, inode);
    if (n < 0)
        return n;
    answer_bytes(c, target, (u64)n);
    *rep = (struct cache_readlink_rep){.bytes = (u64)n, .total = total};
    return 0;
}

/* Up to `bytes` bytes of a regular file; how many, or the error. Long wait. */
static err peek(struct inode *inode, u64 offset, char *data, u64 bytes) {
    u64 done = 0;
    if (inode->kind != INODE_FILE)
        return inode->kind == INODE_DIR ? -E_ISDIR : -E_INVAL;
    while (done < bytes && offset < inode->size - done) {
        u64 at = offset + done, n = MIN(bytes - done, PAGE_BYTES - at % PAGE_BYTES);
        struct page_answer page;
        n = MIN(n, inode->size - at);
        err e = page_get(&cache, inode, at / PAGE_BYTES, NULL, &page);
        if (e)
            return e;
        memcpy(data + done, (const char *)memory_address(NULL, page.frame) + at % PAGE_BYTES, n);
        done += n;
    }
    return (err)done;
}

err cache_on_peek(struct ipc_ctx *c, const struct cache_peek_req *req, struct cache_peek_rep *rep) {
    char data[MSG_TAIL_BYTES];
    struct inode *inode = object_find(&cache, req->object);
    if (!inode)
        return -E_STALE;
    err n = peek(inode, req->offset, data, MIN(req->bytes, sizeof data));
    iput(&cache, inode);
    if (n < 0)
        return n;
    answer_bytes(c, data, (u64)n);
    rep->bytes = (u64)n;
    return 0;
}

err cache_on_open(struct ipc_ctx *c, const struct cache_open_req *req, struct cache_open_rep *rep) {
    (void)c;
    return file_open(&cache, req->object, req->flags, &rep->file);
}

err cache_on_close(struct ipc_ctx *c, const struct cache_close_req *req, struct cache_close_rep *rep) {
    (void)c, (void)rep;
    return file_close(&cache, req->file);
}

err cache_on_lseek(struct ipc_ctx *c, const struct cache_lseek_req *req, struct cache_lseek_rep *rep) {
    (void)c;
    err position = file_seek(&cache, req->file, req->offset, req->whence);
    if (position < 0)
        return position;
    rep->position = position;
    return 0;
}

err cache_on_create_shared(struct ipc_ctx *c, const struct cache_create_shared_req *req,
                           struct cache_create_shared_rep *rep) {
    (void)c;
    struct inode *inode;
    if (req->pages > USER_END / PAGE_BYTES)
        return -E_INVAL;
    err e = shm_create(&cache, req->pages * PAGE_BYTES, &inode);
    return e ? e : object_reference(&cache, inode, &rep->object);
}

err cache_on_resident(struct ipc_ctx *c, const struct cache_resident_req *req,
                      struct cache_resident_rep *rep) {
    struct inode *inode = object_find(&cache, req->object);
    pfn frames[FAULT_CLUSTER];
    if (!inode)
        return -E_STALE;
    rep->pages = MIN(req->pages, (u64)CACHE_RESIDENT_MAX);
    memset(c->tail, 0, CACHE_RESIDENT_MAX / 8);
    for (u64 i = 0; i < rep->pages; i += FAULT_CLUSTER) {
        u32 n = (u32)MIN(rep->pages - i, (u64)FAULT_CLUSTER);
        find_frames(&cache, inode, req->index + i, n, frames);
        for (u32 j = 0; j < n; j++)
            c->tail[(i + j) / 64] |= (u64)(frames[j] != 0) << (i + j) % 64;
    }
    iput(&cache, inode);
    c->tail_words = CACHE_RESIDENT_MAX / 64;
    return 0;
}

err cache_on_readahead(struct ipc_ctx *c, const struct cache_readahead_req *req,
                       struct cache_readahead_rep *rep) {
    (void)c, (void)rep;
    struct inode *inode = object_find(&cache, req->object);
    if (!inode)
        return -E_STALE;
    if (inode->kind == INODE_FILE)
        page_read_ahead(&cache, inode, req->index, req->pages);
    iput(&cache, inode);
    return 0;
}

err cache_on_drop(struct ipc_ctx *c, const struct cache_drop_req *req, struct cache_drop_rep *rep) {
    (void)c, (void)req;
    /* What is being read now, ahead of a program that may be gone, is to go too; but not what others begin. */
    for (u32 reads = 0; reads < BIOS && cache_wait_for_memory(&cache) == 0; reads++)
        ;
    rep->pages = drop_caches(&cache);
    rep->pages += drop_caches(&cache); /* inodes lose their last page in the first round */
    memory_drain();
    return 0;
}

err cache_on_memory(struct ipc_ctx *c, const struct cache_memory_req *req, struct cache_memory_rep *rep) {
    (void)c, (void)req;
    *rep = (struct cache_memory_rep){.cached = cache.pages.pages,
                                     .buffers = cache.buffers.pages,
                                     .mapped = count_mapped(&cache),
                                     .shmem = cache.pages.pages - cache.pages.lru_pages,
                                     .pages_in = sectors_read / (PAGE_BYTES / SECTOR_BYTES)};
    return 0;
}

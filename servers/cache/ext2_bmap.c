/* SPDX-License-Identifier: MIT */
/* From a block of a file to a block of the disk, through up to three levels of indirect blocks:
 *
 *   block[0..11]  direct
 *   block[12] --> pointers                 single: p blocks more, p = block_bytes / 4
 *   block[13] --> pointers --> pointers    double: p * p more
 *   block[14] --> ... --> ... --> pointers triple: p * p * p more
 */
#include <string.h>

#include "cache.h"
#include "ext2_format.h"

struct path {
    u32 levels;  /* of indirect blocks */
    u32 slot;    /* in the inode */
    u64 step[3]; /* slot in each indirect block */
};

/* Where the pointer to block `index` lies; false: beyond triple indirection. */
static bool block_path(u64 index, u64 pointers, struct path *path) {
    if (index < EXT2_NDIR_BLOCKS) {
        *path = (struct path){.levels = 0, .slot = (u32)index};
        return true;
    }
    index -= EXT2_NDIR_BLOCKS;
    u64 reach = 1;
    for (u32 levels = 1; levels <= 3; levels++) {
        reach *= pointers;
        if (index >= reach) {
            index -= reach;
            continue;
        }
        *path = (struct path){.levels = levels, .slot = EXT2_NDIR_BLOCKS + levels - 1};
        for (u32 i = levels; i-- > 0; index /= pointers)
            path->step[i] = index % pointers;
        return true;
    }
    return false;
}

/* Follows one pointer of an indirect block. */
static err follow(struct cache *c, u64 indirect, u64 slot, enum ext2_wait may, u64 *block) {
    struct buffer_head *bh;
    if (may == EXT2_CACHED_ONLY) {
        bh = bread_cached(c, 0, indirect, c->fs.block_bytes);
        if (!bh)
            return -E_AGAIN;
    } else {
        err e = ext2_bread(c, indirect, &bh);
        if (e)
            return e;
    }
    u32 pointer;
    memcpy(&pointer, bh->data + slot * sizeof pointer, sizeof pointer);
    brelse(c, bh);
    *block = pointer;
    return 0;
}

err ext2_bmap(struct cache *c, const struct inode *inode, u64 index, enum ext2_wait may, u64 *block) {
    const struct ext2 *fs = &c->fs;
    struct path path;
    if (!block_path(index, fs->block_bytes / sizeof(u32), &path))
        return ext2_fault(c, "block beyond triple indirection", inode->ino);
    u64 at = inode->block[path.slot];
    for (u32 level = 0; level < path.levels && at; level++) {
        err e = follow(c, at, path.step[level], may, &at);
        if (e)
            return e;
    }
    if (at && (at <= fs->first_block || at >= fs->blocks))
        return ext2_fault(c, "file's block outside the file system", inode->ino);
    *block = at;
    return 0;
}

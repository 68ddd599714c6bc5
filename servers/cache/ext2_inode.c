/* SPDX-License-Identifier: MIT */
/* Inodes and symbolic links. */
#include <string.h>

#include "cache.h"
#include "ext2_format.h"

/* The block that the group's inode table begins at. */
static err inode_table(struct cache *c, u32 group, u64 *block) {
    const struct ext2 *fs = &c->fs;
    u32 per_block = fs->block_bytes / (u32)sizeof(struct ext2_group_desc);
    struct buffer_head *bh;
    err e = ext2_bread(c, fs->first_block + 1 + group / per_block, &bh);
    if (e)
        return e;
    struct ext2_group_desc desc;
    memcpy(&desc, bh->data + group % per_block * sizeof desc, sizeof desc);
    brelse(c, bh);
    u64 table_blocks = (u64)fs->inodes_per_group * fs->inode_bytes / fs->block_bytes;
    if (desc.inode_table <= fs->first_block || desc.inode_table + table_blocks > fs->blocks)
        return ext2_fault(c, "inode table outside the file system", group);
    *block = desc.inode_table;
    return 0;
}

static enum inode_kind kind_of(u32 mode) {
    switch (mode & EXT2_S_IFMT) {
    case EXT2_S_IFREG:
        return INODE_FILE;
    case EXT2_S_IFDIR:
        return INODE_DIR;
    case EXT2_S_IFLNK:
        return INODE_SYMLINK;
    default:
        return INODE_OTHER;
    }
}

static void decode(const struct ext2_inode_disk *d, u32 ino, u32 block_bytes, struct inode *out) {
    *out = (struct inode){
        .kind = kind_of(d->mode),
        .ino = ino,
        .mode = d->mode,
        .links = d->links_count,
        .uid = d->uid | (u32)d->uid_high << 16,
        .gid = d->gid | (u32)d->gid_high << 16,
        .size = d->size,
        .sectors = d->blocks,
        .atime = d->atime,
        .mtime = d->mtime,
        .ctime = d->ctime,
    };
    memcpy(out->block, d->block, sizeof out->block);
    if (out->kind == INODE_FILE)
        out->size |= (u64)d->size_high << 32;
    if (out->kind == INODE_OTHER)
        out->rdev = d->block[0] ? d->block[0] : d->block[1];
    /* A short target lies where the block numbers would be; an attribute block is counted, but is not the
     * target's. */
    u32 attribute_sectors = d->file_acl ? block_bytes / SECTOR_BYTES : 0;
    out->fast_symlink = out->kind == INODE_SYMLINK && d->blocks == attribute_sectors;
}

/* What is wrong with the inode, or NULL. */
static const char *flaw(const struct inode *i, const struct ext2 *fs) {
    if (i->links == 0 || (i->mode & EXT2_S_IFMT) == 0)
        return "name of a free inode";
    if (i->size > fs->max_file_bytes)
        return "file larger than its blocks can reach";
    if (i->kind == INODE_DIR && (i->size == 0 || i->size % fs->block_bytes))
        return "directory that is no number of blocks";
    if (i->kind == INODE_SYMLINK && (i->size == 0 || i->size >= fs->block_bytes))
        return "length of a symbolic link";
    if (i->fast_symlink && i->size >= EXT2_FAST_SYMLINK_BYTES)
        return "length of a symbolic link in its inode";
    return NULL;
}

err ext2_read_inode(struct cache *c, u32 ino, struct inode *out) {
    const struct ext2 *fs = &c->fs;
    if (ino == 0 || ino > fs->inodes)
        return ext2_fault(c, "inode number outside the file system", ino);
    if (ino < fs->first_ino && ino != EXT2_ROOT_INO)
        return ext2_fault(c, "name of a reserved inode", ino);
    u64 table = 0;
    err e = inode_table(c, (ino - 1) / fs->inodes_per_group, &table);
    if (e)
        return e;
    u64 offset = (u64)((ino - 1) % fs->inodes_per_group) * fs->inode_bytes;
    struct buffer_head *bh;
    e = ext2_bread(c, table + offset / fs->block_bytes, &bh);
    if (e)
        return e;
    struct ext2_inode_disk disk;
    memcpy(&disk, bh->data + offset % fs->block_bytes, sizeof disk);
    brelse(c, bh);
    struct inode inode;
    decode(&disk, ino, fs->block_bytes, &inode);
    const char *reason = flaw(&inode, fs);
    if (reason)
        return ext2_fault(c, reason, ino);
    *out = inode;
    return 0;
}

err ext2_readlink(struct cache *c, const struct inode *inode, u64 offset, char *target, u64 bytes) {
    if (inode->kind != INODE_SYMLINK)
        return -E_INVAL;
    if (offset >= inode->size)
        return 0;
    u64 length = MIN(inode->size - offset, bytes);
    if (inode->fast_symlink) {
        memcpy(target, (const char *)inode->block + offset, length);
        return (err)length;
    }
    struct buffer_head *bh;
    err e = ext2_bread(c, inode->block[0], &bh);
    if (e)
        return e;
    memcpy(target, bh->data + offset, length);
    brelse(c, bh);
    return (err)length;
}

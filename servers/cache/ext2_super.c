/* SPDX-License-Identifier: MIT */
/* The super block: everything that later checks rely on is checked here, once. */
#include <string.h>

#include "cache.h"
#include "ext2_format.h"

err ext2_fault(struct cache *c, const char *reason, u64 where) {
    c->fs.fault.reason = reason;
    c->fs.fault.where = where;
    c->fs.fault.count++;
    return -E_IO;
}

struct feature {
    u32 bit;
    bool known;
    const char *name;
};
#define FEATURE(bit, name, known) {bit, known, name},
static const struct feature incompat[] = {EXT2_INCOMPAT(FEATURE)};
static const struct feature ro_compat[] = {EXT2_RO_COMPAT(FEATURE)};

/* The name of a feature in `bits` that we do not know, or NULL. */
static const char *unknown_feature(u32 bits, const struct feature *list, u64 n) {
    for (u64 i = 0; i < n; i++) {
        if ((bits & list[i].bit) && !list[i].known)
            return list[i].name;
        bits &= ~list[i].bit;
    }
    return bits ? "a feature without a name" : NULL;
}

/* Blocks that 12 direct pointers and three levels of indirection reach, in bytes. */
static u64 max_file_bytes(u64 block_bytes) {
    u64 p = block_bytes / sizeof(u32);
    return (EXT2_NDIR_BLOCKS + p + p * p + p * p * p) * block_bytes;
}

/* Decodes the super block into fs; returns what is wrong with it, or NULL. */
static const char *decode(const struct ext2_super_block *sb, u64 device_sectors, struct ext2 *fs) {
    if (sb->magic != EXT2_MAGIC)
        return "no ext2 magic number";
    if (sb->rev_level > 1)
        return "unknown revision";
    const char *feature = NULL;
    if (sb->rev_level == 1)
        feature = unknown_feature(sb->feature_incompat, incompat, ARRAY_LEN(incompat));
    if (sb->rev_level == 1 && !feature)
        feature = unknown_feature(sb->feature_ro_compat, ro_compat, ARRAY_LEN(ro_compat));
    if (feature)
        return feature;
    if (sb->log_block_size > EXT2_MAX_LOG_BLOCK)
        return "block size above 4096";
    fs->block_bytes = (u32)EXT2_MIN_BLOCK_BYTES << sb->log_block_size;
    fs->block_sectors = fs->block_bytes / SECTOR_BYTES;
    fs->first_block = sb->first_data_block;
    fs->blocks = sb->blocks_count;
    if (fs->first_block != (fs->block_bytes == EXT2_MIN_BLOCK_BYTES))
        return "first data block";
    if (fs->blocks <= fs->first_block || fs->blocks > device_sectors / fs->block_sectors)
        return "more blocks than the disk has";
    fs->inode_bytes = sb->rev_level ? sb->inode_size : (u32)EXT2_GOOD_OLD_INODE_BYTES;
    if (fs->inode_bytes < EXT2_GOOD_OLD_INODE_BYTES || fs->inode_bytes > fs->block_bytes ||
        (fs->inode_bytes & (fs->inode_bytes - 1)))
        return "inode size";
    if (sb->blocks_per_group == 0 || sb->blocks_per_group > 8 * fs->block_bytes)
        return "blocks per group";
    if (sb->inodes_per_group == 0 || sb->inodes_per_group > 8 * fs->block_bytes)
        return "inodes per group";
    fs->inodes_per_group = sb->inodes_per_group;
    fs->inodes = sb->inodes_count;
    fs->first_ino = sb->rev_level ? sb->first_ino : (u32)EXT2_GOOD_OLD_FIRST_INO;
    u64 groups = (fs->blocks - fs->first_block + sb->blocks_per_group - 1) / sb->blocks_per_group;
    fs->groups = (u32)groups;
    if (fs->inodes < EXT2_ROOT_INO || fs->inodes != groups * fs->inodes_per_group)
        return "inodes do not fill the groups";
    fs->free_blocks = sb->free_blocks_count;
    fs->free_inodes = sb->free_inodes_count;
    fs->filetype = sb->rev_level && (sb->feature_incompat & EXT2_FEATURE_FILETYPE);
    fs->max_file_bytes = max_file_bytes(fs->block_bytes);
    return NULL;
}

err ext2_mount(struct cache *c, const char **why) {
    struct buffer_head *bh;
    *why = NULL;
    err e = bread(c, 0, EXT2_SUPER_BLOCK, EXT2_SUPER_BYTES, &bh);
    if (e)
        return e;
    struct ext2_super_block sb;
    memcpy(&sb, bh->data, sizeof sb);
    brelse(c, bh);
    struct ext2 fs = {.mounted = true};
    *why = decode(&sb, c->device_sectors, &fs);
    if (*why)
        return -E_INVAL;
    c->fs = fs;
    return 0;
}

err ext2_bread(struct cache *c, u64 block, struct buffer_head **out) {
    if (block < c->fs.first_block || block >= c->fs.blocks)
        return ext2_fault(c, "block number outside the file system", block);
    return bread(c, 0, block, c->fs.block_bytes, out);
}

/* SPDX-License-Identifier: MIT */
/* Directories: a list of entries per block, searched linearly. Each block is a chain of its own, so that an
 * entry never crosses a block and a position inside a block is found again by walking from the block's
 * begin. */
#include <string.h>

#include "cache.h"
#include "ext2_format.h"

/* The block `index` of a directory. */
static err dir_block(struct cache *c, const struct inode *dir, u64 index, struct buffer_head **bh) {
    u64 block;
    err e = ext2_bmap(c, dir, index, EXT2_MAY_WAIT, &block);
    if (e)
        return e;
    if (block == 0)
        return ext2_fault(c, "hole in a directory", dir->ino);
    return ext2_bread(c, block, bh);
}

/* The entry at `offset` of a block; NULL: it makes no sense. */
static inline const struct ext2_dir_entry *entry_at(const struct ext2 *fs, const char *data, u32 offset) {
    u32 space = fs->block_bytes - offset;
    if (space < EXT2_DIR_ENTRY_MIN)
        return NULL;
    const struct ext2_dir_entry *entry = (const struct ext2_dir_entry *)(data + offset);
    u32 needed = EXT2_DIR_ENTRY_MIN + entry->name_len;
    if (entry->rec_len % 4 || entry->rec_len < needed || entry->rec_len > space || entry->inode > fs->inodes)
        return NULL;
    if (!fs->filetype && entry->file_type) /* it is the upper byte of the name's length then */
        return NULL;
    if (entry->inode && entry->name_len == 0)
        return NULL;
    return entry;
}

/* Up to where a block's entries make sense, from its begin on. They are looked at once, as long as the block
 * is in memory. */
static u32 checked_end(const struct ext2 *fs, struct buffer_head *bh) {
    if (bh->flags & BH_ENTRIES)
        return fs->block_bytes;
    for (u32 offset = 0; offset < fs->block_bytes;) {
        const struct ext2_dir_entry *entry = entry_at(fs, bh->data, offset);
        if (!entry)
            return offset;
        offset += entry->rec_len;
    }
    bh->flags |= BH_ENTRIES;
    return fs->block_bytes;
}

err ext2_walk(struct cache *c, const struct inode *dir, u64 pos, u64 border, ext2_entries_fn *fn, void *arg) {
    u32 block_bytes = c->fs.block_bytes;
    u32 first = border <= pos && border / block_bytes == pos / block_bytes ? (u32)(border % block_bytes) : 0;
    for (u64 index = pos / block_bytes; index < dir->size / block_bytes; index++, first = 0) {
        struct buffer_head *bh;
        err e = dir_block(c, dir, index, &bh);
        if (e)
            return e;
        u32 end = checked_end(&c->fs, bh);
        if (first < end && fn(arg, &(struct ext2_entries){bh->data, first, end, index * block_bytes}))
            e = 1;
        else if (end < block_bytes)
            e = ext2_fault(c, "directory entry", dir->ino);
        brelse(c, bh);
        if (e)
            return e;
    }
    return 0;
}

struct wanted {
    const char *name;
    u64 len;
    u32 ino;
};

static bool find_wanted(void *arg, const struct ext2_entries *in) {
    struct wanted *wanted = arg;
    for (u32 offset = in->first; offset < in->end;) {
        const struct ext2_dir_entry *entry = (const struct ext2_dir_entry *)(in->data + offset);
        if (entry->name_len == wanted->len && entry->inode &&
            memcmp(entry->name, wanted->name, wanted->len) == 0) {
            wanted->ino = entry->inode;
            return true;
        }
        offset += entry->rec_len;
    }
    return false;
}

err ext2_lookup(struct cache *c, const struct inode *dir, const char *name, u64 len, u32 *ino) {
    struct wanted wanted = {.name = name, .len = len};
    err e = ext2_walk(c, dir, 0, 0, find_wanted, &wanted);
    if (e == 0)
        return -E_NOENT;
    if (e > 0)
        *ino = wanted.ino;
    return MIN(e, 0);
}

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

static u8 linux_type(const struct ext2 *fs, u8 type) {
    static const u8 types[] = {0, 8, 4,  2,
                               6, 1, 12, 10}; /* by ext2's: file, dir, char, block, fifo, socket, link */
    return fs->filetype && type < ARRAY_LEN(types) ? types[type] : 0;
}

/* What a walk over one block is looking for: called with each used entry and its offset; true ends the
 * walk. */
typedef bool entry_fn(void *arg, const struct ext2_dir_entry *entry, u32 offset);

/* From offset `first` on, where an entry begins. 1: found; 0: the block has no such entry; -E_IO. Inlined,
 * and `found` with it: a directory has many entries. */
__attribute__((always_inline)) static inline err
walk_block(struct cache *c, const struct inode *dir, u64 index, u32 first, entry_fn *found, void *arg) {
    struct buffer_head *bh;
    err e = dir_block(c, dir, index, &bh);
    if (e)
        return e;
    for (u32 offset = first; offset < c->fs.block_bytes && e == 0;) {
        const struct ext2_dir_entry *entry = entry_at(&c->fs, bh->data, offset);
        if (!entry) {
            e = ext2_fault(c, "directory entry", dir->ino);
        } else {
            if (entry->inode && found(arg, entry, offset))
                e = 1;
            offset += entry->rec_len;
        }
    }
    brelse(c, bh);
    return e;
}

struct reading {
    const struct ext2 *fs;
    u64 base, pos; /* of the block; to begin at */
    ext2_name_fn *fn;
    void *arg;
};

static bool give_name(void *arg, const struct ext2_dir_entry *entry, u32 offset) {
    const struct reading *r = arg;
    u64 at = r->base + offset;
    if (at < r->pos)
        return false;
    struct ext2_name name = {.ino = entry->inode,
                             .type = linux_type(r->fs, entry->file_type),
                             .len = entry->name_len,
                             .name = entry->name,
                             .next = at + entry->rec_len};
    return r->fn(r->arg, &name);
}

err ext2_readdir(struct cache *c, const struct inode *dir, u64 pos, u64 border, ext2_name_fn *fn, void *arg) {
    u32 block_bytes = c->fs.block_bytes;
    u32 first = border <= pos && border / block_bytes == pos / block_bytes ? (u32)(border % block_bytes) : 0;
    for (u64 index = pos / block_bytes; index < dir->size / block_bytes; index++) {
        struct reading r = {.fs = &c->fs, .base = index * block_bytes, .pos = pos, .fn = fn, .arg = arg};
        err e = walk_block(c, dir, index, first, give_name, &r);
        if (e)
            return e;
        first = 0;
    }
    return 0;
}

struct wanted {
    const char *name;
    u64 len;
    u32 ino;
};

static bool is_wanted(void *arg, const struct ext2_dir_entry *entry, u32 offset) {
    struct wanted *wanted = arg;
    (void)offset;
    if (entry->name_len != wanted->len || memcmp(entry->name, wanted->name, wanted->len) != 0)
        return false;
    wanted->ino = entry->inode;
    return true;
}

err ext2_lookup(struct cache *c, const struct inode *dir, const char *name, u64 len, u32 *ino) {
    struct wanted wanted = {.name = name, .len = len};
    for (u64 index = 0; index < dir->size / c->fs.block_bytes; index++) {
        err e = walk_block(c, dir, index, 0, is_wanted, &wanted);
        if (e < 0)
            return e;
        if (e > 0) {
            *ino = wanted.ino;
            return 0;
        }
    }
    return -E_NOENT;
}

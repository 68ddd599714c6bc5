/* SPDX-License-Identifier: MIT */
/* Reading an ext2 file system, revision 0 and 1, blocks of 1, 2 and 4 KiB. Metadata goes through the buffer
 * cache.
 *
 * Every number that comes from the disk is checked before it is used. What does not make sense is -E_IO, and
 * `fault` then says what was wrong where. */
#pragma once

#include <abi/types.h>

struct cache;
struct inode;
struct buffer_head;

/* The last thing that did not make sense, and how many there were: for the log. */
struct ext2_fault {
    const char *reason; /* NULL: none yet */
    u64 where;          /* number of the inode, block, group or the like */
    u64 count;
};

struct ext2 {
    bool mounted; /* all below is valid and checked against the device */
    u32 block_bytes;
    u32 block_sectors;
    u64 blocks;      /* of the file system: block numbers are below */
    u64 first_block; /* and not below this one */
    u32 inodes, inodes_per_group, inode_bytes, first_ino;
    u32 groups;
    u64 free_blocks, free_inodes; /* as the super block says; for statfs */
    bool filetype;                /* directory entries hold the file's type */
    u64 max_file_bytes;           /* what triple indirect blocks reach */
    struct ext2_fault fault;
};

/* Reads the super block and fills in c->fs. On -E_INVAL (no ext2, or with a feature or geometry that is not
 * known) *why names what was refused, e.g. "extent". -E_IO, -E_NOMEM, -E_AGAIN: *why is NULL. Long wait. */
err ext2_mount(struct cache *c, const char **why) must_check;

/* Notes what was wrong; always -E_IO. */
err ext2_fault(struct cache *c, const char *reason, u64 where) must_check;

/* bread of a block of the file system; a number outside it is -E_IO. Long wait. */
err ext2_bread(struct cache *c, u64 block, struct buffer_head **out) must_check;

/* Fills in a description of the inode: all but hash, lists and count. A free one is -E_IO, as only a broken
 * directory would name it. Long wait. */
err ext2_read_inode(struct cache *c, u32 ino, struct inode *out) must_check;

enum ext2_wait { EXT2_MAY_WAIT, EXT2_CACHED_ONLY };

/* The block on the disk that holds block `index` of the inode; 0: a hole. -E_IO: beyond all indirect blocks,
 * or a number outside the file system. EXT2_CACHED_ONLY: -E_AGAIN instead of reading an indirect block; never
 * waits then. Else long wait. */
err ext2_bmap(struct cache *c, const struct inode *inode, u64 index, enum ext2_wait may,
              u64 *block) must_check;

/* Entries of one block of a directory, checked: those at the offsets from `first` up to `end`. */
struct ext2_entries {
    const char *data; /* of the block; read only, valid during the call */
    u32 first, end;
    u64 base; /* the block's position in the directory */
};

/* Called with one block after the other; true: enough. Must not wait. */
typedef bool ext2_entries_fn(void *arg, const struct ext2_entries *entries);

/* All entries from the block on that position `pos` is in. border: where an entry begins, or 0; one that is a
 * little before pos spares the walk from the block's begin. 1: fn had enough; 0: there are no more; -E_IO
 * after the entries that were found before. Long wait. */
err ext2_walk(struct cache *c, const struct inode *dir, u64 pos, u64 border, ext2_entries_fn *fn,
              void *arg) must_check;

/* The inode number behind a name of 1 to 255 bytes. -E_NOENT. Long wait. */
err ext2_lookup(struct cache *c, const struct inode *dir, const char *name, u64 len, u32 *ino) must_check;

/* Copies up to `bytes` of a symbolic link's target (inode->size bytes, without a final 0) from `offset` on;
 * returns how many. -E_INVAL: not a symbolic link. Long wait. */
err ext2_readlink(struct cache *c, const struct inode *inode, u64 offset, char *target, u64 bytes) must_check;

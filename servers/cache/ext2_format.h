/* SPDX-License-Identifier: MIT */
/* What ext2 is on the disk (little endian, as this machine). Source: the e2fsprogs documentation, libext2fs's
 * ext2_fs.h for the names of features. */
#pragma once

#include <abi/types.h>

enum {
    EXT2_MAGIC = 0xef53,
    EXT2_SUPER_BLOCK = 1, /* in blocks of EXT2_SUPER_BYTES, whatever the block size */
    EXT2_SUPER_BYTES = 1024,
    EXT2_ROOT_INO = 2,
    EXT2_GOOD_OLD_FIRST_INO = 11,
    EXT2_GOOD_OLD_INODE_BYTES = 128,
    EXT2_MIN_BLOCK_BYTES = 1024,
    EXT2_MAX_LOG_BLOCK = 2, /* 1024 << 2 */
    EXT2_NDIR_BLOCKS = 12,
    EXT2_FAST_SYMLINK_BYTES = 60,
};

struct ext2_super_block {
    u32 inodes_count, blocks_count, r_blocks_count, free_blocks_count;
    u32 free_inodes_count, first_data_block, log_block_size, log_frag_size;
    u32 blocks_per_group, frags_per_group, inodes_per_group, mtime;
    u32 wtime;
    u16 mnt_count, max_mnt_count, magic, state;
    u16 errors, minor_rev_level;
    u32 lastcheck, checkinterval, creator_os;
    u32 rev_level; /* 0: no field below is valid */
    u16 def_resuid, def_resgid;
    u32 first_ino;
    u16 inode_size, block_group_nr;
    u32 feature_compat, feature_incompat, feature_ro_compat;
    u8 uuid[16];
    char volume_name[16];
};

struct ext2_group_desc {
    u32 block_bitmap, inode_bitmap, inode_table;
    u16 free_blocks_count, free_inodes_count, used_dirs_count, pad;
    u32 reserved[3];
};

struct ext2_inode_disk {
    u16 mode, uid;
    u32 size, atime, ctime, mtime, dtime;
    u16 gid, links_count;
    u32 blocks, flags, osd1;
    u32 block[15];
    u32 generation, file_acl, size_high, faddr;
    u8 frag, fsize;
    u16 pad1, uid_high, gid_high;
    u32 reserved2;
};

struct ext2_dir_entry {
    u32 inode; /* 0: unused */
    u16 rec_len;
    u8 name_len;
    u8 file_type; /* with the feature filetype; else the upper byte of name_len */
    char name[];
};

_Static_assert(offsetof(struct ext2_super_block, feature_compat) == 92, "super block");
_Static_assert(sizeof(struct ext2_group_desc) == 32, "group descriptor");
_Static_assert(sizeof(struct ext2_inode_disk) == 128, "inode");
_Static_assert(offsetof(struct ext2_dir_entry, name) == 8, "directory entry");

#define EXT2_DIR_ENTRY_MIN 8u /* bytes of an entry without its name */

/* Features: F(bit, name, known). Those that are not known are refused by name. Compatible features say
 * nothing that a reader has to know. */
#define EXT2_INCOMPAT(F)                                                                                     \
    F(0x1, "compression", 0)                                                                                 \
    F(0x2, "filetype", 1)                                                                                    \
    F(0x4, "needs_recovery", 0)                                                                              \
    F(0x8, "journal_dev", 0)                                                                                 \
    F(0x10, "meta_bg", 0)                                                                                    \
    F(0x40, "extent", 0)                                                                                     \
    F(0x80, "64bit", 0)                                                                                      \
    F(0x100, "mmp", 0)                                                                                       \
    F(0x200, "flex_bg", 0)                                                                                   \
    F(0x400, "ea_inode", 0)                                                                                  \
    F(0x1000, "dirdata", 0)                                                                                  \
    F(0x2000, "metadata_csum_seed", 0)                                                                       \
    F(0x4000, "large_dir", 0)                                                                                \
    F(0x8000, "inline_data", 0)                                                                              \
    F(0x10000, "encrypt", 0)                                                                                 \
    F(0x20000, "casefold", 0)
#define EXT2_RO_COMPAT(F)                                                                                    \
    F(0x1, "sparse_super", 1)                                                                                \
    F(0x2, "large_file", 1)                                                                                  \
    F(0x4, "btree_dir", 0)                                                                                   \
    F(0x8, "huge_file", 0)                                                                                   \
    F(0x10, "uninit_bg", 0)                                                                                  \
    F(0x20, "dir_nlink", 0)                                                                                  \
    F(0x40, "extra_isize", 0)                                                                                \
    F(0x100, "quota", 0)                                                                                     \
    F(0x200, "bigalloc", 0)                                                                                  \
    F(0x400, "metadata_csum", 0)                                                                             \
    F(0x800, "replica", 0)                                                                                   \
    F(0x1000, "read-only", 0)                                                                                \
    F(0x2000, "project", 0)                                                                                  \
    F(0x4000, "shared_blocks", 0)                                                                            \
    F(0x8000, "verity", 0)                                                                                   \
    F(0x10000, "orphan_present", 0)
#define EXT2_FEATURE_FILETYPE 0x2u

enum { EXT2_S_IFMT = 0xf000, EXT2_S_IFREG = 0x8000, EXT2_S_IFDIR = 0x4000, EXT2_S_IFLNK = 0xa000 };

/* SPDX-License-Identifier: MIT */
/* ext2 against mke2fs: what the cache shows is the tree that the image was made of. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ext2_format.h"
#include "model/seed.h"
#include "tree.h"
#include "world.h"

static struct world w;

static void compare_file(struct inode *inode, const char *path) {
    int fd = open(path, O_RDONLY);
    cr_assert(fd >= 0);
    struct read_ahead ahead = {0};
    u8 ours[9000], theirs[9000]; /* no multiple of a page */
    for (u64 at = 0; at < inode->size + 1; at += sizeof ours) {
        i64 n = world_read(&w, inode, world_random(&w, 8) ? &ahead : NULL, at, ours, sizeof ours);
        cr_assert_eq(n, pread(fd, theirs, sizeof theirs, (off_t)at), "%s at %llu", path,
                     (unsigned long long)at);
        cr_assert_eq(memcmp(ours, theirs, (u64)n), 0, "%s at %llu differs", path, (unsigned long long)at);
    }
    close(fd);
}

static void compare_link(struct inode *inode, const char *path) {
    char ours[PATH_MAX], theirs[PATH_MAX];
    ssize_t n = readlink(path, theirs, sizeof theirs);
    cr_assert_eq(ext2_readlink(&w.c, inode, 0, ours, sizeof ours), n, "%s", path);
    cr_assert_eq(memcmp(ours, theirs, (u64)n), 0, "%s", path);
    cr_assert_eq(ext2_readlink(&w.c, inode, 10, ours, 7), MIN(7, n > 10 ? n - 10 : 0));
    cr_assert_eq(ext2_readlink(&w.c, inode, (u64)n, ours, 7), 0);
}

static u32 count_host(const char *path) {
    u32 n = 0;
    DIR *dir = opendir(path);
    for (struct dirent *d; (d = readdir(dir));)
        n += strcmp(d->d_name, "lost+found") != 0;
    closedir(dir);
    return n;
}

static void compare(struct inode *inode, const char *path);

/* All names of the directory, in records of getdents, through a buffer of some size. */
static void compare_dir(struct inode *dir, const char *path) {
    u32 count = 0;
    u64 pos = 0;
    char buffer[1000];
    for (;;) {
        i64 n = dir_names(&w.c, dir, &pos, world_random(&w, 2) ? pos : 0, buffer,
                          300 + world_random(&w, sizeof buffer - 300));
        cr_assert_geq(n, 0);
        if (n == 0)
            break;
        for (i64 at = 0; at < n;) {
            u16 bytes;
            memcpy(&bytes, buffer + at + 16, sizeof bytes);
            const char *name = buffer + at + 19;
            u8 type = (u8)buffer[at + 18];
            for (i64 end = at + 19 + (i64)strlen(name); end < at + bytes; end++)
                cr_assert_eq(buffer[end], 0, "what fills the record of %s", name);
            at += bytes;
            if (strcmp(name, "lost+found") == 0)
                continue;
            count++;
            struct inode *inode;
            cr_assert_eq(lookup(&w.c, dir, name, strlen(name), &inode), 0, "%s/%s", path, name);
            cr_assert_eq(type, w.c.fs.filetype ? inode->mode >> 12 : 0);
            char below[PATH_MAX];
            snprintf(below, sizeof below, "%s/%s", path, name);
            if (strcmp(name, ".") == 0)
                cr_assert_eq(inode, dir);
            else if (strcmp(name, ".."))
                compare(inode, below);
            iput(&w.c, inode);
        }
    }
    cr_assert_eq(count, count_host(path), "%s", path);
    cr_assert_eq(dir_names(&w.c, dir, &pos, pos, buffer, sizeof buffer), 0);
    struct inode *none;
    for (int i = 0; i < 2; i++) /* the second time from the cache of names */
        cr_assert_eq(lookup(&w.c, dir, "no such name", 12, &none), -E_NOENT);
}

static void compare(struct inode *inode, const char *path) {
    struct stat st;
    cr_assert_eq(lstat(path, &st), 0);
    cr_assert_eq(inode->mode, st.st_mode, "%s", path);
    if (!S_ISDIR(st.st_mode)) {
        cr_assert_eq(inode->size, (u64)st.st_size, "%s", path);
        cr_assert_eq(inode->links, st.st_nlink);
    }
    cr_assert_eq(inode->uid, st.st_uid);
    cr_assert_eq(inode->mtime, (u32)st.st_mtime);
    if (inode->kind == INODE_DIR)
        compare_dir(inode, path);
    else if (inode->kind == INODE_SYMLINK)
        compare_link(inode, path);
    else
        compare_file(inode, path);
    world_check(&w, false);
}

static void whole_tree(u32 block_bytes, const char *options, u32 frames) {
    u64 seed = seed_begin(block_bytes);
    struct tree t;
    tree_begin(&t);
    tree_fill(&t, seed);
    tree_image(&t, block_bytes, 32768, options);
    world_begin(&w, t.image, seed);
    world_mount(&w);
    w.frames_limit = frames;
    cr_assert_eq(w.c.fs.block_bytes, block_bytes);
    struct inode *root = world_open(&w, "");
    compare(root, t.root);
    iput(&w.c, root);
    cr_assert_eq(w.c.fs.fault.count, 0, "%s", w.c.fs.fault.reason);
    world_end(&w);
    tree_end(&t);
}

Test(ext2, tree_1k) {
    whole_tree(1024, "", WORLD_FRAMES);
}
Test(ext2, tree_2k) {
    whole_tree(2048, "", WORLD_FRAMES);
}
Test(ext2, tree_4k) {
    whole_tree(4096, "", WORLD_FRAMES);
}
Test(ext2, tree_without_types) {
    whole_tree(1024, "-O ^filetype,^dir_index", WORLD_FRAMES);
}
Test(ext2, tree_revision_0) {
    whole_tree(1024, "-r 0 -O none", WORLD_FRAMES);
}
/* The same in so little memory that everything is recycled all the time. */
Test(ext2, tree_in_little_memory) {
    whole_tree(1024, "", 60);
}

/* Data on both sides of where each level of indirection begins. */
static void all_levels(u32 block_bytes) {
    u64 seed = seed_begin(7);
    u64 p = block_bytes / 4, levels[] = {12, 12 + p, 12 + p + p * p};
    u64 offsets[7], n = 0;
    u64 size = 0;
    for (u32 i = 0; i < 3; i++) {
        offsets[n++] = levels[i] * block_bytes - 2000;
        offsets[n++] = (levels[i] + p + 3) * block_bytes + 100;
        size = offsets[n - 1] + 100000;
    }
    offsets[n++] = 0;
    struct tree t;
    tree_begin(&t);
    tree_sparse(&t, "levels", offsets, (u32)n, size, seed);
    tree_image(&t, block_bytes, 16384, "");
    world_begin(&w, t.image, seed);
    world_mount(&w);
    char path[128];
    snprintf(path, sizeof path, "%s/levels", t.root);
    int fd = open(path, O_RDONLY);
    struct inode *inode = world_open(&w, "levels");
    cr_assert(inode && inode->size == size);
    for (u32 i = 0; i < n; i++) {
        u64 from = ROUND_DOWN(offsets[i] > 10000 ? offsets[i] - 10000 : 0, 4096);
        u8 ours[30000], theirs[30000];
        cr_assert_eq(world_read(&w, inode, NULL, from, ours, sizeof ours), sizeof ours);
        cr_assert_eq(pread(fd, theirs, sizeof theirs, (off_t)from), sizeof theirs);
        cr_assert_eq(memcmp(ours, theirs, sizeof ours), 0, "at %llu", (unsigned long long)from);
    }
    world_settle(&w);
    cr_assert_leq(w.c.pages.pages, 3 * n, "holes are cached");
    u64 block;
    cr_assert_eq(ext2_bmap(&w.c, inode, 12 + p + p * p + p * p * p, EXT2_MAY_WAIT, &block), -E_IO);
    iput(&w.c, inode);
    close(fd);
    world_end(&w);
    tree_end(&t);
}

Test(ext2, all_levels_1k) {
    all_levels(1024);
}
Test(ext2, all_levels_2k) {
    all_levels(2048);
}
Test(ext2, all_levels_4k) {
    all_levels(4096);
}

static struct ext2_super_block *super(void) {
    return (struct ext2_super_block *)(w.image + EXT2_SUPER_BYTES);
}

static const char *mount_says(void) {
    const char *why;
    world_drop(&w);
    err e = ext2_mount(&w.c, &why);
    cr_assert(e == 0 || e == -E_INVAL);
    cr_assert_eq(e != 0, why != NULL);
    return why ? why : "";
}

Test(ext2, refuses_by_name) {
    struct tree t;
    tree_begin(&t);
    tree_image(&t, 1024, 1024, "");
    world_begin(&w, t.image, 1);
    cr_assert_str_eq(mount_says(), "");
    struct ext2_super_block good = *super();
#define CHECK_INCOMPAT(bit, name, known)                                                                     \
    *super() = good, super()->feature_incompat |= bit;                                                       \
    cr_assert_str_eq(mount_says(), known ? "" : name);
    EXT2_INCOMPAT(CHECK_INCOMPAT)
#define CHECK_RO_COMPAT(bit, name, known)                                                                    \
    *super() = good, super()->feature_ro_compat |= bit;                                                      \
    cr_assert_str_eq(mount_says(), known ? "" : name);
    EXT2_RO_COMPAT(CHECK_RO_COMPAT)
    *super() = good, super()->feature_incompat |= 1u << 31;
    cr_assert_str_eq(mount_says(), "a feature without a name");
    *super() = good, super()->feature_compat = ~0u;
    cr_assert_str_eq(mount_says(), "");
    *super() = good, super()->magic = 0;
    cr_assert_str_eq(mount_says(), "no ext2 magic number");
    *super() = good, super()->rev_level = 2;
    cr_assert_str_eq(mount_says(), "unknown revision");
    *super() = good, super()->log_block_size = 3;
    cr_assert_str_eq(mount_says(), "block size above 4096");
    *super() = good, super()->log_block_size = 0xffffffff;
    cr_assert_str_eq(mount_says(), "block size above 4096");
    *super() = good, super()->first_data_block = 0;
    cr_assert_str_eq(mount_says(), "first data block");
    *super() = good, super()->blocks_count++;
    cr_assert_str_eq(mount_says(), "more blocks than the disk has");
    *super() = good, super()->inode_size = 200;
    cr_assert_str_eq(mount_says(), "inode size");
    *super() = good, super()->inode_size = 2048;
    cr_assert_str_eq(mount_says(), "inode size");
    *super() = good, super()->blocks_per_group = 0;
    cr_assert_str_eq(mount_says(), "blocks per group");
    *super() = good, super()->inodes_per_group = 0;
    cr_assert_str_eq(mount_says(), "inodes per group");
    *super() = good, super()->inodes_count--;
    cr_assert_str_eq(mount_says(), "inodes do not fill the groups");
    world_end(&w);
    tree_end(&t);
}

Test(ext2, refuses_ext4) {
    struct tree t;
    tree_begin(&t);
    char command[256];
    snprintf(command, sizeof command, "mke2fs -q -F -t ext4 -b 4096 %s 16384k", t.image);
    cr_assert_eq(system(command), 0);
    world_begin(&w, t.image, 1);
    cr_assert_str_eq(mount_says(), "extent");
    world_end(&w);
    tree_end(&t);
}

static void whatever(i64 comes_of_it) {
    (void)comes_of_it;
}

/* Visits all that can be reached, but no more than `budget` things, and does not mind errors. */
static void visit(struct inode *inode, u32 depth, u32 *budget) {
    u8 data[5000];
    char target[5000];
    if (inode->kind == INODE_FILE) {
        for (u32 i = 0; i < 8; i++) {
            struct read_ahead ahead = {0};
            u64 at = world_random(&w, 2) ? world_random(&w, inode->size + 1) : world_random(&w, 300000);
            whatever(world_read(&w, inode, i % 2 ? &ahead : NULL, at, data, sizeof data));
        }
    } else if (inode->kind == INODE_SYMLINK) {
        whatever(ext2_readlink(&w.c, inode, 0, target, sizeof target));
    } else if (inode->kind == INODE_DIR) {
        u64 pos = 0, before = 0;
        char names[280]; /* one at a time, if it is long */
        while (depth > 0 && *budget > 0 && dir_names(&w.c, inode, &pos, pos, names, sizeof names) > 0) {
            cr_assert_gt(pos, before);
            before = pos;
            --*budget;
            struct inode *below;
            const char *name = names + 19;
            if (lookup(&w.c, inode, name, strlen(name), &below) == 0) {
                visit(below, depth - 1, budget);
                iput(&w.c, below);
            }
        }
        pos = world_random(&w, inode->size + 5000);
        whatever(dir_names(&w.c, inode, &pos, 0, names, sizeof names));
    }
}

/* Bytes of the metadata are changed at random: nothing but errors may come of it. */
Test(ext2, corrupt_images, .timeout = 120) {
    u64 seed = seed_begin(99), rng = seed;
    struct tree t;
    tree_begin(&t);
    tree_fill(&t, seed);
    tree_image(&t, 1024, 16384, "-N 1024");
    world_begin(&w, t.image, seed);
    u64 bytes = w.sectors * SECTOR_BYTES;
    u8 *good = malloc(bytes);
    memcpy(good, w.image, bytes);
    u32 mounted = 0;
    u64 faults = 0;
    for (u32 round = 0; round < 150; round++) {
        memcpy(w.image, good, bytes);
        /* In turn: super block, descriptors and first inodes; all inodes; directories and indirect blocks
         * too. */
        static const u64 spans[] = {8192 * 5, 300 * 1024, 4096 * 1024};
        u64 span = spans[round % 3];
        u64 flips = 1 + seed_next(&rng, span / 500);
        for (u64 i = 0; i < flips; i++)
            w.image[1024 + seed_next(&rng, span)] = (u8)seed_next(&rng, 256);
        if (round % 4) /* most often let the mount succeed */
            memcpy(w.image + 1024, good + 1024, 1024);
        const char *why;
        world_drop(&w);
        w.c.fs.mounted = false;
        if (ext2_mount(&w.c, &why) == 0) {
            mounted++;
            struct inode *root;
            u32 budget = 200;
            if (iget(&w.c, EXT2_ROOT_INO, &root) == 0) {
                visit(root, 5, &budget);
                iput(&w.c, root);
            }
            faults += w.c.fs.fault.count;
        }
        world_settle(&w);
        world_check(&w, true);
    }
    cr_assert_gt(mounted, 50);
    cr_assert_gt(faults, 500, "only %llu", (unsigned long long)faults);
    free(good);
    world_end(&w);
    tree_end(&t);
}

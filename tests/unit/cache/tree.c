/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/seed.h"

static void run(const char *command) {
    cr_assert_eq(system(command), 0, "failed: %s", command);
}

void tree_begin(struct tree *t) {
    strcpy(t->base, "/tmp/quire-cache-XXXXXX");
    cr_assert(mkdtemp(t->base));
    snprintf(t->root, sizeof t->root, "%s/root", t->base);
    snprintf(t->image, sizeof t->image, "%s/image", t->base);
    cr_assert_eq(mkdir(t->root, 0755), 0);
}

void tree_end(struct tree *t) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", t->base);
    run(command);
}

static void fill_random(u8 *data, u64 bytes, u64 *rng) {
    for (u64 i = 0; i < bytes; i++)
        data[i] = (u8)seed_next(rng, 256);
}

static void write_file(const char *path, u64 bytes, u64 *rng) {
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    cr_assert(fd >= 0, "%s", path);
    u8 data[8192];
    for (u64 done = 0; done < bytes;) {
        u64 n = MIN(bytes - done, sizeof data);
        fill_random(data, n, rng);
        cr_assert_eq(write(fd, data, n), (ssize_t)n);
        done += n;
    }
    close(fd);
}

void tree_sparse(struct tree *t, const char *name, const u64 *offsets, u32 n, u64 size, u64 seed) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", t->root, name);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    cr_assert(fd >= 0);
    u64 rng = seed | 1;
    for (u32 i = 0; i < n; i++) {
        u8 data[5000];
        fill_random(data, sizeof data, &rng);
        cr_assert_eq(pwrite(fd, data, sizeof data, (off_t)offsets[i]), (ssize_t)sizeof data);
    }
    cr_assert_eq(ftruncate(fd, (off_t)size), 0);
    close(fd);
}

/* A name of 1 to max bytes, with an index that makes it unique. */
static void random_name(char *name, u64 max, u32 index, u64 *rng) {
    u64 len = 1 + seed_next(rng, max - 8);
    int n = sprintf(name, "%u-", index);
    for (u64 i = 0; i < len; i++)
        name[n + (int)i] = "abcdefghijklmnopqrstuvwxyz _.+"[seed_next(rng, 30)];
    name[n + (int)len] = 0;
}

static u64 random_size(u64 *rng) {
    static const u64 limits[] = {1, 100, 1024, 4097, 12 * 1024 + 1, 50000, 300000};
    return seed_next(rng, limits[seed_next(rng, ARRAY_LEN(limits))] + 1);
}

static void fill(const char *dir, u32 depth, u64 *rng) {
    for (u32 i = 0; i < 12; i++) {
        char name[300], path[2048], target[1024];
        random_name(name, seed_next(rng, 4) ? 30 : 255, i, rng);
        snprintf(path, sizeof path, "%s/%s", dir, name);
        switch (seed_next(rng, 6)) {
        case 0:
            cr_assert_eq(mkdir(path, 0700), 0);
            if (depth > 0)
                fill(path, depth - 1, rng);
            break;
        case 1:
            random_name(target, seed_next(rng, 2) ? 58 : 1000, i, rng);
            cr_assert_eq(symlink(target, path), 0);
            break;
        default:
            write_file(path, random_size(rng), rng);
        }
    }
}

void tree_fill(struct tree *t, u64 seed) {
    u64 rng = seed | 1;
    char dir[160], path[256];
    fill(t->root, 3, &rng);
    snprintf(dir, sizeof dir, "%s/many", t->root);
    cr_assert_eq(mkdir(dir, 0755), 0);
    for (u32 i = 0; i < 300; i++) {
        snprintf(path, sizeof path, "%s/file-%u", dir, i * 7919);
        write_file(path, i % 50, &rng);
    }
    /* Targets on both sides of what fits the inode. */
    for (u64 len = 58; len <= 61; len++) {
        char target[64];
        memset(target, 'x', len);
        target[len] = 0;
        snprintf(path, sizeof path, "%s/link-%u", t->root, (u32)len);
        cr_assert_eq(symlink(target, path), 0);
    }
    u64 offsets[] = {3000, 40960, 200000, 1234567};
    tree_sparse(t, "sparse", offsets, ARRAY_LEN(offsets), 3000000, seed);
    tree_sparse(t, "nothing-but-hole", NULL, 0, 1000000, seed);
}

void tree_image(struct tree *t, u32 block_bytes, u32 kilobytes, const char *options) {
    char command[512];
    struct stat st; /* of the root, whose times mke2fs does not take over: it gets those of the making */
    cr_assert_eq(stat(t->root, &st), 0);
    snprintf(command, sizeof command,
             "E2FSPROGS_FAKE_TIME=%lld mke2fs -q -F -t ext2 -b %u %s -d %s %s %uk >/dev/null",
             (long long)st.st_mtime, block_bytes, options, t->root, t->image, kilobytes);
    run(command);
}

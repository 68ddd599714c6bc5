/* SPDX-License-Identifier: MIT */
/* Buffers, inodes, names, numbers and open files, each by itself. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/seed.h"
#include "model/slab_host.h"
#include "reclaim.h"
#include "tree.h"
#include "world.h"

static struct world w;

Test(bio, pieces_adjoin) {
    static struct bio_pool pool;
    cr_assert_eq(bio_init(&pool), 0);
    struct bio *bio = bio_alloc(&pool, NULL);
    int a, b;
    struct bio_seg piece = {.frame = 5, .offset = 0, .bytes = 1024, .owner = &a};
    cr_assert(bio_add(bio, 100, &piece));
    piece.offset = 1024;
    cr_assert(!bio_add(bio, 104, &piece));
    cr_assert(bio_add(bio, 102, &piece));
    cr_assert(bio->nsegs == 1 && bio->seg[0].bytes == 2048 && bio->sectors == 4);
    piece = (struct bio_seg){.frame = 6, .offset = 2048, .bytes = 1024, .owner = &b};
    cr_assert(bio_add(bio, 104, &piece));
    cr_assert(bio->nsegs == 2 && bio->sector == 100 && bio->sectors == 6);
    for (u32 i = 2; i < BIO_SEGS; i++) {
        piece.frame++;
        cr_assert(bio_add(bio, 102 + 2 * i, &piece));
    }
    piece.frame++;
    cr_assert(!bio_add(bio, bio->sector + bio->sectors, &piece));
    for (u32 i = 1; i < BIOS; i++)
        cr_assert(bio_alloc(&pool, NULL));
    cr_assert_null(bio_alloc(&pool, NULL));
}

/* The image of blank worlds: each byte is told by its place. */
static u8 byte_at(u64 i) {
    return (u8)(i / 512 * 7 + i);
}

static void begin_blank(u64 seed) {
    world_begin_blank(&w, 4096, seed);
    for (u64 i = 0; i < 4096 * 512; i++)
        w.image[i] = byte_at(i);
}

static void expect_buffer(const struct buffer_head *bh) {
    for (u32 i = 0; i < bh->size; i++)
        cr_assert_eq((u8)bh->data[i], byte_at(bh->block * bh->size + i));
}

Test(buffers, basics) {
    begin_blank(1);
    struct cache *c = &w.c;
    struct buffer_head *a, *b;
    cr_assert_eq(getblk(c, 0, 0, 1000, &a), -E_IO);
    cr_assert_eq(getblk(c, 0, 0, 8192, &a), -E_IO);
    cr_assert_eq(getblk(c, 0, 512, 4096, &a), -E_IO);
    cr_assert_eq(getblk(c, 0, ~0ull, 4096, &a), -E_IO);
    cr_assert_eq(getblk(c, 0, 4095, 512, &a), 0);
    cr_assert(!(a->flags & BH_UPTODATE) && a->count == 1 && w.requests == 0);
    cr_assert_eq(bread(c, 0, 4095, 512, &b), 0);
    cr_assert(a == b && a->count == 2 && w.requests == 1);
    expect_buffer(a);
    /* The same block in another size is another buffer. */
    struct buffer_head *other;
    cr_assert_eq(bread(c, 0, 511, 4096, &other), 0);
    expect_buffer(other);
    cr_assert_neq(other, a);
    brelse(c, a);
    brelse(c, other);
    cr_assert_eq(shrink_buffers(c, 100), 1, "the page of a buffer in use stays");
    brelse(c, b);
    world_check(&w, true);
    cr_assert_null(bread_cached(c, 0, 511, 4096));
    cr_assert_eq(bread_cached(c, 0, 4095, 512), b);
    brelse(c, b);
    cr_assert_eq(w.requests, 2);
    world_end(&w);
}

Test(buffers, an_error_is_told_and_forgotten) {
    begin_blank(2);
    struct buffer_head *bh;
    w.bad[40] = 1;
    cr_assert_eq(bread(&w.c, 0, 5, 4096, &bh), -E_IO);
    cr_assert_eq(bread(&w.c, 0, 5, 4096, &bh), -E_IO);
    cr_assert_eq(w.requests, 2);
    w.bad[40] = 0;
    cr_assert_eq(bread(&w.c, 0, 5, 4096, &bh), 0);
    brelse(&w.c, bh);
    world_end(&w);
}

static void read_buffers(struct world *world, void *arg) {
    u32 size = *(u32 *)arg;
    for (u32 i = 0; i < 60; i++) {
        struct buffer_head *bh, *more;
        u64 block = world_random(world, 40);
        bool bad = world->bad[block * (size / SECTOR_BYTES)];
        err e = bread(&world->c, 0, block, size, &bh);
        cr_assert_eq(e, bad ? -E_IO : 0);
        if (e)
            continue;
        err second = bread(&world->c, 0, (block + 1) % 40, size, &more);
        expect_buffer(bh);
        brelse(&world->c, bh);
        if (second == 0)
            brelse(&world->c, more);
    }
}

Test(buffers, workers) {
    u64 seed = seed_begin(21);
    static u32 sizes[] = {512, 1024, 2048, 4096, 1024, 4096, 4096, 512};
    for (u32 round = 0; round < 20; round++) {
        begin_blank(seed + round);
        w.bad[16] = w.bad[33] = 1;
        w.bad[16 + 1] = 0;
        for (u32 i = 0; i < w.sectors; i++) /* a block is bad if its first sector is */
            w.bad[i] = i % 8 == 0 && i % 5 == 0;
        w.frames_limit = round % 2 ? 40 : WORLD_FRAMES;
        for (u32 i = 0; i < ARRAY_LEN(sizes); i++)
            world_task(&w, read_buffers, &sizes[i]);
        world_run(&w);
        world_check(&w, true);
        world_end(&w);
    }
}

/* More bufferless waiting than there are requests: workers wait for one to come free. */
static void read_far(struct world *world, void *arg) {
    u32 first = *(u32 *)arg;
    for (u32 i = 0; i < 30; i++) {
        struct buffer_head *bh;
        cr_assert_eq(bread(&world->c, 0, first + i, 512, &bh), 0);
        brelse(&world->c, bh);
    }
}

Test(buffers, requests_run_out) {
    begin_blank(3);
    static u32 first[WORLD_TASKS];
    struct bio *taken[BIOS - 2];
    for (u32 i = 0; i < BIOS - 2; i++) /* all requests but two are under way elsewhere */
        taken[i] = bio_alloc(&w.c.bios, NULL);
    for (u32 i = 0; i < WORLD_TASKS; i++) {
        first[i] = i * 100;
        world_task(&w, read_far, &first[i]);
    }
    world_run(&w);
    for (u32 i = 0; i < BIOS - 2; i++)
        bio_free(&w.c.bios, taken[i]);
    world_end(&w);
}

Test(buffers, no_memory) {
    begin_blank(4);
    struct buffer_head *bh, *held;
    cr_assert_eq(bread(&w.c, 0, 1, 4096, &held), 0);
    w.frames_limit = w.frames_used;
    cr_assert_eq(bread(&w.c, 0, 2, 4096, &bh), -E_NOMEM);
    brelse(&w.c, held);
    cr_assert_eq(bread(&w.c, 0, 2, 4096, &bh), 0, "the idle one is recycled");
    brelse(&w.c, bh);
    w.frames_limit = WORLD_FRAMES;
    slab_host_fail_after(2); /* of the eight heads */
    cr_assert_eq(bread(&w.c, 0, 2, 512, &bh), -E_NOMEM);
    slab_host_fail_after(-1);
    world_check(&w, true);
    world_end(&w);
}

Test(handles, random) {
    begin_blank(5);
    u64 rng = seed_begin(31);
    static struct handle_table t;
    enum { LIVE = 700 };
    static u64 number[LIVE];
    static int object[LIVE];
    static u64 dead[1000];
    u32 deaths = 0;
    for (u32 step = 0; step < 20000; step++) {
        u64 i = seed_next(&rng, LIVE);
        if (number[i] == 0) {
            number[i] = handle_new(&w.c, &t, &object[i]);
            cr_assert_neq(number[i], 0);
        } else if (seed_next(&rng, 2)) {
            handle_end(&t, number[i]);
            dead[deaths++ % ARRAY_LEN(dead)] = number[i];
            number[i] = 0;
        } else {
            cr_assert_eq(handle_find(&t, number[i]), &object[i]);
        }
        cr_assert_null(handle_find(&t, dead[seed_next(&rng, ARRAY_LEN(dead))]));
        cr_assert_null(handle_find(&t, seed_next(&rng, 1ull << 40) + (1ull << 50)));
    }
    cr_assert_null(handle_find(&t, 0));
    for (u32 i = 0; i < t.chunks; i++)
        for (pfn f = 1; f <= WORLD_FRAMES; f++)
            if (w.frame[f - 1] == t.chunk[i])
                w.host.free_frame(&w, f);
    world_end(&w);
}

static struct tree tree;

static void begin_tree(void) {
    tree_begin(&tree);
    char command[400];
    snprintf(command, sizeof command,
             "cd %s && mkdir dir && echo hello >dir/file && ln -s file dir/link && mkfifo fifo && "
             "echo x >a-name-of-more-than-forty-bytes-is-not-remembered",
             tree.root);
    cr_assert_eq(system(command), 0);
    tree_image(&tree, 1024, 1024, "");
    world_begin(&w, tree.image, 1);
    world_mount(&w);
}

static void end_tree(void) {
    world_end(&w);
    tree_end(&tree);
}

Test(inodes, one_per_number) {
    begin_tree();
    struct inode *a = world_open(&w, "dir/file"), *b = world_open(&w, "dir/../dir/./file");
    cr_assert(a && a == b && a->count == 2);
    inode_hold(a);
    for (int i = 0; i < 3; i++)
        iput(&w.c, a);
    struct inode *none, *dir = world_open(&w, "dir"), *root = world_open(&w, "");
    cr_assert_eq(iget(&w.c, 0, &none), -E_IO);
    cr_assert_eq(iget(&w.c, w.c.fs.inodes + 1, &none), -E_IO);
    cr_assert_eq(iget(&w.c, 7, &none), -E_IO);
    cr_assert_str_eq(w.c.fs.fault.reason, "name of a reserved inode");
    cr_assert_eq(iget(&w.c, w.c.fs.inodes, &none), -E_IO);
    cr_assert_str_eq(w.c.fs.fault.reason, "name of a free inode");
    char long_name[300];
    memset(long_name, 'n', sizeof long_name);
    cr_assert_eq(lookup(&w.c, dir, long_name, 255, &none), -E_NOENT);
    cr_assert_eq(lookup(&w.c, dir, long_name, 256, &none), -E_NAMETOOLONG);
    cr_assert_eq(lookup(&w.c, a, "x", 1, &none), -E_NOTDIR);
    u64 names = w.c.dentries.dentries;
    const char *name = "a-name-of-more-than-forty-bytes-is-not-remembered";
    cr_assert_eq(lookup(&w.c, root, name, strlen(name), &none), 0);
    cr_assert_eq(w.c.dentries.dentries, names);
    iput(&w.c, none);
    iput(&w.c, dir);
    iput(&w.c, root);
    end_tree();
}

static void look_up_all(struct world *world, void *arg) {
    (void)arg;
    for (u32 i = 0; i < 20; i++) {
        static const char *const paths[] = {"dir/file",    "dir/link", "fifo",
                                            "dir/nothing", "dir",      "lost+found"};
        u64 pick = world_random(world, ARRAY_LEN(paths));
        struct inode *inode = world_open(world, paths[pick]);
        cr_assert_eq(inode == NULL, pick == 3);
        if (inode)
            iput(&world->c, inode);
        if (world_random(world, 4) == 0)
            drop_caches(&world->c);
    }
}

Test(inodes, workers) {
    u64 seed = seed_begin(41);
    begin_tree();
    w.rng = seed;
    for (u32 i = 0; i < 8; i++)
        world_task(&w, look_up_all, NULL);
    world_run(&w);
    world_check(&w, true);
    end_tree();
}

Test(files, objects_and_files) {
    begin_tree();
    struct cache *c = &w.c;
    u64 object, same, file;
    cr_assert_eq(object_reference(c, world_open(&w, "dir/file"), &object), 0);
    cr_assert_eq(object_reference(c, world_open(&w, "dir/file"), &same), 0);
    cr_assert_eq(object, same);
    cr_assert_eq(object_get(c, object), 0);
    world_check(&w, false);
    cr_assert_eq(file_open(c, object, 0, &file), 0);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(object_put(c, object), 0);
    cr_assert_eq(object_put(c, object), -E_STALE);
    cr_assert_eq(object_get(c, object), -E_STALE);
    cr_assert_null(object_find(c, object));
    struct filp *filp = file_find(c, file);
    cr_assert(filp && filp->inode->size == 6 && filp->inode->count == 1);
    cr_assert_eq(file_close(c, file), 0);
    cr_assert_eq(file_close(c, file), -E_BADF);
    cr_assert_eq(filp->inode->count, 1, "a request still uses it");
    file_release(c, filp);
    cr_assert_null(file_find(c, file));
    cr_assert_null(file_find(c, 0));
    end_tree();
}

static err open_as(const char *path, u64 flags) {
    u64 object, file;
    cr_assert_eq(object_reference(&w.c, world_open(&w, path), &object), 0);
    err e = file_open(&w.c, object, flags, &file);
    cr_assert_eq(object_put(&w.c, object), 0);
    if (e == 0)
        cr_assert_eq(file_close(&w.c, file), 0);
    return e;
}

Test(files, what_may_be_opened) {
    begin_tree();
    cr_assert_eq(open_as("dir/file", 0), 0);
    cr_assert_eq(open_as("dir/file", 1), -E_ROFS);
    cr_assert_eq(open_as("dir/file", 2), -E_ROFS);
    cr_assert_eq(open_as("dir/file", OPEN_TRUNC), -E_ROFS);
    cr_assert_eq(open_as("dir/file", OPEN_DIRECTORY), -E_NOTDIR);
    cr_assert_eq(open_as("dir", OPEN_DIRECTORY), 0);
    cr_assert_eq(open_as("dir", 0), 0);
    cr_assert_eq(open_as("dir", 1), -E_ISDIR);
    cr_assert_eq(open_as("dir/link", 0), -E_LOOP);
    cr_assert_eq(open_as("dir/link", OPEN_PATH), 0);
    cr_assert_eq(open_as("fifo", 0), -E_NXIO);
    u64 file;
    cr_assert_eq(file_open(&w.c, 12345, 0, &file), -E_STALE);
    end_tree();
}

Test(files, seek) {
    begin_tree();
    u64 object, file;
    cr_assert_eq(object_reference(&w.c, world_open(&w, "dir/file"), &object), 0);
    cr_assert_eq(file_open(&w.c, object, 0, &file), 0);
    cr_assert_eq(file_seek(&w.c, file, 4, FROM_SET), 4);
    cr_assert_eq(file_seek(&w.c, file, -1, FROM_CUR), 3);
    cr_assert_eq(file_seek(&w.c, file, 10, FROM_END), 16);
    cr_assert_eq(file_seek(&w.c, file, -17, FROM_CUR), -E_INVAL);
    cr_assert_eq(file_seek(&w.c, file, 0x7fffffffffffffff, FROM_CUR), -E_INVAL);
    cr_assert_eq(file_seek(&w.c, file, 5, FROM_DATA), 5);
    cr_assert_eq(file_seek(&w.c, file, 5, FROM_HOLE), 6);
    cr_assert_eq(file_seek(&w.c, file, 6, FROM_HOLE), -E_NXIO);
    cr_assert_eq(file_seek(&w.c, file, -1, FROM_DATA), -E_NXIO);
    cr_assert_eq(file_seek(&w.c, file, 10, FROM_END), 16);
    cr_assert_eq(file_seek(&w.c, file, 0, 9), -E_INVAL);
    cr_assert_eq(file_seek(&w.c, file, 0, FROM_CUR), 16);
    cr_assert_eq(file_seek(&w.c, 77, 0, FROM_CUR), -E_BADF);
    cr_assert_eq(file_close(&w.c, file), 0);
    cr_assert_eq(object_put(&w.c, object), 0);
    end_tree();
}

Test(files, names_that_do_not_fit) {
    begin_tree();
    struct inode *dir = world_open(&w, "dir");
    char buffer[64];
    u64 pos = 0;
    cr_assert_eq(dir_names(&w.c, dir, &pos, pos, buffer, 20), -E_INVAL);
    cr_assert_eq(pos, 0);
    cr_assert_eq(dir_names(&w.c, dir, &pos, pos, buffer, 24), 24);
    cr_assert_str_eq(buffer + 19, ".");
    /* A position that is no boundary is as the next one. */
    for (u64 at = 1; at <= 12; at++) {
        pos = at;
        cr_assert_eq(dir_names(&w.c, dir, &pos, 0, buffer, 24), 24);
        cr_assert_str_eq(buffer + 19, "..");
    }
    iput(&w.c, dir);
    end_tree();
}

/* SPDX-License-Identifier: MIT */
/* The page cache: against a model, with several workers, with failing disks and in little memory. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/seed.h"
#include "reclaim.h"
#include "tree.h"
#include "world.h"

enum { FILES = 4, FILE_PAGES = 100 };

/* The model: each file's bytes, as the host has them. */
static struct world w;
static struct tree tree;
static struct inode *file[FILES];
static u8 *contents[FILES];
static u64 size[FILES];

static void load(u32 i, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", tree.root, name);
    int fd = open(path, O_RDONLY);
    size[i] = (u64)lseek(fd, 0, SEEK_END);
    contents[i] = calloc(ROUND_UP(size[i], PAGE_BYTES), 1);
    cr_assert_eq(pread(fd, contents[i], size[i], 0), (ssize_t)size[i]);
    close(fd);
    file[i] = world_open(&w, name);
    cr_assert(file[i]);
}

/* Four files: one dense, one of holes, one mixed, one that ends inside a page. */
static void begin(u32 block_bytes, u64 seed) {
    u64 dense[FILE_PAGES], mixed[] = {5000, 70000, 71000, 200000, 300000};
    for (u32 i = 0; i < FILE_PAGES; i++)
        dense[i] = i * PAGE_BYTES; /* 5000 bytes each */
    tree_begin(&tree);
    tree_sparse(&tree, "dense", dense, FILE_PAGES - 1, FILE_PAGES * PAGE_BYTES - 100, seed);
    tree_sparse(&tree, "holes", NULL, 0, 50 * PAGE_BYTES, seed);
    tree_sparse(&tree, "mixed", mixed, 5, 400001, seed + 1);
    tree_sparse(&tree, "short", dense, 3, 4 * PAGE_BYTES + 1, seed + 2);
    tree_image(&tree, block_bytes, 4096, "");
    world_begin(&w, tree.image, seed);
    world_mount(&w);
    static const char *const names[] = {"dense", "holes", "mixed", "short"};
    for (u32 i = 0; i < FILES; i++)
        load(i, names[i]);
    world_drop(&w);
    memset(w.read_count, 0, w.sectors * sizeof *w.read_count);
    w.requests = w.waits = 0;
}

static void end(void) {
    for (u32 i = 0; i < FILES; i++) {
        iput(&w.c, file[i]);
        free(contents[i]);
    }
    world_end(&w);
    tree_end(&tree);
}

static u64 sector_of(u32 f, u64 index) {
    u64 block;
    cr_assert_eq(ext2_bmap(&w.c, file[f], index * (PAGE_BYTES / w.c.fs.block_bytes), EXT2_MAY_WAIT, &block),
                 0);
    cr_assert_gt(block, 0);
    return block * w.c.fs.block_sectors;
}

static pfn peek(const struct inode *inode, u64 index) {
    pfn frame;
    find_frames(&w.c, inode, index, 1, &frame);
    return frame;
}

static void expect_page(u32 f, u64 index, pfn frame) {
    cr_assert_eq(memcmp(world_frame(&w, frame), contents[f] + index * PAGE_BYTES, PAGE_BYTES), 0,
                 "file %u page %llu", f, (unsigned long long)index);
}

/* Every page that is here and valid holds what the file holds, and none is a hole. */
static void check_contents(void) {
    for (u32 f = 0; f < FILES; f++) {
        struct page *page;
        TAILQ_FOREACH(page, &file[f]->pages, queue) {
            if (page->flags & PG_UPTODATE)
                expect_page(f, page->index, page->frame);
        }
    }
    cr_assert_eq(file[1]->npages, 0, "a hole is cached");
}

static void random_steps(u32 block_bytes) {
    u64 seed = seed_begin(block_bytes + 1);
    begin(block_bytes, seed);
    struct read_ahead ahead[FILES] = {{0}};
    for (u32 step = 0; step < 4000; step++) {
        u32 f = (u32)world_random(&w, FILES);
        u64 pages = inode_page_count(file[f]), index = world_random(&w, pages + 2);
        struct page_answer page;
        switch (world_random(&w, 10)) {
        case 0:
            reclaim(&w.c, world_random(&w, 20));
            break;
        case 1: {
            pfn frame = peek(file[f], index);
            if (frame)
                world_map(&w, frame, world_random(&w, 2));
            break;
        }
        case 2:
            w.frames_limit = world_random(&w, 3) ? WORLD_FRAMES : w.frames_used + (u32)world_random(&w, 5);
            break;
        case 3:
            if (w.queued > 0)
                world_complete(&w, (u32)world_random(&w, w.queued));
            break;
        case 4:
            memset(w.bad, 0, w.sectors);
            if (world_random(&w, 2))
                w.bad[world_random(&w, w.sectors)] = 1;
            break;
        case 5:
            w.may_not_wait = world_random(&w, 2);
            break;
        default: {
            if (world_random(&w, 3))
                index = ahead[f].expected;
            err e = page_get(&w.c, file[f], index, world_random(&w, 4) ? &ahead[f] : NULL, &page);
            cr_assert_eq(e == -E_NXIO, index >= pages);
            cr_assert(e == 0 || e == -E_NXIO || (e == -E_AGAIN && w.may_not_wait) || e == -E_NOMEM ||
                      e == -E_IO);
            if (e == 0)
                expect_page(f, index, page.frame);
        }
        }
        world_check(&w, false);
        check_contents();
    }
    for (u32 i = 0; i < WORLD_FRAMES; i++)
        w.mapped[i] = false;
    memset(w.bad, 0, w.sectors);
    world_settle(&w);
    world_check(&w, false);
    end();
}

Test(pages, random_1k) {
    random_steps(1024);
}
Test(pages, random_2k) {
    random_steps(2048);
}
Test(pages, random_4k) {
    random_steps(4096);
}

Test(pages, window_doubles) {
    begin(4096, 3);
    struct read_ahead ahead = {0};
    struct page_answer page;
    u32 sources[3] = {0};
    (void)sector_of(0, 20); /* the indirect block is here */
    w.requests = 0;
    for (u64 i = 0; i < FILE_PAGES; i++) {
        cr_assert_eq(page_get(&w.c, file[0], i, &ahead, &page), 0);
        expect_page(0, i, page.frame);
        sources[page.source]++;
        if (page.source == PAGE_HIT && world_random(&w, 2) && w.queued)
            world_settle(&w);
    }
    u32 total = 0, largest = 0;
    for (u32 i = 0; i < w.requests; i++) {
        total += w.log[i] / 8;
        largest = MAX(largest, w.log[i] / 8);
    }
    cr_assert_eq(w.log[0] / 8, 1 + READ_AHEAD_MIN);
    cr_assert_eq(w.log[1] / 8, 2 * READ_AHEAD_MIN);
    cr_assert_eq(total, FILE_PAGES, "every page once");
    cr_assert_leq(largest, 1 + READ_AHEAD_MAX);
    cr_assert_lt(w.requests, 12, "%u requests", w.requests);
    end();
}

Test(pages, random_reader_reads_one_page) {
    begin(4096, 4);
    struct read_ahead ahead = {0};
    struct page_answer page;
    static const u64 order[] = {50, 10, 90, 30, 70};
    (void)sector_of(0, 20);
    w.requests = 0;
    for (u32 i = 0; i < ARRAY_LEN(order); i++) {
        cr_assert_eq(page_get(&w.c, file[0], order[i], &ahead, &page), 0);
        cr_assert_eq(page.source, PAGE_READ);
        cr_assert_eq(w.log[i], 8);
    }
    cr_assert_eq(w.requests, ARRAY_LEN(order));
    /* A fault takes the aligned cluster, without what is here already. */
    cr_assert_eq(page_get(&w.c, file[0], 37, NULL, &page), 0);
    world_settle(&w);
    u32 here = 0;
    for (u64 i = 32; i < 48; i++)
        here += peek(file[0], i) != 0;
    cr_assert_eq(here, 16);
    cr_assert_eq(w.c.pages.pages, 5 + 16);
    end();
}

struct reader {
    u32 f;
    u64 index, count;
    i64 expect; /* of the last page */
    bool sequential;
};

static void read_pages(struct world *world, void *arg) {
    const struct reader *r = arg;
    struct read_ahead ahead = {0};
    for (u64 i = r->index; i < r->index + r->count; i++) {
        struct page_answer page;
        err e = page_get(&world->c, file[r->f], i, r->sequential ? &ahead : NULL, &page);
        cr_assert_eq(e, i + 1 == r->index + r->count ? r->expect : 0, "page %llu: %s", (unsigned long long)i,
                     err_name(e));
        if (e == 0)
            expect_page(r->f, i, page.frame);
    }
}

/* Many readers of the same pages: each sector is read once. */
Test(pages, readers_share_a_read) {
    u64 seed = seed_begin(11);
    for (u32 round = 0; round < 20; round++) {
        begin(round % 2 ? 1024 : 4096, seed + round);
        struct reader r[8];
        for (u32 i = 0; i < 8; i++) {
            r[i] = (struct reader){.f = i % 3 ? 0 : 2, .index = 0, .count = 40, .sequential = i % 2};
            world_task(&w, read_pages, &r[i]);
        }
        world_run(&w);
        world_settle(&w);
        check_contents();
        for (u64 s = 0; s < w.sectors; s++)
            cr_assert_leq(w.read_count[s], 1, "sector %llu was read %u times", (unsigned long long)s,
                          w.read_count[s]);
        end();
    }
}

/* The same in so little memory that workers take the frames from each other. */
Test(pages, readers_in_little_memory) {
    u64 seed = seed_begin(12);
    for (u32 round = 0; round < 10; round++) {
        begin(1024, seed + round);
        w.frames_limit = w.frames_used + 24;
        struct reader r[8];
        for (u32 i = 0; i < 8; i++) {
            r[i] = (struct reader){.f = i % 3 ? 0 : 2, .index = i, .count = 60, .sequential = i % 2};
            world_task(&w, read_pages, &r[i]);
        }
        world_run(&w);
        end();
    }
}

/* One bad sector: exactly those who read that page hear of it, its neighbours in the same request do not. */
Test(pages, errors_reach_their_readers) {
    u64 seed = seed_begin(13);
    for (u32 round = 0; round < 30; round++) {
        begin(4096, seed + round);
        w.bad[sector_of(0, 17) + 3] = 1;
        struct reader r[] = {
            {.f = 0, .index = 17, .count = 1, .expect = -E_IO},
            {.f = 0, .index = 17, .count = 1, .expect = -E_IO, .sequential = true},
            {.f = 0, .index = 0, .count = 18, .expect = -E_IO, .sequential = true},
            {.f = 0, .index = 16, .count = 1},
            {.f = 0, .index = 18, .count = 30, .sequential = true},
            {.f = 0, .index = 18, .count = 30},
            {.f = 2, .index = 0, .count = 90},
        };
        for (u32 i = 0; i < ARRAY_LEN(r); i++)
            world_task(&w, read_pages, &r[i]);
        world_run(&w);
        world_settle(&w);
        /* The disk is well again: so is the page. */
        memset(w.bad, 0, w.sectors);
        struct page_answer page;
        cr_assert_eq(page_get(&w.c, file[0], 17, NULL, &page), 0);
        expect_page(0, 17, page.frame);
        end();
    }
}

Test(pages, indirect_block_fails) {
    begin(4096, 5);
    u64 block = file[0]->block[12];
    w.bad[block * 8] = 1;
    struct page_answer page;
    cr_assert_eq(page_get(&w.c, file[0], 11, NULL, &page), 0);
    cr_assert_eq(page_get(&w.c, file[0], 12, NULL, &page), -E_IO);
    w.bad[block * 8] = 0;
    cr_assert_eq(page_get(&w.c, file[0], 12, NULL, &page), 0);
    end();
}

/* A worker that may not wait begins the read and lets go; later the page is there. */
Test(pages, may_not_wait) {
    begin(1024, 6);
    struct page_answer page;
    w.may_not_wait = true;
    u32 tries = 0;
    while (page_get(&w.c, file[0], 30, NULL, &page) == -E_AGAIN) {
        cr_assert_lt(tries++, 10);
        world_check(&w, false);
        world_settle(&w);
    }
    expect_page(0, 30, page.frame);
    cr_assert_eq(w.waits, 0);
    world_settle(&w);
    for (u64 s = 0; s < w.sectors; s++)
        cr_assert_leq(w.read_count[s], 1);
    end();
}

Test(pages, mapped_pages_stay) {
    begin(4096, 7);
    struct page_answer page;
    pfn kept = 0;
    for (u64 i = 0; i < 20; i++) {
        cr_assert_eq(page_get(&w.c, file[0], i, NULL, &page), 0);
        if (i == 5)
            kept = page.frame;
    }
    world_settle(&w);
    world_map(&w, kept, true);
    cr_assert_eq(count_mapped(&w.c), 1);
    world_drop(&w);
    cr_assert_eq(w.c.pages.pages, 1);
    cr_assert_eq(peek(file[0], 5), kept);
    world_map(&w, kept, false);
    cr_assert_eq(count_mapped(&w.c), 0);
    cr_assert_eq(reclaim(&w.c, 1), 1);
    cr_assert_eq(w.c.pages.pages, 0);
    end();
}

/* A reader goes on without waiting as long as pages are here and nothing is to be read ahead. */
Test(pages, a_reader_goes_on_over_what_is_here) {
    begin(4096, 5);
    struct read_ahead ahead = {0}, before;
    struct page_answer page;
    for (u64 i = 0; i < 12; i++)
        cr_assert_eq(page_get(&w.c, file[0], i, NULL, &page), 0);
    world_settle(&w);
    cr_assert_eq(page_get(&w.c, file[0], 4, &ahead, &page), 0);
    before = ahead;
    cr_assert_not(page_next(&w.c, file[0], 5, &ahead, peek(file[0], 5) + 1), "another frame");
    cr_assert(memcmp(&before, &ahead, sizeof ahead) == 0);
    ahead.end = 40; /* enough is ahead */
    ahead.window = READ_AHEAD_MAX;
    for (u64 i = 5; i < 12; i++)
        cr_assert(page_next(&w.c, file[0], i, &ahead, peek(file[0], i)));
    cr_assert_eq(ahead.expected, 12);
    world_drop(&w);
    cr_assert_not(page_next(&w.c, file[0], 12, &ahead, page.frame), "not here");
    end();
}

/* Others run in the midst of a long scan, and may take away what it would come to next. */
Test(pages, long_scans_let_others_run) {
    begin(4096, 11);
    struct page_answer page;
    for (u64 i = 0; i < 300; i++)
        cr_assert_eq(page_get(&w.c, file[0], i % inode_page_count(file[0]), NULL, &page), 0);
    world_settle(&w);
    w.yields = 0;
    cr_assert_eq(count_mapped(&w.c), 0);
    cr_assert_gt(w.yields, 0);
    w.yields = 0;
    u64 pages = w.c.pages.pages;
    world_drop(&w);
    cr_assert_geq(w.yields, pages / RECLAIM_BATCH / YIELD_BATCHES);
    end();
}

/* A page that is used again and again outlives a long scan. */
Test(pages, second_chance) {
    begin(4096, 8);
    struct page_answer page;
    w.frames_limit = w.frames_used + 12;
    cr_assert_eq(page_get(&w.c, file[2], 17, NULL, &page), 0);
    u32 hits = 0;
    for (u64 i = 0; i < FILE_PAGES; i++) {
        struct read_ahead none = {.expected = 1000};
        cr_assert_eq(page_get(&w.c, file[0], i, &none, &page), 0);
        cr_assert_eq(page_get(&w.c, file[2], 17, &none, &page), 0);
        hits += page.source == PAGE_HIT;
    }
    cr_assert_gt(hits, 90);
    end();
}

Test(pages, shared_memory) {
    begin(1024, 9);
    struct inode *shm;
    struct page_answer page, again;
    u64 files = w.c.inodes.inodes;
    cr_assert_eq(shm_create(&w.c, 0, &shm), -E_INVAL);
    cr_assert_eq(shm_create(&w.c, 3 * PAGE_BYTES, &shm), 0);
    cr_assert_eq(shm_page(&w.c, shm, 3, &page), -E_NXIO);
    cr_assert_eq(shm_page(&w.c, shm, 2, &page), 0);
    u8 *data = world_frame(&w, page.frame);
    for (u32 i = 0; i < PAGE_BYTES; i++)
        cr_assert_eq(data[i], 0);
    data[7] = 7;
    world_drop(&w); /* used: it is not dropped */
    cr_assert_eq(shm_page(&w.c, shm, 2, &again), 0);
    cr_assert_eq(again.frame, page.frame);
    cr_assert_eq(shm_page(&w.c, shm, 0, &again), 0);
    world_check(&w, false);
    /* The last user goes while a program still maps one page: that page goes later. */
    world_map(&w, page.frame, true);
    iput(&w.c, shm);
    world_check(&w, false);
    cr_assert_eq(w.c.pages.pages, 1);
    world_map(&w, page.frame, false);
    world_drop(&w);
    cr_assert_eq(w.c.pages.pages, 0);
    cr_assert_eq(w.c.inodes.inodes, files);
    end();
}

/* Workers share objects, drop them and drop caches, all at once. */
static void share(struct world *world, void *arg) {
    struct inode *shared = arg;
    for (u32 i = 0; i < 10; i++) {
        struct inode *own;
        struct page_answer page;
        cr_assert_eq(shm_create(&world->c, 40 * PAGE_BYTES, &own), 0);
        for (u32 j = 0; j < 40; j++) {
            cr_assert_eq(
                shm_page(&world->c, world_random(world, 2) ? own : shared, world_random(world, 40), &page),
                0);
            if (world_random(world, 10) == 0)
                world_map(world, page.frame, true);
        }
        if (world_random(world, 2))
            drop_caches(&world->c);
        iput(&world->c, own);
    }
    iput(&world->c, shared);
}

Test(pages, shared_memory_by_workers) {
    begin(1024, seed_begin(51));
    struct inode *shared;
    cr_assert_eq(shm_create(&w.c, 40 * PAGE_BYTES, &shared), 0);
    for (u32 i = 0; i < 6; i++) {
        if (i > 0)
            inode_hold(shared);
        world_task(&w, share, shared);
    }
    world_run(&w);
    for (u32 i = 0; i < WORLD_FRAMES; i++)
        w.mapped[i] = false;
    end();
}

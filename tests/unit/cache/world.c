/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ipc/slab.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/seed.h"
#include "reclaim.h"

u64 world_random(struct world *w, u64 n) {
    return seed_next(&w->rng, n);
}

/* Workers. */

static void switch_to_main(struct world *w) {
    int self = w->current;
    pthread_mutex_lock(&w->lock);
    w->current = -1;
    pthread_cond_signal(&w->back);
    while (w->current != self)
        pthread_cond_wait(&w->task[self].turn, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

static void *task_main(void *arg) {
    struct task *t = arg;
    struct world *w = t->w;
    int self = (int)(t - w->task);
    pthread_mutex_lock(&w->lock);
    while (w->current != self)
        pthread_cond_wait(&t->turn, &w->lock);
    pthread_mutex_unlock(&w->lock);
    t->run(w, t->arg);
    pthread_mutex_lock(&w->lock);
    t->alive = false;
    w->current = -1;
    pthread_cond_signal(&w->back);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

void world_task(struct world *w, void (*run)(struct world *w, void *arg), void *arg) {
    cr_assert(w->tasks < WORLD_TASKS);
    struct task *t = &w->task[w->tasks++];
    *t = (struct task){.w = w, .run = run, .arg = arg, .alive = true};
    pthread_cond_init(&t->turn, NULL);
    cr_assert_eq(pthread_create(&t->thread, NULL, task_main, t), 0);
}

static void resume(struct world *w, u32 i) {
    pthread_mutex_lock(&w->lock);
    w->current = (int)i;
    pthread_cond_signal(&w->task[i].turn);
    while (w->current != -1)
        pthread_cond_wait(&w->back, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

void world_run(struct world *w) {
    for (;;) {
        u32 able[WORLD_TASKS], n = 0, alive = 0;
        for (u32 i = 0; i < w->tasks; i++) {
            alive += w->task[i].alive;
            if (w->task[i].alive && !w->task[i].channel)
                able[n++] = i;
        }
        if (alive == 0)
            break;
        cr_assert(n + w->queued > 0, "all workers sleep and no request is under way");
        u64 pick = world_random(w, n + w->queued);
        if (pick < n)
            resume(w, able[pick]);
        else
            world_complete(w, (u32)(pick - n));
        world_check(w, false);
    }
    for (u32 i = 0; i < w->tasks; i++)
        pthread_join(w->task[i].thread, NULL);
    w->tasks = 0;
}

static err host_wait(void *ctx, const void *channel) {
    struct world *w = ctx;
    if (w->may_not_wait)
        return -E_AGAIN;
    w->waits++;
    if (w->current < 0) {
        cr_assert(w->queued > 0, "waits for ever");
        world_complete(w, (u32)world_random(w, w->queued));
        return 0;
    }
    w->task[w->current].channel = channel;
    switch_to_main(w);
    return 0;
}

static void host_wake(void *ctx, const void *channel) {
    struct world *w = ctx;
    for (u32 i = 0; i < w->tasks; i++)
        if (w->task[i].channel == channel)
            w->task[i].channel = NULL;
}

/* Memory. */

static pfn host_alloc_frame(void *ctx) {
    struct world *w = ctx;
    if (w->current >= 0 && world_random(w, 2))
        switch_to_main(w);
    if (w->frames_used >= w->frames_limit)
        return 0;
    for (u32 i = 0; i < WORLD_FRAMES; i++) {
        if (!w->frame[i]) {
            w->frame[i] = malloc(PAGE_BYTES);
            memset(w->frame[i], 0xa5, PAGE_BYTES);
            w->frames_used++;
            return i + 1;
        }
    }
    return 0;
}

void *world_frame(struct world *w, pfn frame) {
    cr_assert(frame > 0 && frame <= WORLD_FRAMES && w->frame[frame - 1], "no frame %llu",
              (unsigned long long)frame);
    return w->frame[frame - 1];
}

static void host_free_frame(void *ctx, pfn frame) {
    struct world *w = ctx;
    free(world_frame(w, frame));
    cr_assert(!w->mapped[frame - 1], "freed a frame that a program maps");
    w->frame[frame - 1] = NULL;
    w->frames_used--;
    if (w->current >= 0 && world_random(w, 2))
        switch_to_main(w);
}

static void *host_address(void *ctx, pfn frame) {
    return world_frame(ctx, frame);
}

void world_map(struct world *w, pfn frame, bool mapped) {
    world_frame(w, frame);
    w->mapped[frame - 1] = mapped;
}

static void host_mapped(void *ctx, const pfn *frames, u32 n, bool *mapped) {
    struct world *w = ctx;
    cr_assert(n > 0 && n <= RECLAIM_BATCH);
    for (u32 i = 0; i < n; i++) {
        world_frame(w, frames[i]);
        mapped[i] = w->mapped[frames[i] - 1];
    }
}

static void host_yield(void *ctx) {
    struct world *w = ctx;
    w->yields++;
    if (w->current >= 0)
        switch_to_main(w);
}

/* Disk. */

static void host_submit(void *ctx, struct bio *bio) {
    struct world *w = ctx;
    u64 bytes = 0;
    for (u32 i = 0; i < bio->nsegs; i++) {
        const struct bio_seg *s = &bio->seg[i];
        cr_assert(s->bytes > 0 && s->bytes % SECTOR_BYTES == 0 && s->offset + s->bytes <= PAGE_BYTES);
        bytes += s->bytes;
    }
    cr_assert(bio->nsegs > 0 && bio->nsegs <= BIO_SEGS && bio->sectors <= BIO_SECTORS);
    cr_assert_eq(bytes, (u64)bio->sectors * SECTOR_BYTES);
    cr_assert(bio->sector + bio->sectors <= w->sectors, "read beyond the disk");
    cr_assert(w->queued < BIOS);
    if (w->requests < WORLD_LOG)
        w->log[w->requests] = bio->sectors;
    w->requests++;
    w->queue[w->queued++] = bio;
}

void world_complete(struct world *w, u32 i) {
    struct bio *bio = w->queue[i];
    w->queue[i] = w->queue[--w->queued];
    err status = 0;
    for (u32 s = 0; s < bio->sectors; s++) {
        w->read_count[bio->sector + s]++;
        if (w->bad[bio->sector + s])
            status = -E_IO;
    }
    u64 at = bio->sector * SECTOR_BYTES;
    for (u32 s = 0; s < bio->nsegs; s++) {
        char *to = (char *)world_frame(w, bio->seg[s].frame) + bio->seg[s].offset;
        if (status)
            memset(to, 0xee, bio->seg[s].bytes); /* a failed read may leave anything */
        else
            memcpy(to, w->image + at, bio->seg[s].bytes);
        at += bio->seg[s].bytes;
    }
    bio_done(&w->c, bio, status);
}

void world_settle(struct world *w) {
    while (w->queued > 0)
        world_complete(w, (u32)world_random(w, w->queued));
}

/* Begin and end. */

void world_begin_blank(struct world *w, u64 sectors, u64 seed) {
    memset(w, 0, sizeof *w);
    w->rng = seed | 1;
    w->sectors = sectors;
    if (!w->image)
        w->image = calloc(sectors, SECTOR_BYTES);
    w->bad = calloc(sectors, 1);
    w->read_count = calloc(sectors, sizeof *w->read_count);
    w->frames_limit = WORLD_FRAMES;
    w->current = -1;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->back, NULL);
    w->host = (struct host){.ctx = w,
                            .alloc_frame = host_alloc_frame,
                            .free_frame = host_free_frame,
                            .address = host_address,
                            .mapped = host_mapped,
                            .yield = host_yield,
                            .submit = host_submit,
                            .wait = host_wait,
                            .wake = host_wake};
    cr_assert_eq(cache_init(&w->c, &w->host, sectors, w->buckets, WORLD_BUCKETS), 0);
}

void world_begin(struct world *w, const char *image, u64 seed) {
    int fd = open(image, O_RDONLY);
    struct stat st;
    cr_assert(fd >= 0 && fstat(fd, &st) == 0, "cannot open %s", image);
    world_begin_blank(w, (u64)st.st_size / SECTOR_BYTES, seed);
    for (u64 done = 0; done < (u64)st.st_size;) {
        ssize_t n = read(fd, w->image + done, (u64)st.st_size - done);
        cr_assert(n > 0);
        done += (u64)n;
    }
    close(fd);
}

void world_mount(struct world *w) {
    const char *why;
    err e = ext2_mount(&w->c, &why);
    cr_assert_eq(e, 0, "mount: %s %s", err_name(e), why ? why : "");
}

void world_drop(struct world *w) {
    world_settle(w);
    drop_caches(&w->c);
    drop_caches(&w->c); /* inodes lose their last page in the first round */
}

void world_end(struct world *w) {
    world_check(w, false);
    world_drop(w);
    world_check(w, true);
    struct cache *c = &w->c;
    cr_assert_eq(c->pages.pages, 0);
    cr_assert_eq(c->inodes.inodes, 0);
    cr_assert_eq(c->dentries.dentries, 0);
    cr_assert_eq(c->buffers.pages, 0);
    u32 chunks = c->files.files.chunks + c->files.objects.chunks;
    cr_assert_eq(w->frames_used, 1 + chunks, "%u frames leaked", w->frames_used - 1 - chunks);
    struct kmem_cache *caches[] = {c->pages.heads,    c->buffers.heads, c->inodes.heads,
                                   c->dentries.heads, c->files.filps,   c->bios.cache};
    for (u32 i = 0; i < ARRAY_LEN(caches); i++)
        cr_assert_eq(kmem_cache_destroy(caches[i]), 0);
    for (u32 i = 0; i < WORLD_FRAMES; i++)
        free(w->frame[i]);
    free(w->image);
    free(w->bad);
    free(w->read_count);
}

/* Invariants. */

static void check_pages(struct world *w, bool idle) {
    struct cache *c = &w->c;
    u64 pages = 0, on_lru = 0, lru = 0;
    struct page *page, *other;
    for (u32 b = 0; b < WORLD_BUCKETS; b++) {
        LIST_FOREACH(page, &w->buckets[b], hash) {
            pages++;
            on_lru += (page->flags & PG_LRU) != 0;
            world_frame(w, page->frame);
            cr_assert_eq(find_page(c, page->inode, page->index), page, "a page twice");
            cr_assert(page->index < inode_page_count(page->inode));
            cr_assert(!((page->flags & PG_LOCKED) && (page->flags & PG_UPTODATE)));
            cr_assert_eq(page->pending > 0, (page->flags & PG_LOCKED) != 0);
            cr_assert(!idle || (page->count == 0 && !(page->flags & PG_LOCKED)));
            cr_assert((page->flags & PG_LRU) || page->inode->kind == INODE_SHM);
            for (other = LIST_NEXT(page, hash); other; other = LIST_NEXT(other, hash))
                cr_assert_neq(other->frame, page->frame, "a frame in two pages");
        }
    }
    TAILQ_FOREACH(page, &c->pages.lru, lru) {
        lru++;
        cr_assert(page->flags & PG_LRU);
    }
    cr_assert_eq(pages, c->pages.pages);
    cr_assert(lru == on_lru && lru == c->pages.lru_pages);
}

static u64 check_queue(const struct inode *inode) {
    u64 n = 0;
    struct page *page;
    TAILQ_FOREACH(page, &inode->pages, queue) {
        cr_assert_eq(page->inode, inode);
        n++;
    }
    cr_assert_eq(n, inode->npages);
    return n;
}

static void check_inodes(struct world *w) {
    struct cache *c = &w->c;
    u64 unused = 0, zero = 0;
    struct inode *inode;
    for (u32 b = 0; b < INODE_BUCKETS; b++) {
        LIST_FOREACH(inode, &c->inodes.bucket[b], hash) {
            check_queue(inode);
            zero += inode->count == 0;
            cr_assert(inode->references <= inode->count);
            cr_assert_eq(inode->references > 0, inode->object != 0);
        }
    }
    TAILQ_FOREACH(inode, &c->inodes.unused, unused) {
        unused++;
        cr_assert_eq(inode->count, 0);
        zero += inode->kind == INODE_SHM; /* not in the hash */
        cr_assert(inode->kind != INODE_SHM || inode->npages > 0);
    }
    cr_assert(unused == zero && unused == c->inodes.nunused);
}

static void check_buffers(struct world *w, bool idle) {
    struct buffer_cache *bc = &w->c.buffers;
    u64 hashed = 0, zero = 0, unused = 0, free = 0, heads = 0;
    struct buffer_head *bh;
    for (u32 b = 0; b < BUFFER_BUCKETS; b++) {
        LIST_FOREACH(bh, &bc->bucket[b], hash) {
            hashed++;
            heads += bh->size;
            zero += bh->count == 0;
            cr_assert(bh->flags & BH_HASHED);
            cr_assert(!idle || (bh->count == 0 && !(bh->flags & BH_LOCKED)));
        }
    }
    TAILQ_FOREACH(bh, &bc->unused, link) {
        unused++;
        cr_assert_eq(bh->count, 0);
    }
    for (u32 i = 0; i < BUFFER_SIZES; i++) {
        TAILQ_FOREACH(bh, &bc->free[i], link) {
            free++;
            heads += bh->size;
            cr_assert(!(bh->flags & BH_HASHED) && bh->size == (u32)BUFFER_MIN_BYTES << i);
        }
    }
    cr_assert(unused == zero && unused == bc->nunused);
    cr_assert_eq(heads, bc->pages * PAGE_BYTES, "buffers do not fill their pages");
}

void world_check(struct world *w, bool idle) {
    struct cache *c = &w->c;
    check_pages(w, idle);
    check_inodes(w);
    check_buffers(w, idle);
    u32 free_slots = 0;
    for (u32 i = 0; i < BIOS; i++)
        free_slots += !c->bios.bio[i];
    cr_assert_eq(free_slots, c->bios.nfree);
    if (idle) {
        cr_assert_eq(c->bios.nfree, BIOS);
        u64 chunks = c->files.files.chunks + c->files.objects.chunks;
        cr_assert_eq(w->frames_used, c->pages.pages + c->buffers.pages + 1 + chunks);
    }
    const char *zero = world_frame(w, c->zero_frame);
    cr_assert(zero[0] == 0 && memcmp(zero, zero + 1, PAGE_BYTES - 1) == 0, "the zero page was written");
}

/* Files. */

struct inode *world_open(struct world *w, const char *path) {
    struct inode *inode;
    cr_assert_eq(iget(&w->c, 2, &inode), 0);
    while (*path) {
        u64 len = strcspn(path, "/");
        struct inode *next;
        err e = lookup(&w->c, inode, path, len, &next);
        iput(&w->c, inode);
        if (e)
            return NULL;
        inode = next;
        path += len + (path[len] == '/');
    }
    return inode;
}

i64 world_read(struct world *w, struct inode *inode, struct read_ahead *ahead, u64 offset, void *buffer,
               u64 bytes) {
    u64 done = 0;
    while (done < bytes && offset + done < inode->size) {
        u64 at = offset + done, in_page = at % PAGE_BYTES;
        u64 n = MIN(MIN(bytes - done, PAGE_BYTES - in_page), inode->size - at);
        struct page_answer page;
        err e = page_get(&w->c, inode, at / PAGE_BYTES, ahead, &page);
        if (e)
            return done ? (i64)done : e;
        memcpy((char *)buffer + done, (char *)world_frame(w, page.frame) + in_page, n);
        done += n;
    }
    return (i64)done;
}

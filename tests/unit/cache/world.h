/* SPDX-License-Identifier: MIT */
/* The world that cache's logic runs in on the host: frames from malloc, a disk that is an image in memory and
 * answers in any order, programs that map frames, and workers that are threads of which one runs at a time.
 *
 * Outside of world_run, a long wait completes one request chosen at random. Inside, workers change at every
 * wait, the short ones too, and requests complete between them, all by the seed. */
#pragma once

#include <pthread.h>

#include "cache.h"

enum { WORLD_FRAMES = 8192, WORLD_TASKS = 16, WORLD_BUCKETS = 256, WORLD_LOG = 256 };

struct task {
    struct world *w;
    pthread_t thread;
    pthread_cond_t turn;
    void (*run)(struct world *w, void *arg);
    void *arg;
    const void *channel; /* sleeps on it; NULL: can run */
    bool alive;
};

struct world {
    struct host host;
    struct cache c;
    struct page_bucket buckets[WORLD_BUCKETS];
    u64 rng;
    /* memory */
    void *frame[WORLD_FRAMES]; /* frame n + 1; NULL: free */
    bool mapped[WORLD_FRAMES]; /* by a program */
    u32 frames_used, frames_limit;
    /* disk */
    u8 *image;
    u64 sectors;
    u8 *bad;         /* per sector: reading it fails */
    u16 *read_count; /* per sector */
    struct bio *queue[BIOS];
    u32 queued;
    u32 requests;       /* so far */
    u32 log[WORLD_LOG]; /* sectors of each request, the first WORLD_LOG */
    /* waiting */
    bool may_not_wait;
    u32 waits; /* long ones */
    u32 yields;
    struct task task[WORLD_TASKS];
    u32 tasks;
    int current; /* task; -1: the test itself */
    pthread_mutex_t lock;
    pthread_cond_t back;
};

/* A world whose disk is the file. The cache is initialised, nothing is mounted. */
void world_begin(struct world *w, const char *image, u64 seed);
/* The same with an empty disk of so many sectors. */
void world_begin_blank(struct world *w, u64 sectors, u64 seed);
/* Mounts; fails the test if that fails. */
void world_mount(struct world *w);
/* Drops everything and checks that nothing is left: no frame, no object. */
void world_end(struct world *w);
/* Drops all clean and unused things. */
void world_drop(struct world *w);

/* Completes the queued request i. */
void world_complete(struct world *w, u32 i);
/* Completes all. */
void world_settle(struct world *w);

void world_task(struct world *w, void (*run)(struct world *w, void *arg), void *arg);
/* Runs the tasks to their end. */
void world_run(struct world *w);

void *world_frame(struct world *w, pfn frame);
void world_map(struct world *w, pfn frame, bool mapped);

/* Invariants of all lists and counts. idle: no request is under way, so nothing is locked or counted. */
void world_check(struct world *w, bool idle);

u64 world_random(struct world *w, u64 n);

/* The inode of a path of names separated by '/', counted; NULL if there is none. Follows no links. */
struct inode *world_open(struct world *w, const char *path);
/* Reads bytes of a regular file through the page cache. Returns how many, or the error. */
i64 world_read(struct world *w, struct inode *inode, struct read_ahead *ahead, u64 offset, void *buffer,
               u64 bytes);

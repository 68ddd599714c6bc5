/* SPDX-License-Identifier: MIT */
/* What the logic of cache asks of the world: frames, the disk, and waiting. main.c answers with the kernel,
 * frame and ata; the host tests with a scripted disk and their own scheduler.
 *
 * Several workers run this logic at once, but one runs until it waits: there are no locks, and whoever called
 * something that "may wait" re-checks what it relied on. Two kinds of waiting are told apart:
 *   - short: a call down to frame or slab, answered within a bound. Other workers may run meanwhile.
 *   - long: for a disk. Only `wait` does this, and a worker that must not (the last idle one) gets -E_AGAIN
 * instead; the logic then lets go of everything and hands -E_AGAIN up. What was begun goes on, so that the
 * same request, tried again later, finds its blocks. */
#pragma once

#include <abi/errors.h>
#include <abi/types.h>

struct bio;

struct host {
    void *ctx;
    /* A frame of this server's account, seen at address(): its number, or 0. Short wait. Contents
     * undefined. */
    pfn (*alloc_frame)(void *ctx);
    /* Gives back a frame that no program maps. Short wait. */
    void (*free_frame)(void *ctx, pfn frame);
    /* Where a frame of alloc_frame is seen. */
    void *(*address)(void *ctx, pfn frame);
    /* Sets mapped[i] to whether a program maps frames[i]; n <= RECLAIM_BATCH. Never waits. */
    void (*mapped)(void *ctx, const pfn *frames, u32 n, bool *mapped);
    /* Lets other workers run, in the midst of long work. A short wait. */
    void (*yield)(void *ctx);
    /* Starts a read. Never waits or fails; bio_done is called later, by a thread that is no worker. */
    void (*submit)(void *ctx, struct bio *bio);
    /* Sleeps until wake(channel), or less long. 0, or -E_AGAIN at once if this worker may not. */
    err (*wait)(void *ctx, const void *channel);
    /* Wakes all that sleep on the channel. Never waits. */
    void (*wake)(void *ctx, const void *channel);
};

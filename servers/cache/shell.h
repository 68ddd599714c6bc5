/* SPDX-License-Identifier: MIT */
/* The shell's parts: what main.c wires together. One instance of everything, as there is one server. */
#pragma once

#include <ipc/server.h>

#include "cache.h"

enum {
    WORKERS = 8, /* threads 0 to WORKERS - 1 of the server */
    COMPLETION_THREAD = WORKERS,
    SCRATCH_BYTES = PAGE_BYTES,
};

/* One thread that answers requests. */
struct worker {
    u32 endpoint;        /* of its own, to sleep on */
    const void *channel; /* what it sleeps for; NULL: nothing */
    bool idle;           /* waits for a request, or is just about to */
    u64 call;            /* number of the request that it serves: the trace's id */
    char *scratch;       /* SCRATCH_BYTES in a frame of its own, for what is copied to a program */
};

extern struct cache cache;
extern u64 sectors_read;       /* since boot */
extern const struct host host; /* memory.c's, disk.c's and workers.c's callbacks */

/* memory.c */
pfn memory_alloc(void *ctx);
void memory_free(void *ctx, pfn frame);
void memory_yield(void *ctx);
void *memory_address(void *ctx, pfn frame);
void memory_mapped(void *ctx, const pfn *frames, u32 n, bool *mapped);
/* Gives empty slabs and the magazines back. */
void memory_drain(void);

/* disk.c */
/* Makes the ring, attaches to ata, and starts the completion thread. Returns the disk's sectors, 0 if there
 * is no disk; -E_NOMEM. */
err disk_init(void) must_check;
void disk_submit(void *ctx, struct bio *bio);

/* workers.c */
/* Endpoint and scratch of each worker, and the queue for requests that must wait for a worker. -E_NOMEM. */
err workers_init(void) must_check;
/* Starts all workers but the calling thread, which is worker 0. `dispatch` serves one request: it returns the
 * status, or -E_AGAIN and has changed nothing but the context's progress. */
err workers_start(const struct server *s, err (*dispatch)(struct ipc_ctx *c, u64 label, u64 *w)) must_check;
struct worker *worker_self(void);
err worker_wait(void *ctx, const void *channel);
void worker_wake(void *ctx, const void *channel);
/* The server loop's hooks. */
err worker_on_call(struct ipc_ctx *c, u64 label, u64 *w);
bool worker_before_wait(void);
/* A notification came: this thread is busy until its next wait. */
void worker_busy(void);
/* Serves queued requests, while another worker is idle. */
void workers_run_queue(void);

/* serve.c: the handlers cache_on_xxx of <proto/cache.def>, and the rest of them in transfer.c. */
/* Who may send what: 0, or -E_PERM. */
err serve_check(const struct ipc_ctx *c, u64 label) must_check;

/* SPDX-License-Identifier: MIT */
/* Workers: several threads on one endpoint, of which one runs until it waits.
 *
 * The last idle worker must not wait, so that there is always one that hears of the next request: what needs
 * the disk then (-E_AGAIN) is put into a queue, right to reply and all, and served by whichever worker comes
 * free while another one is idle. What can be answered from memory is answered by the last one too. */
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <ipc/queue.h>
#include <ipc/slab.h>
#include <proto/bits.h>
#include <string.h>

#include "shell.h"

struct parked {
    STAILQ_ENTRY(parked) link;
    struct ipc_ctx ctx; /* its reply slot is ours */
    u64 label;
    u64 words[MSG_REG_WORDS];
    u64 tail[MSG_TAIL_WORDS]; /* ctx.words - MSG_REG_WORDS of it */
};

static struct worker workers[WORKERS];
static STAILQ_HEAD(, parked) queue = STAILQ_HEAD_INITIALIZER(queue);
static u32 queued;
static struct kmem_cache *parked_cache;
static const struct server *server;
static err (*serve)(struct ipc_ctx *c, u64 label, u64 *w);

struct worker *worker_self(void) {
    ASSERT(thread_index() < WORKERS);
    return &workers[thread_index()];
}

err workers_init(void) {
    parked_cache = kmem_cache_create("cache_parked", sizeof(struct parked), 0, 0, NULL, NULL);
    if (!parked_cache)
        return -E_NOMEM;
    for (u32 i = 0; i < WORKERS; i++) {
        workers[i].endpoint = endpoint_create();
        workers[i].scratch = (char *)__get_free_page(GFP_KERNEL);
        if (!workers[i].endpoint || !workers[i].scratch)
            return -E_NOMEM;
    }
    return 0;
}

static void worker_main(void *argument) {
    (void)argument;
    server_run(server);
}

err workers_start(const struct server *s, err (*dispatch)(struct ipc_ctx *c, u64 label, u64 *w)) {
    server = s;
    serve = dispatch;
    for (u32 i = 1; i < WORKERS; i++) {
        char name[] = "cache.0";
        name[sizeof name - 2] = (char)('0' + i);
        err e = thread_spawn(i, worker_main, NULL, name);
        if (e)
            return e;
    }
    return 0;
}

static bool another_is_idle(void) {
    const struct worker *me = worker_self();
    for (u32 i = 0; i < WORKERS; i++)
        if (workers[i].idle && &workers[i] != me)
            return true;
    return false;
}

err worker_wait(void *ctx, const void *channel) {
    (void)ctx;
    struct worker *me = worker_self();
    if (!another_is_idle())
        return -E_AGAIN;
    me->channel = channel;
    while (me->channel)
        (void)ipc_sleep(me->endpoint, 0); /* an old wake-up may come late: the channel tells */
    return 0;
}

void worker_wake(void *ctx, const void *channel) {
    (void)ctx;
    for (u32 i = 0; i < WORKERS; i++) {
        if (workers[i].channel == channel) {
            workers[i].channel = NULL;
            err e = sys_notify(workers[i].endpoint, BIT(BIT_WORK));
            ASSERT(e == 0);
        }
    }
}

/* Answers a request outside of the server loop. A refused answer is a mistake of ours; the caller goes on. */
static void answer(struct ipc_ctx *c, err status, const u64 *words) {
    err e = 0;
    switch ((enum ipc_disposition)c->disposition) {
    case IPC_REPLY:
        e = ipc_answer(c->reply, c->kind == MSG_CALL || status < 0 ? status : 0, words, MSG_REG_WORDS,
                       c->tail_words);
        break;
    case IPC_MAP:
        e = ipc_answer_fault(c->reply, (const struct fault_item *)c->out, c->out_words / 2);
        break;
    case IPC_ANSWERED:
        break;
    default:
        ASSERT(!"no handler forwards or keeps");
    }
    if (e >= 0)
        return;
    log_line("answer to label %#lx refused: %s", c->label, err_name(e));
    e = c->kind == MSG_FAULT ? ipc_answer_fault(c->reply, NULL, 0)
                             : ipc_answer(c->reply, -E_PROTO, NULL, 0, 0);
    ASSERT(e >= 0);
}

static bool must_park(const struct ipc_ctx *c, err status) {
    return status == -E_AGAIN && c->disposition == IPC_REPLY;
}

static void enqueue(struct parked *p) {
    STAILQ_INSERT_TAIL(&queue, p, link);
    queued++;
}

/* Serves one queued request; false: it must still wait, and is back in the queue. */
static bool run_parked(struct parked *p) {
    u64 words[MSG_REG_WORDS];
    memcpy(words, p->words, sizeof words);
    memcpy(ipc_tail(), p->tail, sizeof p->tail);
    p->ctx.tail = ipc_tail();
    p->ctx.disposition = IPC_REPLY;
    p->ctx.tail_words = 0;
    worker_self()->call = p->ctx.call;
    err e = serve(&p->ctx, p->label, words);
    if (must_park(&p->ctx, e)) {
        enqueue(p);
        return false;
    }
    answer(&p->ctx, e, words);
    slot_free(p->ctx.reply);
    kmem_cache_free(parked_cache, p);
    return true;
}

void workers_run_queue(void) {
    /* Until it is empty, as nobody else may come by, or all that are left must wait once more. */
    for (u32 in_vain = 0; queued > in_vain && another_is_idle();) {
        struct parked *p = STAILQ_FIRST(&queue);
        STAILQ_REMOVE_HEAD(&queue, link);
        queued--;
        in_vain = run_parked(p) ? 0 : in_vain + 1;
    }
}

/* Room for a request, filled before it is served, as its words and tail are overwritten meanwhile. */
static void save(struct parked *p, const struct ipc_ctx *c, u64 label, const u64 *w) {
    u32 tail_words = c->words > MSG_REG_WORDS ? c->words - MSG_REG_WORDS : 0;
    p->label = label;
    memcpy(p->words, w, sizeof p->words);
    memcpy(p->tail, c->tail, tail_words * sizeof *p->tail);
}

/* Puts a request that must wait into the queue. -E_NOMEM: no room. */
static err park(const struct parked *saved, struct ipc_ctx *c) {
    struct parked *p = kmem_cache_alloc(parked_cache, GFP_KERNEL);
    if (!p)
        return -E_NOMEM;
    *p = *saved;
    p->ctx = *c;
    (void)ipc_keep(c); /* the slot is in p->ctx too */
    enqueue(p);
    return 0;
}

err worker_on_call(struct ipc_ctx *c, u64 label, u64 *w) {
    struct parked saved;
    worker_busy();
    worker_self()->call = c->call;
    save(&saved, c, label, w);
    err e = serve(c, label, w);
    if (must_park(c, e))
        e = park(&saved, c);
    if (e && c->kind == MSG_FAULT && c->disposition == IPC_REPLY)
        ipc_map(c, NULL,
                0); /* a fault that can't even be queued, or is not region's: the thread tries again */
    if (queued > 0 && another_is_idle()) {
        /* Answer first: what is in the queue may take long, and uses the message page. */
        if (c->disposition != IPC_KEPT) {
            answer(c, e, w);
            ipc_answered(c);
        }
        workers_run_queue();
    }
    return e;
}

void worker_busy(void) {
    worker_self()->idle = false;
}

bool worker_before_wait(void) {
    worker_self()->idle = true;
    return false;
}

/* SPDX-License-Identifier: MIT */
/* Calls of linux that take slices: begun by a handler, gone on with between messages, answered when done. One
 * call at a time on each descriptor; others on it wait their turn. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <ipc/slab.h>
#include <proto/bits.h>
#include <string.h>

#include "object.h"
#include "shell.h"

struct answer {
    i64 status;
    u64 w[MSG_REG_WORDS];
    u32 tail_words, send_cap;
};

u32 released_tail(u64 *again) {
    u64 ids[MSG_TAIL_WORDS]; /* each one's record is freed, which may be a call by the message page */
    u32 count = 0;
    if (again)
        *again = 0;
    if (TAILQ_EMPTY(&shell.ctx.released))
        return 0;
    while (count < MSG_TAIL_WORDS && vm_object_take_released(&shell.ctx, &ids[count]))
        count++;
    memcpy(ipc_tail(), ids, count * sizeof *ids);
    if (again)
        *again = !TAILQ_EMPTY(&shell.ctx.released);
    return count;
}

void released_tell(void) {
    if (TAILQ_EMPTY(&shell.ctx.released))
        return;
    err e = sys_notify(shell.linux_slot, BIT(BIT_RELEASED));
    ASSERT(e == 0);
}

static void answer_stat(struct space *s, struct answer *a) {
    struct region_stat st;
    stat_fill(s->mm, &s->work.counts, &st);
    memcpy(ipc_tail(), &st, sizeof st);
    a->tail_words = sizeof st / 8;
}

/* The words of the answer to a call that went well. */
static void answer_words(struct space *s, struct answer *a) {
    switch (s->label) {
    case region_label_mmap:
        a->w[0] = (u64)s->value;
        a->w[1] = s->first;
        a->w[2] = a->tail_words = released_tail(NULL);
        break;
    case region_label_mremap:
        a->w[0] = (u64)s->work.result;
        a->w[1] = a->tail_words = released_tail(NULL);
        break;
    case region_label_exit:
        a->w[2] = s->faults;
        a->w[3] = s->fault_key;
        a->w[0] = a->tail_words = released_tail(&a->w[1]);
        break;
    case region_label_munmap:
        released_tell();
        break;
    case region_label_reset:
        a->w[0] = a->tail_words = released_tail(&a->w[1]);
        break;
    case region_label_map:
    case region_label_brk:
        a->w[0] = (u64)s->value;
        released_tell();
        break;
    case region_label_fork:
        a->w[0] = (u64)s->value;
        a->send_cap = space_for_linux(space_of((u64)s->value));
        ASSERT(a->send_cap);
        break;
    case region_label_stat:
        answer_stat(s, a);
        break;
    default: /* mprotect, madvise: the status alone */
        break;
    }
}

/* The work on s is done: the answer; and what is gone is forgotten, s itself perhaps. */
static void finish(struct space *s, u32 id, struct answer *a) {
    u64 tail[MSG_TAIL_WORDS]; /* what is freed may be given back to frame, by the message page */
    *a = (struct answer){.status = MIN(s->work.result, 0)};
    if (a->status == 0)
        answer_words(s, a);
    memcpy(tail, ipc_tail(), a->tail_words * sizeof *tail);
    if (s->work.kind == WORK_EXIT && !s->work.mm) {
        u32 gone = s->work.owner ? (u32)s->value : id; /* the child of a fork that failed, or s */
        __free_page(space_of(gone)->frame);
        space_forget(gone);
    }
    unpark_space(id);
    memcpy(ipc_tail(), tail, a->tail_words * sizeof *tail);
}

err work_start(struct ipc_ctx *c, struct space *s, enum work_kind kind, struct space *child, u64 *w) {
    struct answer a;
    u32 id = s->mm->id;

    s->label = c->label;
    work_begin(&s->work, kind, s->mm, child ? child->mm : NULL);
    if (!work_slice(&s->work, &shell.kernel)) {
        s->reply = ipc_keep(c);
        s->id = id;
        TAILQ_INSERT_TAIL(&shell.works, s, link);
        shell.slice_deadline = slice_deadline();
        pump_wake();
        return 0;
    }
    finish(s, id, &a);
    memcpy(w, a.w, sizeof a.w);
    c->tail_words = a.tail_words;
    c->send_cap = a.send_cap;
    return a.status;
}

err work_defer(struct ipc_ctx *c, struct space *s, const void *words, u64 bytes) {
    struct deferred *d = kmem_cache_alloc(shell.deferred_cachep, GFP_KERNEL);
    if (!d)
        return -E_NOMEM;
    *d = (struct deferred){.kind = c->kind, .label = c->label};
    ASSERT(bytes <= sizeof d->words);
    memcpy(d->words, words, bytes);
    d->reply = ipc_keep(c);
    TAILQ_INSERT_TAIL(&s->waiting, d, link);
    return 0;
}

/* Answers a kept right, and frees its slot. */
static void answer_later(u32 reply, const struct answer *a) {
    struct ipc_io io = {.label = (u64)a->status,
                        .rax = SYS_reply_wait | (u64)(MSG_REG_WORDS + a->tail_words) << 8,
                        .rbx = reply | (u64)a->send_cap << 32};
    memcpy(io.w, a->w, sizeof io.w);
    ipc_raw(&io);
    if ((err)io.rax < 0) {
        log_line("a late answer was refused: %s", err_name((err)io.rax));
        (void)!sys_cap_drop(SLOT_TABLE, reply);
    }
    slot_free(reply);
}

/* Calls that waited for their turn on descriptor id. */
static void run_deferred(u32 id) {
    struct space *s;
    struct deferred *d;
    while ((s = space_of(id)) && !s->mm->busy && (d = TAILQ_FIRST(&s->waiting))) {
        struct ipc_ctx c = {.label = d->label, .badge = SRV_LINUX, .reply = d->reply, .kind = d->kind};
        struct answer a = {0};
        c.words = MSG_REG_WORDS;
        c.tail = ipc_tail();
        TAILQ_REMOVE(&s->waiting, d, link);
        memcpy(a.w, d->words, sizeof a.w);
        kmem_cache_free(shell.deferred_cachep, d);
        a.status = call_dispatch(&c, c.label, a.w);
        a.tail_words = c.tail_words;
        a.send_cap = c.send_cap;
        if (c.disposition == IPC_REPLY)
            answer_later(c.reply, &a);
    }
}

bool works_slice(void) {
    struct answer a;
    struct space *s = TAILQ_FIRST(&shell.works);
    if (!s)
        return false;
    TAILQ_REMOVE(&shell.works, s, link);
    if (work_slice(&s->work, &shell.kernel)) {
        u32 reply = s->reply, id = s->id;
        finish(s, id, &a);
        answer_later(reply, &a);
        run_deferred(id);
    } else {
        TAILQ_INSERT_TAIL(&shell.works, s, link);
    }
    shell.slice_deadline = slice_deadline();
    return shell.slice_deadline != 0;
}

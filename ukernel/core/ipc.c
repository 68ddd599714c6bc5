/* SPDX-License-Identifier: MIT */
#include "core/ipc.h"
#include "arch/cpu.h"
#include "arch/log.h"
#include "core/exception.h"
#include "core/fault.h"
#include "core/message.h"
#include "core/reply.h"
#include "core/sched.h"
#include "core/trace.h"

static struct thread *failed(struct thread *t, err e) {
    t->regs.rax = (u64)e;
    return t;
}

/* The number of words that t sends. */
static u64 words_of(const struct thread *t) {
    return t->regs.rax >> 8 & 0xff;
}
static err words_check(const struct thread *t, u64 most) {
    return words_of(t) > most || (words_of(t) > MSG_REG_WORDS && !t->message) ? -E_2BIG : 0;
}

/* So many partners that a message can't go to or come from, one entry passes over. */
#define FAILURES_MAX  8
#define SYSCALL_BYTES 2

/* Sending. */

struct thread *ipc_send(struct thread *s, struct endpoint *e) {
    struct thread *r;
    s->endpoint = e;
    for (u32 failures = 0; failures < FAILURES_MAX && (r = endpoint_receiver(e)); failures++) {
        err error;
        switch (message_deliver(s, r, &error)) {
        case DELIVERED:
            endpoint_leave(r);
            s->state = THREAD_CALLING;
            return r;
        case SENDER_FAILED:
            return failed(s, error);
        case NEEDLESS:
            return fault_resolved(s, 0);
        case RECEIVER_FAILED:
            endpoint_leave(r);
            sched_ready(failed(r, error));
        }
    }
    endpoint_send(e, s);
    return NULL;
}

static void trace_call(enum trace_kind kind, struct thread *t, struct endpoint *e, u64 nwords, u64 call) {
    const struct thread_regs *r = &t->regs;
    trace(kind, thread_id(t), virt_to_frame(e) | (r->r12 & 0xffff) << 32 | nwords << 48, call, r->rdi, r->rsi,
          r->rdx, r->r10);
}

struct thread *ipc_call(struct thread *t) {
    struct thread_regs *r = &t->regs;
    err error;
    const struct capability *c =
        cap_get(t->space->table, r->rbx & 0xffffffff, KIND_ENDPOINT, RIGHT_CALL, &error);
    if (!c || (error = words_check(t, MSG_WORDS)))
        return failed(t, error);
    t->kind = MSG_CALL;
    t->send_flags = 0;
    t->nwords = (u8)words_of(t);
    t->badge = (u32)c->badge;
    t->send_slot = (u32)r->r13;
    t->call = ++cpu.calls;
    trace_call(TRACE_IPC_CALL, t, c->endpoint, t->nwords, t->call);
    return ipc_send(t, c->endpoint);
}

/* Waiting. */

/* A call that answers or hands on and then waits: what it names, checked. */
struct wait {
    struct capability *right;  /* to answer; NULL: only wait */
    struct thread *to;         /* who waits for the answer; NULL: gone */
    struct endpoint *endpoint; /* NULL: only answer */
    u64 deadline;
    u64 flags; /* WAIT_xxx */
    u32 reply_slot, receive_slot;
};

/* The slot that the answer is about to free may be named for the next right. */
static err wait_decode(struct wait *w, struct thread *t) {
    const struct thread_regs *r = &t->regs;
    struct captable *table = t->space->table;
    u32 slot = (u32)r->rbx;
    err error = 0;
    t->entered = 0;
    *w = (struct wait){.deadline = r->r15,
                       .flags = WAIT_FLAGS(r->rax),
                       .reply_slot = (u32)(r->r13 >> 32),
                       .receive_slot = (u32)r->r14};
    if ((u32)r->r13) {
        const struct capability *c = cap_get(table, (u32)r->r13, KIND_ENDPOINT, RIGHT_RECV, &error);
        if (!c)
            return error;
        w->endpoint = t->waits_on = c->endpoint;
        t->endpoint_slot = (u32)r->r13;
        t->checked = cpu.checks;
        if (w->reply_slot && w->reply_slot != slot && !cap_empty(table, w->reply_slot, &error))
            return error;
    }
    return slot || (u8)r->rax != SYS_reply_wait ? reply_get(table, slot, &w->right, &w->to) : 0;
}

/* Hand the first queued message to t, or after too many that can't go no bits: it comes again for the rest.
 * False: there is none. */
static bool take_message(struct thread *t, struct endpoint *e) {
    for (u32 failures = 0; !link_empty(&e->senders); failures++) {
        if (failures == FAILURES_MAX) {
            endpoint_take_bits(e, t);
            return true;
        }
        struct thread *s = container_of(e->senders.next, struct thread, link);
        err error;
        enum delivery d = message_deliver(s, t, &error);
        if (d == RECEIVER_FAILED) {
            failed(t, error);
            return true;
        }
        endpoint_leave(s);
        if (d == DELIVERED) {
            s->state = THREAD_CALLING;
            return true;
        }
        s = d == NEEDLESS ? fault_resolved(s, 0) : failed(s, error);
        if (s)
            sched_ready(s);
    }
    return false;
}

/* t waits; `next` (NULL: nobody) has become ready by t's answer or forward. */
static struct thread *wait(struct thread *t, const struct wait *w, struct thread *next) {
    struct endpoint *e = w->endpoint;
    if (!e) {
        t->regs.rax = WOKE_BITS;
        t->regs.r14 = t->entered;
        t->regs.r15 = 0;
    } else {
        if (__builtin_expect(w->deadline != e->deadline, 0))
            endpoint_set_deadline(e, w->deadline);
        if (__builtin_expect(w->deadline && w->deadline <= rdtsc(), 0)) {
            endpoint_set_deadline(e, 0);
            e->bits |= 1ull << DEADLINE_BIT;
        }
        t->reply_slot = w->reply_slot;
        t->receive_slot = w->receive_slot;
        if (e->bits) {
            endpoint_take_bits(e, t);
        } else if (t->reply_slot && take_message(t, e)) {
        } else if (w->flags & WAIT_POLL) {
            failed(t, -E_AGAIN);
        } else {
            endpoint_receive(e, t);
            return next;
        }
    }
    if (next)
        sched_ready_head(next);
    return t;
}

/* t has answered a fault with items, of which so many were entered. */
static struct thread *fault_answered(struct thread *t, const struct wait *w, u32 entered) {
    cap_clear(w->right);
    t->entered = (u64)entered << 32;
    return wait(t, w, w->to ? fault_resolved(w->to, entered) : NULL);
}

struct thread *ipc_reply_wait(struct thread *t) {
    struct wait w;
    err e = wait_decode(&w, t);
    struct reply reply = {.from = t,
                          .to = w.to,
                          .nwords = words_of(t),
                          .flags = w.flags,
                          .send_slot = (u32)(t->regs.rbx >> 32)};
    if (!e && w.to)
        e = reply_check(&reply);
    if (e)
        return failed(t, e);
    if (w.right)
        cap_clear(w.right);
    return wait(t, &w, w.to ? reply_go(&reply) : NULL);
}

struct thread *ipc_fault_reply_wait(struct thread *t) {
    struct fault_item items[FAULT_ITEMS_MAX];
    struct wait w;
    err e = wait_decode(&w, t);
    if (!e && w.to && w.to->kind != MSG_FAULT)
        e = -E_KIND;
    if (!e)
        e = words_of(t) % 2 ? -E_2BIG : words_check(t, 2 * FAULT_ITEMS_MAX);
    if (e)
        return failed(t, e);
    u64 *words = (u64 *)items;
    message_head(t->regs.words, words);
    message_tail(t->message, words, words_of(t));
    return fault_answered(t, &w, w.to ? fault_answer(w.to, t->space->account, items, words_of(t) / 2) : 0);
}

struct thread *ipc_fault_entered(struct thread *t, u32 entered) {
    struct wait w;
    err e = wait_decode(&w, t);
    ASSERT(!e);
    return sched_leave(fault_answered(t, &w, entered));
}

struct thread *ipc_forward_wait(struct thread *t) {
    struct thread_regs *r = &t->regs;
    struct captable *table = t->space->table;
    struct wait w;
    err e = wait_decode(&w, t);
    if (!e)
        e = words_check(t, MSG_WORDS);
    const struct capability *c = e ? NULL : cap_get(table, r->rbx >> 32, KIND_ENDPOINT, RIGHT_CALL, &e);
    struct thread *to = w.to, *next = NULL;
    if (c && to && to->kind == MSG_FAULT)
        e = fault_range(to, table, (u32)(r->r14 >> 32), r->rax);
    if (e)
        return failed(t, e);
    cap_clear(w.right);
    if (to) {
        to->label = r->r12;
        to->nwords = (u8)words_of(t);
        to->badge = (u32)c->badge;
        to->send_slot = 0;
        to->send_flags |= IPC_FORWARDED;
        message_head(r->words, to->forward);
        message_tail(t->message, to->forward, to->nwords);
        trace_call(TRACE_FORWARD, t, c->endpoint, to->nwords, to->call);
        next = ipc_send(to, c->endpoint);
    }
    return wait(t, &w, next);
}

/* Ending. */

void ipc_abandon(struct thread *t) {
    bool received = t->state == THREAD_RECEIVING;
    if (t->state == THREAD_CALLING)
        t->right->thread = NULL;
    else
        endpoint_leave(t);
    if (received)
        t->regs.rax = (u64)-E_INTR;
    else if (t->kind == MSG_CALL)
        t->regs.rax = (u64)-E_CANCELED;
    else if (t->base == MSG_ALIEN && !t->by_iret) /* nobody has set its registers meanwhile */
        t->regs.rip -= SYSCALL_BYTES;
    t->progress = 0;
    t->state = THREAD_STOPPED;
}

void ipc_cancel(struct thread *t) {
    bool call = t->state == THREAD_RECEIVING || t->kind == MSG_CALL;
    ipc_abandon(t);
    if (call) {
        t->state = THREAD_READY;
        sched_ready(t);
    }
}

/* SPDX-License-Identifier: MIT */
#include "core/reply.h"
#include "arch/log.h"
#include "core/exception.h"
#include "core/fault.h"
#include "core/message.h"
#include "core/sched.h"
#include "core/trace.h"

err reply_get(struct captable *t, u64 slot, struct capability **right, struct thread **waiter) {
    if (slot >= t->slots || captable_slots(t)[slot].kind != KIND_REPLY)
        return -E_BADCAP;
    *right = captable_slots(t) + slot;
    *waiter = (*right)->thread;
    ASSERT(!*waiter || ((*waiter)->state == THREAD_CALLING && (*waiter)->right == *right));
    return 0;
}

err reply_check(struct reply *r) {
    if (r->to->kind != MSG_CALL)
        return r->send_slot ? -E_NOSLOT : r->nwords > MSG_REG_WORDS ? -E_2BIG : 0;
    err e = message_fits(r->from, r->to, r->nwords);
    if (e || !r->send_slot)
        return e;
    /* into the slot that the call named: its registers are as it left them */
    return parcel_check(&r->parcel, r->from->space->table, r->send_slot, r->to->space->table,
                        (u32)(r->to->regs.r13 >> 32));
}

static void answer_call(const struct reply *r) {
    struct thread_regs *to = &r->to->regs, *from = &r->from->regs;
    to->rax = 0;
    to->r12 = from->r12;
    to->r14 = r->nwords;
    message_head(from->words, to->words);
    if (__builtin_expect(r->nwords > MSG_REG_WORDS, 0))
        message_tail(r->from->message, r->to->message, r->nwords);
    if (__builtin_expect(r->parcel.from != NULL, 0)) {
        *r->parcel.to = *r->parcel.from;
        to->r14 |= (u64)IPC_CAP << 16;
    }
    r->to->state = THREAD_READY;
}

struct thread *reply_go(const struct reply *r) {
    struct thread *t = r->to;
    const struct thread_regs *f = &r->from->regs;
    trace(TRACE_IPC_REPLY, thread_id(r->from),
          thread_id(t) | (message_label(t) & 0xffff) << 32 | r->nwords << 48, t->call, f->r12, f->rdi, f->rsi,
          f->rdx);
    switch (t->kind) {
    case MSG_CALL:
        answer_call(r);
        return t;
    case MSG_FAULT:
        return fault_resolved(t, 0);
    default:
        exception_answered(t, &r->from->regs, r->flags & WAIT_REGS);
        return t;
    }
}

void reply_drop(struct capability *right) {
    struct thread *t = right->thread;
    cap_clear(right);
    if (!t)
        return;
    struct thread *next;
    if (t->kind == MSG_CALL) {
        t->regs.rax = (u64)-E_CANCELED;
        t->state = THREAD_READY;
        next = t;
    } else if (t->kind == MSG_FAULT) {
        next = fault_resolved(t, 0);
    } else {
        next = exception_again(t, IPC_AGAIN);
    }
    if (next)
        sched_ready(next);
}

/* SPDX-License-Identifier: MIT */
#include "core/message.h"
#include "core/exception.h"
#include "core/fault.h"
#include "core/reply.h"
#include "core/trace.h"

err message_fits(const struct thread *from, const struct thread *to, u64 n) {
    if (n <= MSG_REG_WORDS)
        return 0;
    if (n > MSG_WORDS || !to->message)
        return -E_2BIG;
    return from->message ? 0 : -E_INVAL;
}

void message_tail(const u64 *from, u64 *to, u64 n) {
    for (u64 i = MSG_REG_WORDS; i < n; i++)
        to[i] = ((const volatile u64 *)from)[i];
}

u64 message_label(const struct thread *s) {
    if (s->send_flags & IPC_FORWARDED)
        return s->label;
    if (s->kind == MSG_CALL)
        return s->regs.r12;
    return s->kind == MSG_FAULT       ? LABEL_FAULT
           : s->kind == MSG_EXCEPTION ? LABEL_EXCEPTION
                                      : LABEL_ALIEN | s->regs.rax << 16;
}

err parcel_check(struct parcel *p, struct captable *from, u32 send_slot, struct captable *to,
                 u32 receive_slot) {
    *p = (struct parcel){0};
    if (send_slot == 0)
        return 0;
    const struct capability *c = cap_any(from, send_slot);
    if (!c)
        return -E_BADCAP;
    if (c->kind == KIND_REPLY)
        return -E_KIND;
    err ignored;
    struct capability *slot = cap_empty(to, receive_slot, &ignored);
    if (!slot)
        return -E_NOSLOT;
    *p = (struct parcel){c, slot};
    return 0;
}

/* The words, from where they are: the caller's registers and page, what a forwarder left, or the kernel. */
static void put_words(struct thread *s, struct thread *r) {
    bool forwarded = s->send_flags & IPC_FORWARDED;
    if (!forwarded && s->kind == MSG_FAULT) {
        fault_words(s, r->regs.words);
    } else if (!forwarded && s->kind == MSG_EXCEPTION) {
        exception_words(s, r->regs.words);
    } else {
        message_head(forwarded ? s->forward : s->regs.words, r->regs.words);
        if (s->nwords > MSG_REG_WORDS && r->message)
            message_tail(forwarded ? s->forward : s->message, r->message, s->nwords);
    }
}

enum delivery message_deliver(struct thread *s, struct thread *r, err *error) {
    struct capability *slot = cap_empty(r->space->table, r->reply_slot, error);
    if (!slot)
        return RECEIVER_FAILED;
    bool forwarded = s->send_flags & IPC_FORWARDED;
    u64 flags = s->send_flags, nwords = s->nwords;
    if (__builtin_expect(s->kind == MSG_FAULT && !forwarded && !fault_show(s), 0))
        return NEEDLESS;
    if (__builtin_expect(s->nwords > MSG_REG_WORDS || s->send_slot, 0)) {
        struct parcel parcel;
        if (forwarded && !r->message)
            nwords = MIN(nwords, MSG_REG_WORDS); /* a fault can't be told of a failure */
        *error = forwarded ? 0 : message_fits(s, r, nwords);
        if (!*error)
            *error = parcel_check(&parcel, s->space->table, s->send_slot, r->space->table, r->receive_slot);
        if (!*error && parcel.to == slot)
            *error = -E_NOSLOT;
        if (*error)
            return SENDER_FAILED;
        if (parcel.from) {
            *parcel.to = *parcel.from;
            flags |= IPC_CAP;
        }
    }
    r->regs.r12 = message_label(s);
    put_words(s, r);
    *slot = (struct capability){.kind = KIND_REPLY, .thread = s};
    s->right = slot;
    r->serving = s->call;
    r->regs.rax = WOKE_MESSAGE;
    r->regs.rbx = s->badge | s->tag;
    r->regs.r13 = s->call;
    r->regs.r14 = nwords | (u64)s->kind << 8 | flags << 16 | r->entered;
    r->regs.r15 = s->progress;
    trace(TRACE_IPC_RECV, thread_id(r),
          virt_to_frame(s->endpoint) | (r->regs.r12 & 0xffff) << 32 | (u64)s->nwords << 48, s->call, s->badge,
          s->tag >> 32);
    return DELIVERED;
}

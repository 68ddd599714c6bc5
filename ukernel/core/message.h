/* SPDX-License-Identifier: MIT */
/* Carrying a message from a sender's registers and message page to a receiver's. */
#pragma once

#include "core/cap.h"
#include "core/thread.h"

enum delivery {
    DELIVERED,       /* the receiver has it, and the right to reply */
    RECEIVER_FAILED, /* the slot that the receiver named for the reply can't be used (error) */
    SENDER_FAILED,   /* the message can't go: too long for the receiver, or its capability can't (error) */
    NEEDLESS         /* a fault that has been resolved meanwhile */
};

/* Copy s's message to r: registers, words, a capability, and the right to reply. Nothing has changed unless
 * DELIVERED. */
enum delivery message_deliver(struct thread *s, struct thread *r, err *error);

/* A capability on its way: checked first, then moved by capability_go. slot 0: none. */
struct parcel {
    const struct capability *from; /* NULL: none */
    struct capability *to;
};
/* -E_BADCAP: no such capability; -E_KIND: a right to reply can't be sent; -E_NOSLOT: the other side named no
 * usable slot. */
must_check err parcel_check(struct parcel *p, struct captable *from, u32 send_slot, struct captable *to,
                            u32 receive_slot);
static inline void parcel_go(const struct parcel *p) {
    if (p->from)
        *p->to = *p->from;
}

/* Can n words go from one thread to the other? Those beyond six lie in message pages. -E_2BIG, -E_INVAL. */
must_check err message_fits(const struct thread *from, const struct thread *to, u64 n);
/* Copy words 6 .. n-1 from page to page. */
void message_tail(const u64 *from, u64 *to, u64 n);

/* The label of the message that s sends or has sent. */
u64 message_label(const struct thread *s);

static inline void regs_put_words(struct thread_regs *r, const u64 w[MSG_REG_WORDS]) {
    r->rdi = w[0];
    r->rsi = w[1];
    r->rdx = w[2];
    r->r10 = w[3];
    r->r8 = w[4];
    r->r9 = w[5];
}
static inline void regs_get_words(const struct thread_regs *r, u64 w[MSG_REG_WORDS]) {
    w[0] = r->rdi;
    w[1] = r->rsi;
    w[2] = r->rdx;
    w[3] = r->r10;
    w[4] = r->r8;
    w[5] = r->r9;
}
static inline void regs_copy_words(struct thread_regs *to, const struct thread_regs *from) {
    to->rdi = from->rdi;
    to->rsi = from->rsi;
    to->rdx = from->rdx;
    to->r10 = from->r10;
    to->r8 = from->r8;
    to->r9 = from->r9;
}

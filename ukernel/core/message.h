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

/* A capability on its way: checked first, then copied from slot to slot. */
struct parcel {
    const struct capability *from; /* NULL: none */
    struct capability *to;
};
/* -E_BADCAP: no such capability; -E_KIND: a right to reply can't be sent; -E_NOSLOT: the other side named no
 * usable slot. */
must_check err parcel_check(struct parcel *p, struct captable *from, u32 send_slot, struct captable *to,
                            u32 receive_slot);

/* Can n words go from one thread to the other? Those beyond six lie in message pages. -E_2BIG, -E_INVAL. */
must_check err message_fits(const struct thread *from, const struct thread *to, u64 n);
/* Copy words 6 .. n-1 from page to page. */
void message_tail(const u64 *from, u64 *to, u64 n);

/* The label of the message that s sends or has sent. */
u64 message_label(const struct thread *s);

/* Copy words 0 .. 5. */
static inline void message_head(const u64 *from, u64 *to) {
    for (u64 i = 0; i < MSG_REG_WORDS; i++)
        to[i] = from[i];
}

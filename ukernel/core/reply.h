/* SPDX-License-Identifier: MIT */
/* Rights to reply: in a slot of whoever received the message. A waiting thread (CALLING) and the slot name
 * each other, and no right is ever copied. So none has to be looked up or compared: when the thread waits no
 * more, the slot is told. */
#pragma once

#include "core/message.h"

/* The right to reply in a slot of the table: its slot, and the waiter (NULL: gone). -E_BADCAP: no right is
 * there. */
must_check err reply_get(struct captable *t, u64 slot, struct capability **right, struct thread **waiter);

/* An answer with label and words, from the registers and the message page of `from`. Checks it against what
 * the waiter waits for: -E_2BIG, -E_INVAL, -E_BADCAP, -E_KIND, -E_NOSLOT. Then reply_go: the waiter (CALLING)
 * gets it; who can go on now is returned (see ipc_send), NULL: nobody. flags: WAIT_REGS. */
struct reply {
    struct thread *to;
    struct thread *from;
    u64 nwords;
    u64 flags;
    u32 send_slot;
    struct parcel parcel; /* by reply_check */
};
must_check err reply_check(struct reply *r);
struct thread *reply_go(const struct reply *r);

/* The right in the slot is dropped, or its holder dies: a call fails with -E_CANCELED, a fault happens again,
 * an alien call or exception is sent again. The slot is freed. */
void reply_drop(struct capability *right);

/* SPDX-License-Identifier: MIT */
/* Endpoints: where messages and notification bits arrive. One endpoint lives in one frame (KIND_ENDPOINT) and
 * outlives the threads that send to it and receive on it.
 *
 *   server:    the thread in THREAD_RECEIVING that the next message goes to: the last that came
 *   receivers: the others; those that named a slot for the next reply are at the head, the last that came
 *              first; those that can only take bits are at the tail
 *   senders:   threads in THREAD_SENDING, in order of arrival
 *
 * A sender and a receiver that could take it are both queued only after the sender has met 8 receivers whose
 * slots for the reply were not usable: these have been woken up, and come again. There are never both bits
 * and any receiver, nor senders and a server: the short paths look at `server` alone. */
#pragma once

#include "core/queue.h"

struct thread;

/* server, if there is none: nobody has come to be served, or there are senders or bits. */
#define SERVER_NONE ((struct thread *)0)
#define SERVER_LATE ((struct thread *)1)

struct endpoint {
    struct thread *server;   /* a thread, SERVER_NONE or SERVER_LATE */
    u64 bits;                /* notification bits not yet taken */
    struct link receivers;   /* through thread.link */
    struct link senders;     /* through thread.link */
    u64 deadline;            /* absolute TSC at which DEADLINE_BIT is set; 0: none */
    struct link by_deadline; /* on the list of all endpoints with a deadline, earliest first */
};

/* A lasting reference from a space, an account or an irq line to an endpoint. It does not keep the endpoint
 * alive: it is dead when the frame's generation is another one. frame NULL: none; nor
 * is there one where the generation was never the frame's. */
struct endpoint_ref {
    struct endpoint *endpoint;
    const struct frame *frame; /* it lives in */
    u32 generation;
    u32 badge; /* messages that go this way carry it; account and irq: the bit number */
};

/* Make an endpoint of a cleared frame. */
void endpoint_init(struct endpoint *e);

/* A reference to e as it is now. */
struct endpoint_ref endpoint_ref(struct endpoint *e, u32 badge);

/* The thread that a message would go to now; NULL: none. */
struct thread *endpoint_receiver(const struct endpoint *e);
/* t, READY and in no queue, sends to e or receives from it from now on, or (RECEIVING, SENDING) no more; it
 * is in no queue then. */
void endpoint_send(struct endpoint *e, struct thread *t);
void endpoint_receive(struct endpoint *e, struct thread *t);
void endpoint_leave(struct thread *t);

/* OR bits into the endpoint. A receiver that waits there takes them at once and becomes ready; the running
 * thread goes on (the scheduler looks for a better one when the entry ends). Called from any part of the
 * kernel; never waits. */
void endpoint_set_bits(struct endpoint *e, u64 bits);

/* t takes all bits, as the result of its wait. */
void endpoint_take_bits(struct endpoint *e, struct thread *t);

/* The same through a reference: sets bit `ref->badge`; nothing if the reference is dead. */
void endpoint_ref_notify(const struct endpoint_ref *ref);

/* Set or (0) clear the endpoint's deadline, absolute TSC. */
void endpoint_set_deadline(struct endpoint *e, u64 deadline);

/* Set DEADLINE_BIT of up to 32 endpoints whose deadline is not after `now`; returns the next deadline, which
 * may have passed too, 0 if none. */
u64 endpoint_expire(u64 now);

/* One step of destroying e: wakes up to 32 of its senders and receivers with -E_CANCELED (faults and the like
 * go to nobody: their threads stop). True when nobody is left. */
bool endpoint_drain(struct endpoint *e);

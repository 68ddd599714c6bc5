/* SPDX-License-Identifier: MIT */
#include "core/endpoint.h"
#include "arch/cpu.h"
#include "arch/log.h"
#include "core/cap.h"
#include "core/ipc.h"
#include "core/sched.h"
#include "core/trace.h"

#define DRAIN_MAX  32
#define EXPIRE_MAX 32

/* All endpoints with a deadline, earliest first. */
static struct link deadlines = {&deadlines, &deadlines};

void endpoint_init(struct endpoint *e) {
    link_init(&e->receivers);
    link_init(&e->senders);
    link_init(&e->by_deadline);
}

struct endpoint_ref endpoint_ref(struct endpoint *e, u32 badge) {
    const struct frame *f = &frame_table[virt_to_frame(e)];
    return (struct endpoint_ref){e, f, f->generation, badge};
}

static bool is_thread(const struct thread *server) {
    return server > SERVER_LATE;
}

/* After a change: what `server` says if there is none. */
static void settle(struct endpoint *e) {
    ASSERT(!is_thread(e->server) || (!e->bits && link_empty(&e->senders)));
    if (!is_thread(e->server))
        e->server = e->bits || !link_empty(&e->senders) ? SERVER_LATE : SERVER_NONE;
}

struct thread *endpoint_receiver(const struct endpoint *e) {
    if (is_thread(e->server))
        return e->server;
    struct thread *t = container_of(e->receivers.next, struct thread, link);
    return link_empty(&e->receivers) || !t->reply_slot ? NULL : t;
}

void endpoint_send(struct endpoint *e, struct thread *t) {
    t->state = THREAD_SENDING;
    t->endpoint = e;
    link_push_tail(&e->senders, &t->link);
    settle(e);
}

void endpoint_receive(struct endpoint *e, struct thread *t) {
    t->state = THREAD_RECEIVING;
    t->endpoint = e;
    if (!t->reply_slot) {
        link_push_tail(&e->receivers, &t->link);
        return;
    }
    if (is_thread(e->server))
        link_push_head(&e->receivers, &e->server->link);
    e->server = t;
    settle(e);
}

void endpoint_leave(struct thread *t) {
    struct endpoint *e = t->endpoint;
    if (e->server == t)
        e->server = SERVER_NONE;
    else
        link_unlink(&t->link);
    t->state = THREAD_READY;
    settle(e);
}

void endpoint_take_bits(struct endpoint *e, struct thread *t) {
    t->regs.rax = WOKE_BITS;
    t->regs.r14 = t->entered;
    t->regs.r15 = e->bits;
    e->bits = 0;
    settle(e);
}

void endpoint_set_bits(struct endpoint *e, u64 bits) {
    struct thread *current = cpu.current;
    trace(TRACE_NOTIFY, current ? (u32)virt_to_frame(current) : 0, virt_to_frame(e), bits,
          current ? current->serving : 0);
    e->bits |= bits;
    struct thread *r =
        link_empty(&e->receivers) ? e->server : container_of(e->receivers.prev, struct thread, link);
    if (e->bits && is_thread(r)) {
        endpoint_take_bits(e, r);
        endpoint_leave(r);
        sched_ready(r);
    }
    settle(e);
}

void endpoint_ref_notify(const struct endpoint_ref *ref) {
    struct endpoint *e = endpoint_ref_get(ref);
    if (e)
        endpoint_set_bits(e, 1ull << ref->badge);
}

static u64 earliest(void) {
    return link_empty(&deadlines) ? 0 : container_of(deadlines.next, struct endpoint, by_deadline)->deadline;
}

void endpoint_set_deadline(struct endpoint *e, u64 deadline) {
    if (deadline == e->deadline)
        return;
    u64 before = earliest();
    link_remove(&e->by_deadline);
    e->deadline = deadline;
    if (deadline) {
        struct link *l = deadlines.next;
        while (l != &deadlines && container_of(l, struct endpoint, by_deadline)->deadline <= deadline)
            l = l->next;
        link_push_tail(l, &e->by_deadline);
    }
    if (earliest() != before)
        sched_deadline_changed(earliest());
}

u64 endpoint_expire(u64 now) {
    for (u32 i = 0; i < EXPIRE_MAX && earliest() && earliest() <= now; i++) {
        struct endpoint *e = container_of(deadlines.next, struct endpoint, by_deadline);
        link_remove(&e->by_deadline);
        e->deadline = 0;
        endpoint_set_bits(e, 1ull << DEADLINE_BIT);
    }
    return earliest();
}

bool endpoint_drain(struct endpoint *e) {
    endpoint_set_deadline(e, 0);
    for (u32 i = 0; i < DRAIN_MAX; i++) {
        struct link *list = link_empty(&e->senders) ? &e->receivers : &e->senders;
        if (!link_empty(list))
            ipc_cancel(container_of(list->next, struct thread, link));
        else if (is_thread(e->server))
            ipc_cancel(e->server);
    }
    return link_empty(&e->senders) && link_empty(&e->receivers) && !is_thread(e->server);
}

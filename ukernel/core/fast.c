/* SPDX-License-Identifier: MIT */
#include "core/fast.h"
#include "arch/switch.h"
#include "core/cap.h"
#include "core/endpoint.h"
#include "core/message.h"
#include "core/reply.h"
#include "core/sched.h"
#include "core/trace.h"

#define TRACED                                                                                               \
    (1ull << TRACE_IPC_CALL | 1ull << TRACE_IPC_RECV | 1ull << TRACE_IPC_REPLY | 1ull << TRACE_SWITCH)

/* May t run at once: nobody of its level or above is ready, and nothing must happen first? */
static inline bool can_run(const struct thread *t) {
    return !(ready_mask >> t->priority) && !t->attention;
}

/* The receiver that a message to e would go to, and the empty slot for the right to reply. */
static inline struct thread *receiver_of(struct endpoint *e, struct capability **slot) {
    struct thread *r = container_of(e->receivers.next, struct thread, link);
    if (link_empty(&e->receivers) || trace_mask & TRACED)
        return NULL;
    struct captable *table = r->space->table;
    if (r->reply_slot == 0 || r->reply_slot >= table->slots)
        return NULL;
    *slot = captable_slots(table) + r->reply_slot;
    return (*slot)->kind == KIND_RESERVED && can_run(r) ? r : NULL;
}

static inline struct thread *hand_over(struct thread *s, struct thread *r, struct capability *slot,
                                       u64 label) {
    u64 call = ++cpu.calls;
    s->call = call;
    slot->kind = KIND_REPLY;
    slot->generation = s->generation;
    slot->object = (u64)s;
    slot->badge = call;
    link_unlink(&r->link);
    r->regs.rax = WOKE_MESSAGE;
    r->regs.rbx = s->badge | (u64)s->tag << 32;
    r->regs.r12 = label;
    r->regs.r13 = call;
    r->regs.r14 = s->nwords | (u64)s->kind << 8 | (u64)r->entered << 32;
    r->regs.r15 = 0;
    regs_copy_words(&r->regs, &s->regs);
    r->serving = call;
    r->state = THREAD_READY;
    s->state = THREAD_CALLING;
    arch_switch(r);
    return r;
}

struct thread *fast_call(struct thread *t) {
    const struct thread_regs *in = &t->regs;
    u64 nwords = in->rax >> 8;
    if (nwords > MSG_REG_WORDS || (u32)in->r13)
        return NULL;
    const struct capability *c = cap_get_endpoint(t->space->table, (u32)in->rbx, RIGHT_CALL);
    if (!c)
        return NULL;
    struct endpoint *e = cap_endpoint(c);
    struct capability *slot;
    struct thread *r = receiver_of(e, &slot);
    if (!r)
        return NULL;
    t->kind = MSG_CALL;
    t->base = MSG_CALL;
    t->send_flags = 0;
    t->nwords = (u8)nwords;
    t->badge = (u32)c->badge;
    t->endpoint = e;
    t->receive_slot = (u32)(in->r13 >> 32);
    t->progress = 0;
    return hand_over(t, r, slot, in->r12);
}

struct thread *fast_alien_call(struct thread *t) {
    struct endpoint *e = endpoint_ref_get(&t->space->system_call);
    if (!e)
        return NULL;
    struct capability *slot;
    struct thread *r = receiver_of(e, &slot);
    if (!r)
        return NULL;
    t->kind = MSG_ALIEN;
    t->base = MSG_ALIEN;
    t->send_flags = 0;
    t->nwords = MSG_REG_WORDS;
    t->badge = t->space->system_call.badge;
    t->endpoint = e;
    return hand_over(t, r, slot, LABEL_ALIEN | t->regs.rax << 16);
}

/* The slot for the next right to reply: that of the right which is used up now, or an empty one. */
static inline bool next_slot_good(struct captable *table, u32 next, u32 used) {
    return next == used || (next && next < table->slots && captable_slots(table)[next].kind == KIND_RESERVED);
}

struct thread *fast_reply_wait(struct thread *t) {
    const struct thread_regs *in = &t->regs;
    struct captable *table = t->space->table;
    u32 used = (u32)in->rbx;
    u64 nwords = in->rax >> 8;
    /* No flags, no capability, no deadline; an answer and an endpoint to wait on. */
    if (nwords > MSG_REG_WORDS || in->rbx >> 32 || in->r15 || !table || used >= table->slots ||
        trace_mask & TRACED)
        return NULL;
    struct capability *right = captable_slots(table) + used;
    if (right->kind != KIND_REPLY)
        return NULL;
    struct thread *to = reply_waiter(right);
    if (!to || to->kind == MSG_FAULT || to->kind == MSG_EXCEPTION || !can_run(to))
        return NULL;
    const struct capability *c = cap_get_endpoint(table, (u32)in->r13, RIGHT_RECV);
    if (!c)
        return NULL;
    struct endpoint *e = cap_endpoint(c);
    u32 next = (u32)(in->r13 >> 32);
    if (e->bits || e->deadline || !link_empty(&e->senders) || !next_slot_good(table, next, used))
        return NULL;

    right->kind = KIND_RESERVED;
    if (to->kind == MSG_CALL) {
        to->regs.rax = 0;
        to->regs.r12 = in->r12;
        to->regs.r14 = nwords;
        regs_copy_words(&to->regs, in);
    } else {
        to->regs.rax = (i64)in->r12 < 0 ? in->r12 : in->rdi;
        to->progress = 0;
    }
    to->state = THREAD_READY;
    t->entered = 0;
    t->reply_slot = next;
    t->receive_slot = (u32)in->r14;
    t->state = THREAD_RECEIVING;
    t->endpoint = e;
    link_push_head(&e->receivers, &t->link);
    arch_switch(to);
    return to;
}

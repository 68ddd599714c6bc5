/* SPDX-License-Identifier: MIT */
#include "core/fast.h"
#include "arch/switch.h"
#include "core/cap.h"
#include "core/endpoint.h"
#include "core/fault.h"
#include "core/ipc.h"
#include "core/message.h"
#include "core/reply.h"
#include "core/sched.h"
#include "core/trace.h"

/* One round trip is a few hundred instructions: what two of these functions share is worth being copied. */
#define INLINE static inline __attribute__((always_inline))

#define TRACED                                                                                               \
    (1ull << TRACE_IPC_CALL | 1ull << TRACE_IPC_RECV | 1ull << TRACE_IPC_REPLY | 1ull << TRACE_SWITCH |      \
     1ull << TRACE_PAGE_FAULT | 1ull << TRACE_RESUME)

/* May t run at once: nobody of its level or above is ready, and nothing must happen first? */
INLINE bool can_run(const struct thread *t) {
    return !(ready_mask >> t->priority) && !t->attention;
}

/* The receiver that a message to e would go to, and the empty slot for the right to reply. */
INLINE struct thread *receiver_of(struct endpoint *e, struct capability **slot) {
    struct thread *r = container_of(e->receivers.next, struct thread, link);
    if (link_empty(&e->receivers) || trace_mask & TRACED)
        return NULL;
    struct captable *table = r->space->table;
    if (r->reply_slot == 0 || r->reply_slot >= table->slots)
        return NULL;
    *slot = captable_slots(table) + r->reply_slot;
    return (*slot)->kind == KIND_RESERVED && can_run(r) ? r : NULL;
}

/* Everything of the message but its label and words; r runs. */
INLINE struct thread *hand_over(struct thread *s, struct thread *r, struct capability *slot, u8 kind,
                                u8 nwords, u32 badge) {
    u64 call = ++cpu.calls;
    s->call = call;
    s->kind = kind;
    s->base = kind;
    s->send_flags = 0;
    s->nwords = nwords;
    s->badge = badge;
    s->state = THREAD_CALLING;
    slot->kind = KIND_REPLY;
    slot->generation = s->generation;
    slot->object = (u64)s;
    slot->badge = call;
    link_unlink(&r->link);
    r->regs.rax = WOKE_MESSAGE;
    r->regs.rbx = badge | (u64)s->tag << 32;
    r->regs.r13 = call;
    r->regs.r14 = nwords | (u64)kind << 8 | (u64)r->entered << 32;
    r->regs.r15 = 0;
    r->serving = call;
    r->state = THREAD_READY;
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
    struct capability *slot;
    struct thread *r = receiver_of(cap_endpoint(c), &slot);
    if (!r)
        return NULL;
    t->receive_slot = (u32)(in->r13 >> 32);
    t->progress = 0;
    r->regs.r12 = in->r12;
    regs_copy_words(&r->regs, in);
    return hand_over(t, r, slot, MSG_CALL, (u8)nwords, (u32)c->badge);
}

struct thread *fast_alien_call(struct thread *t) {
    struct endpoint *e = endpoint_ref_get(&t->space->system_call);
    if (!e)
        return NULL;
    struct capability *slot;
    struct thread *r = receiver_of(e, &slot);
    if (!r)
        return NULL;
    r->regs.r12 = LABEL_ALIEN | t->regs.rax << 16;
    regs_copy_words(&r->regs, &t->regs);
    return hand_over(t, r, slot, MSG_ALIEN, MSG_REG_WORDS, t->space->system_call.badge);
}

struct thread *fast_fault(struct thread *t) {
    struct endpoint *e = endpoint_ref_get(&t->space->pager);
    if (!e)
        return NULL;
    struct capability *slot;
    struct thread *r = receiver_of(e, &slot);
    if (!r)
        return NULL;
    t->fault.shown = false;
    if (!fault_show(t))
        return t;
    r->regs.r12 = LABEL_FAULT;
    r->regs.rdi = t->fault.address;
    r->regs.rsi = fault_info(t);
    r->regs.rdx = t->fault.answer.shown;
    r->regs.r10 = t->regs.rip;
    r->regs.r8 = t->regs.rsp;
    r->regs.r9 = t->fault.repeats;
    return hand_over(t, r, slot, MSG_FAULT, sizeof(struct fault_words) / sizeof(u64), t->space->pager.badge);
}

/* ---- answers
 * -------------------------------------------------------------------------------------------------- */

/* An answer to somebody who can run at once, and a wait that will have to wait. */
struct turn {
    struct thread *to;
    struct capability *right;
    struct endpoint *endpoint;
    u64 nwords;
};

/* The slot for the next right to reply: that of the right which is used up now, or an empty one. */
INLINE bool next_slot_good(struct captable *table, u32 next, u32 used) {
    return next == used || (next && next < table->slots && captable_slots(table)[next].kind == KIND_RESERVED);
}

INLINE bool turn_decode(struct turn *turn, struct thread *t) {
    const struct thread_regs *in = &t->regs;
    struct captable *table = t->space->table;
    u32 used = (u32)in->rbx;
    /* No flags, no capability, no deadline; an answer and an endpoint to wait on. */
    turn->nwords = in->rax >> 8;
    if (turn->nwords > MSG_REG_WORDS || in->rbx >> 32 || in->r15 || !table || used >= table->slots ||
        trace_mask & TRACED)
        return false;
    turn->right = captable_slots(table) + used;
    if (turn->right->kind != KIND_REPLY)
        return false;
    turn->to = reply_waiter(turn->right);
    const struct capability *c = cap_get_endpoint(table, (u32)in->r13, RIGHT_RECV);
    if (!turn->to || !c || !can_run(turn->to))
        return false;
    turn->endpoint = cap_endpoint(c);
    return !turn->endpoint->bits && !turn->endpoint->deadline && link_empty(&turn->endpoint->senders) &&
           next_slot_good(table, (u32)(in->r13 >> 32), used);
}

INLINE struct thread *turn_go(const struct turn *turn, struct thread *t, u8 entered) {
    const struct thread_regs *in = &t->regs;
    turn->right->kind = KIND_RESERVED;
    turn->to->state = THREAD_READY;
    t->entered = entered;
    t->reply_slot = (u32)(in->r13 >> 32);
    t->receive_slot = (u32)in->r14;
    t->state = THREAD_RECEIVING;
    t->endpoint = turn->endpoint;
    link_push_head(&turn->endpoint->receivers, &t->link);
    arch_switch(turn->to);
    return turn->to;
}

struct thread *fast_reply_wait(struct thread *t) {
    const struct thread_regs *in = &t->regs;
    struct turn turn;
    if (!turn_decode(&turn, t))
        return NULL;
    struct thread *to = turn.to;
    if (to->kind == MSG_CALL) {
        to->regs.rax = 0;
        to->regs.r12 = in->r12;
        to->regs.r14 = turn.nwords;
        regs_copy_words(&to->regs, in);
    } else if (to->kind == MSG_ALIEN) {
        to->regs.rax = (i64)in->r12 < 0 ? in->r12 : in->rdi;
        to->progress = 0;
    } else {
        return NULL;
    }
    return turn_go(&turn, t, 0);
}

struct thread *fast_fault_reply_wait(struct thread *t) {
    struct turn turn;
    if (!turn_decode(&turn, t))
        return NULL;
    struct thread *to = turn.to;
    if (to->kind != MSG_FAULT || to->base != MSG_FAULT || turn.nwords % 2)
        return NULL;
    u64 words[MSG_REG_WORDS];
    regs_get_words(&t->regs, words);
    u32 entered = fault_answer(to, t->space->account, (const struct fault_item *)words, turn.nwords / 2);
    if (__builtin_expect(turn.endpoint->bits || !can_run(to),
                         0)) /* a frame was collected: somebody is told */
        return sched_leave(ipc_fault_answered(t, to, entered));
    to->fault.entered = entered > 0;
    return turn_go(&turn, t, (u8)entered);
}

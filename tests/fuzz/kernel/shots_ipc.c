/* SPDX-License-Identifier: MIT */
/* Calls of messages. This program's first thread never waits in one of them: it polls. */
#include "fuzz.h"

/* A capability to go with a message: mostly one that may. */
static u64 to_send(u32 table) {
    return chance(6) ? some_right(table) : chance(8) ? dynamic() : W_WEAK + pick(WEAK_COUNT);
}

static u64 words(void) {
    return chance(8) ? 7 + pick(MSG_WORDS - 6) : chance(16) ? 65 + pick(190) : pick(7);
}

void make_call(struct shot *s) {
    u64 send = chance(3) ? to_send(table_of(s->actor)) : 0;
    s->io.rax = SYS_call | words() << 8;
    s->io.rbx = chance(10)  ? an_endpoint()
                : chance(8) ? W_BADGED + pick(2)
                : chance(4) ? W_ENDPOINT + pick(2)
                            : W_ENDPOINT_SERVED;
    s->io.r13 = send | (chance(2) ? dynamic() << 32 : 0);
    s->io.label = 0x100 + pick(16);
}

/* The wait's part of the registers: endpoint, next reply slot, slot to receive, deadline. */
static void make_wait(struct shot *s) {
    u64 endpoint = chance(4) ? 0 : an_endpoint(), next = chance(24) ? W_ENDPOINT : chance(6) ? 0 : dynamic();
    if (chance(40))
        next = wild();
    bool poll = s->actor == 0 || chance(3);
    s->io.rax |= poll ? WAIT_POLL << 16 : 0;
    s->io.rax |= chance(4) ? WAIT_REGS << 16 : 0;
    s->io.r13 = (u32)endpoint | next << 32;
    s->io.r14 = chance(2) ? dynamic() : 0;
    s->io.r15 = chance(4) ? 1 : 0;
}

void make_reply_wait(struct shot *s) {
    u32 t = table_of(s->actor);
    u64 reply = chance(3) ? 0 : chance(16) ? wild() : chance(3) ? some_right(t) : right_of(t, MSG_CALL);
    make_wait(s);
    s->io.rax |= words() << 8;
    s->io.rbx = (u32)reply | (chance(4) ? to_send(t) << 32 : 0);
    s->io.label = chance(2) ? 0 : (u64)-E_INVAL;
}

void make_fault_reply_wait(struct shot *s) {
    u32 t = table_of(s->actor);
    u64 n = chance(3) ? pick(FAULT_ITEMS_MAX + 1) : 1,
        reply = chance(12) ? some_right(t) : right_of(t, MSG_FAULT);
    if (chance(24))
        reply = wild();
    make_wait(s);
    s->io.rax |= (chance(16) ? words() : 2 * n) << 8;
    s->io.rbx = (u32)reply;
    u64 *page = s->area - AREA_FIRST;
    for (u64 i = 0; i < n; i++) {
        u64 *w = i < 3 ? s->io.w + 2 * i : page + 2 * i;
        w[0] = (some_address() & ~PAGE_MASK) | pick(32);
        w[1] = ITEM_FRAME(frame_of(s->actor), pick(5));
    }
}

void make_forward_wait(struct shot *s) {
    u32 t = table_of(s->actor);
    u64 reply = chance(16) ? wild() : some_right(t);
    make_wait(s);
    s->io.rax |= words() << 8;
    if (chance(3))
        s->io.rax |= FORWARD_RANGE(pick(600), pick(20), pick(16));
    s->io.rbx = (u32)reply | an_endpoint() << 32;
    s->io.r14 |= (chance(3) ? a_space() : 0) << 32;
    s->io.label = 0x200;
}

static u64 right_but(u32 actor, u32 kind) {
    u32 t = table_of(actor);
    return chance(12) ? wild() : chance(8) ? some_right(t) : right_of(t, kind);
}

void make_raise(struct shot *s) {
    s->io.w[0] = right_but(s->actor, chance(2) ? MSG_FAULT : MSG_ALIEN);
    s->io.w[1] = RAISE_CODE(11, 1);
}

void make_fault_as(struct shot *s) {
    s->io.w[0] = right_but(s->actor, chance(2) ? MSG_EXCEPTION : MSG_ALIEN);
    s->io.w[1] = chance(6) ? wild() : some_address();
    s->io.w[2] = pick(chance(4) ? 4 : 3);
}

void make_interrupt(struct shot *s) {
    s->io.w[0] = a_thread();
}

void make_yield(struct shot *s) {
    (void)s;
}

void make_notify(struct shot *s) {
    s->io.w[0] = an_endpoint();
    s->io.w[1] = chance(4) ? 0 : 1ull << pick(64);
}

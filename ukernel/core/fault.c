/* SPDX-License-Identifier: MIT */
#include "core/fault.h"
#include "core/exception.h"
#include "core/ipc.h"
#include "core/sched.h"
#include "core/trace.h"
#include "mm/pt.h"

struct thread *fault_send(struct thread *t) {
    t->fault.shown = false;
    return exception_message(t, MSG_FAULT, 0);
}

static inline void set_address(struct thread *t, vaddr address, u8 access, u8 flags) {
    struct answer *a = &t->fault.answer;
    if ((a->fault ^ address) >= PAGE_BYTES || a->epoch != t->space->epoch)
        t->fault.repeats = 0;
    a->fault = address & ~PAGE_MASK;
    t->fault.address = address;
    t->fault.what = (u32)FAULT_INFO(access, 0, 0, flags, 0);
}

void fault_happened(struct thread *t, vaddr address) {
    u64 error = t->regs.error;
    t->base = MSG_FAULT;
    set_address(t, address, (error & PF_WRITE) / PF_WRITE | (error & PF_FETCH) / PF_FETCH * ACCESS_EXEC, 0);
}

void fault_as(struct thread *t, vaddr address, u8 access, u64 progress) {
    t->base = t->kind;
    t->progress = progress;
    t->state = THREAD_READY;
    set_address(t, address, access, FAULT_AS);
    struct thread *next = fault_send(t);
    if (next)
        sched_ready(next);
}

/* Read entry, counts and epoch. False: the entry now allows the access. On the path of many faults. */
static inline __attribute__((always_inline)) bool show(struct thread *t) {
    struct space *s = t->space;
    struct answer *a = &t->fault.answer;
    if (a->fault - s->near.first >= s->near.bytes) {
        mm_answer_whole(a);
        if (a->hi)
            (void)pt_leaf_far(s, a->fault);
    }
    u64 at = a->fault - s->near.first, entry = 0;
    if (at < s->near.bytes) {
        a->absent = false;
        a->rights = MAP_ALL;
        a->lo = s->near.first;
        a->hi = a->lo + s->near.bytes;
        entry = s->near.entries[at >> PAGE_SHIFT];
    }
    a->epoch = s->epoch;
    u64 info = t->fault.what | FAULT_INFO(0, s->pool_level, 0, 0, 0);
    if (entry & PTE_PRESENT) {
        if (mm_allows(entry, FAULT_ACCESS(info)))
            return false;
        info |= FAULT_INFO(0, 0, pt_frame(entry)->account, 0, pt_frame(entry)->shares);
    }
    a->shown = entry;
    t->fault.info = info;
    t->fault.shown = true;
    return true;
}

bool fault_show(struct thread *t) {
    if (t->fault.shown)
        return true;
    if (!show(t))
        return false;
    trace(TRACE_PAGE_FAULT, thread_id(t), t->fault.address, t->regs.rip,
          space_frame(t->space) | (u64)FAULT_ACCESS(t->fault.what) << 32, t->call, t->fault.answer.shown,
          t->regs.rsp);
    return true;
}

bool fault_begin(struct thread *t, vaddr address) {
    fault_happened(t, address);
    return show(t);
}

void fault_words(const struct thread *t, u64 w[MSG_REG_WORDS]) {
    w[0] = t->fault.address;
    w[1] = t->fault.info;
    w[2] = t->fault.answer.shown;
    w[3] = t->regs.rip;
    w[4] = t->regs.rsp;
    w[5] = t->fault.repeats;
}

err fault_range(struct thread *t, struct captable *table, u32 space_slot, u64 range) {
    struct answer *a = &t->fault.answer;
    vaddr block = ROUND_DOWN(a->fault, BLOCK_BYTES);
    vaddr lo = block + FORWARD_FIRST(range) * PAGE_BYTES;
    vaddr hi = lo + FORWARD_COUNT(range) * PAGE_BYTES;
    u8 rights = FORWARD_RIGHTS(range);
    if (hi == lo)
        return 0;
    if (a->absent)
        mm_answer_whole(a);
    if (hi > block + BLOCK_BYTES || a->hi == 0)
        return -E_INVAL;
    lo = MAX(lo, USER_FIRST);
    hi = MIN(hi, USER_END);
    if (space_slot) {
        err e;
        const struct capability *c = cap_get(table, space_slot, KIND_SPACE, RIGHT_MAP, &e);
        if (!c)
            return e;
        if (c->space != t->space)
            return -E_RIGHTS;
    } else if (lo < a->lo || hi > a->hi || rights & ~a->rights) {
        return -E_RIGHTS;
    }
    a->lo = lo;
    a->hi = hi;
    a->rights = rights;
    return 0;
}

u32 fault_answer(struct thread *t, u8 account, const struct fault_item *items, u64 count) {
    u32 entered = 0;
    t->fault.answer.space = t->space;
    t->fault.answer.account = account;
    for (u32 mask = mm_answer(&t->fault.answer, items, count); mask; mask &= mask - 1)
        entered++;
    return entered;
}

u64 fault_answer_any(struct thread *server, struct thread *t) {
    t->fault.answer.space = t->space;
    t->fault.answer.account = server->space->account;
    return mm_answer(&t->fault.answer, (const struct fault_item *)server->regs.words, 1);
}

bool fault_answer_quickly(u64 address, u64 value, struct thread *t, const struct space *answerer) {
    const struct answer *a = &t->fault.answer;
    u64 op = value >> 60;
    if (a->epoch != t->space->epoch || (address ^ a->fault) >= PAGE_BYTES)
        return false;
    return pt_map_near(t->space, answerer->account, address, value & ~ITEM_FRAME(0, FILL_ZERO),
                       op == FILL_ZERO);
}

struct thread *fault_resolved(struct thread *t, u32 entered) {
    t->fault.repeats += entered > 0;
    trace(TRACE_RESUME, thread_id(t), t->fault.address, t->call, space_frame(t->space) | (u64)entered << 32);
    t->state = THREAD_READY;
    if (t->base == MSG_FAULT)
        return t;
    return exception_again(t, IPC_AGAIN);
}

/* SPDX-License-Identifier: MIT */
#include "core/fault.h"
#include "core/exception.h"
#include "core/ipc.h"
#include "core/sched.h"
#include "core/trace.h"
#include "mm/pt.h"

enum pf_error { PF_PRESENT = 1, PF_WRITE = 2, PF_FETCH = 16 };

struct thread *fault_send(struct thread *t) {
    t->fault.shown = false;
    return exception_message(t, MSG_FAULT, 0);
}

static inline void set_address(struct thread *t, vaddr address, u8 access, u8 flags) {
    bool same = (t->fault.address ^ address) < PAGE_BYTES && t->fault.answer.epoch == t->space->epoch;
    t->fault.repeats = same ? t->fault.repeats + t->fault.entered : 0;
    t->fault.entered = false;
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

/* Begin to answer faults in another block of 2 MiB, or what was known of this one may be old. */
static __attribute__((noinline)) void look_up(struct thread *t, vaddr address) {
    struct space *s = t->space;
    vaddr block = ROUND_DOWN(address, BLOCK_BYTES);
    bool users = address - USER_FIRST < USER_END - USER_FIRST;
    t->fault.answer = (struct answer){.space = s,
                                      .leaf = users ? pt_leaf(s, address) : NULL,
                                      .epoch = s->epoch,
                                      .fault = address & ~PAGE_MASK,
                                      .rights = MAP_ALL,
                                      .lo = users ? MAX(block, USER_FIRST) : 0,
                                      .hi = users ? MIN(block + BLOCK_BYTES, USER_END) : 0};
}

/* Read entry, counts and epoch. False: the entry now allows the access. On the path of every fault. */
static inline __attribute__((always_inline)) bool show(struct thread *t, vaddr address) {
    const struct space *s = t->space;
    struct answer *a = &t->fault.answer;
    if (a->leaf && (address ^ a->fault) < BLOCK_BYTES && a->epoch == s->epoch && !a->narrowed) {
        a->leaf = (u64 *)((u64)a->leaf & ~PAGE_MASK) + pt_index(address, 0);
        a->fault = address & ~PAGE_MASK;
    } else {
        look_up(t, address);
    }
    u64 entry = a->leaf ? *a->leaf : 0;
    u64 info = t->fault.what | FAULT_INFO(0, MIN(s->pool_count, 255u), 0, 0, 0);
    if (__builtin_expect(entry & PTE_PRESENT, 0)) {
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
    if (!show(t, t->fault.address))
        return false;
    trace(TRACE_PAGE_FAULT, thread_id(t), t->fault.address, t->regs.rip,
          space_frame(t->space) | (u64)FAULT_ACCESS(t->fault.what) << 32, t->call, t->fault.answer.shown,
          t->regs.rsp);
    return true;
}

struct endpoint *fault_begin(struct thread *t, vaddr address) {
    fault_happened(t, address);
    struct endpoint *e = endpoint_ref_get(&t->space->pager);
    return e && show(t, address) ? e : NULL;
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
    vaddr block = ROUND_DOWN(t->fault.address, BLOCK_BYTES);
    vaddr lo = block + FORWARD_FIRST(range) * PAGE_BYTES;
    vaddr hi = lo + FORWARD_COUNT(range) * PAGE_BYTES;
    u8 rights = FORWARD_RIGHTS(range);
    if (hi == lo)
        return 0;
    if (hi > block + BLOCK_BYTES || t->fault.answer.hi == 0)
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
    } else if (lo < t->fault.answer.lo || hi > t->fault.answer.hi || rights & ~t->fault.answer.rights) {
        return -E_RIGHTS;
    }
    t->fault.answer.narrowed = true;
    t->fault.answer.lo = lo;
    t->fault.answer.hi = hi;
    t->fault.answer.rights = rights;
    return 0;
}

u32 fault_answer(struct thread *t, u8 account, const struct fault_item *items, u64 count) {
    u32 entered = 0;
    t->fault.answer.account = account;
    for (u32 mask = mm_answer(&t->fault.answer, items, count); mask; mask &= mask - 1)
        entered++;
    return entered;
}

struct thread *fault_resolved(struct thread *t, u32 entered) {
    t->fault.entered = entered > 0;
    trace(TRACE_RESUME, thread_id(t), t->fault.address, t->call, space_frame(t->space) | (u64)entered << 32);
    t->state = THREAD_READY;
    if (t->base == MSG_FAULT)
        return t;
    return exception_again(t, IPC_AGAIN);
}

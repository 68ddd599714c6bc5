/* SPDX-License-Identifier: MIT */
#include "call.h"

#include <string.h>

#include <abi/syscall.h>

#include "kern.h"
#include "state.h"

i64 block(struct call *k, struct wait_queue *q, u64 deadline, enum block_kind kind) {
    struct task *t = k->task;
    if (kind != BLOCK_DEAF && signal_is_pending(t)) {
        t->restart = kind == BLOCK_RESTART  ? RESTART_CALL
                     : kind == BLOCK_NOHAND ? RESTART_NOHAND
                                            : RESTART_NONE;
        t->restart_number = k->number;
        return -E_INTR;
    }
    k->verdict = BLOCKED;
    k->queue = q;
    k->deadline = deadline;
    return 0;
}

i64 forward(struct call *k, u32 to, u64 label, u64 a, u64 b, u64 c, u64 d) {
    k->verdict = FORWARDED;
    k->to = to;
    k->label = label;
    k->out[0] = a;
    k->out[1] = b;
    k->out[2] = c;
    k->out[3] = d;
    k->out[4] = k->out[5] = 0;
    return 0;
}

i64 fault_at(struct call *k, u64 address, u64 access) {
    if (k->flags & IPC_FAULTED)
        return -E_FAULT;
    err e = kern_fault_as(k->reply, address, access, k->progress);
    if (e < 0)
        return -E_FAULT;
    k->verdict = FAULTING;
    return 0;
}

i64 fault_or_short(struct call *k, u64 address, u64 access) {
    return k->flags & IPC_FAULTED && k->progress ? (i64)k->progress : fault_at(k, address, access);
}

u64 copy_in_some(struct call *k, void *to, u64 from, u64 bytes, u64 *stopped) {
    return kern_copy_in(k->reply, to, from, bytes, stopped);
}

u64 copy_out_some(struct call *k, u64 to, const void *from, u64 bytes, u64 *stopped) {
    return kern_copy_out(k->reply, to, from, bytes, stopped);
}

/* A fault's value must not be taken for success: callers return what is not 0. */
static i64 fault_result(struct call *k, u64 address, u64 access) {
    i64 r = fault_at(k, address, access);
    return r ? r : -E_RESTART;
}

i64 copy_in(struct call *k, void *to, u64 from, u64 bytes) {
    u64 stopped;
    if (kern_copy_in(k->reply, to, from, bytes, &stopped) == bytes)
        return 0;
    return fault_result(k, stopped, ACCESS_READ);
}

i64 copy_out(struct call *k, u64 to, const void *from, u64 bytes) {
    u64 stopped;
    if (kern_copy_out(k->reply, to, from, bytes, &stopped) == bytes)
        return 0;
    return fault_result(k, stopped, ACCESS_WRITE);
}

i64 copy_string(struct call *k, char *to, u64 from, u64 max) {
    u64 done = 0, stopped;
    while (done < max) {
        /* Not past the page: the string may end before an absent one. */
        u64 step = MIN(MIN(max - done, PAGE_BYTES - ((from + done) & PAGE_MASK)), 256);
        if (kern_copy_in(k->reply, to + done, from + done, step, &stopped) < step)
            return fault_result(k, stopped, ACCESS_READ);
        const char *end = memchr(to + done, 0, step);
        if (end)
            return end - to;
        done += step;
    }
    return -E_NAMETOOLONG;
}

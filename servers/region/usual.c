/* SPDX-License-Identifier: MIT */
/* The usual faults, from the message to the next wait in one function: what is mapped is decided by
 * do_usual_fault (fault.h), a frame comes from the magazine, and the answer goes with the wait. Whatever is
 * not so simple is left as it came, for the loop. */
#include <abi/layout.h>
#include <ipc/frame.h>

#include "shell.h"

/* As ipc_raw, but inline, for a caller that keeps nothing in registers over it. */
static inline __attribute__((always_inline)) void wait_inline(struct ipc_io *io) {
    register u64 w3 __asm__("r10") = io->w[3];
    register u64 w4 __asm__("r8") = io->w[4];
    register u64 w5 __asm__("r9") = io->w[5];
    register u64 label __asm__("r12") = io->label;
    register u64 r13 __asm__("r13") = io->r13;
    register u64 r14 __asm__("r14") = io->r14;
    register u64 r15 __asm__("r15") = io->r15;
    __asm__ volatile("syscall"
                     : "+D"(io->w[0]), "+S"(io->w[1]), "+d"(io->w[2]), "+r"(w3), "+r"(w4), "+r"(w5),
                       "+r"(label), "+a"(io->rax), "+b"(io->rbx), "+r"(r13), "+r"(r14), "+r"(r15)
                     :
                     : "rcx", "r11", "rbp", "memory");
    io->w[3] = w3;
    io->w[4] = w4;
    io->w[5] = w5;
    io->label = label;
    io->r13 = r13;
    io->r14 = r14;
    io->r15 = r15;
}

/* The space of a usual message: a fault, with tables in the pool, and the last answer was entered. */
static inline struct space *usual_space(const struct ipc_io *io, pfn offered) {
    const struct fault_words *f = (const struct fault_words *)io->w;
    u32 id = (u32)io->rbx;

    if (io->rax != WOKE_MESSAGE || IPC_KIND(io->r14) != MSG_FAULT || id >= SPACES_MAX)
        return NULL;
    if ((offered && !IPC_ENTERED(io->r14)) || FAULT_POOL(f->info) < TABLES_LOW)
        return NULL;
    return shell.space[id];
}

/* Turns the message in *io into the answer to it. False: it is not a usual fault; nothing has happened. */
static inline __attribute__((always_inline)) bool answer_usual(struct loop *l, u64 deadline,
                                                               struct ipc_io *io, pfn *offered) {
    const struct fault_words *f = (const struct fault_words *)io->w;
    struct space *s = usual_space(io, *offered);
    struct fault_verdict v;
    pfn taken = 0;

    if (!s || !do_usual_fault(s->mm, f, &v))
        return false;
    if (v.kind == FAULT_FILL && !(taken = v.frame = frame_pop()))
        return false;
    s->mm->faults++;
    shell.frames_out += *offered != 0;
    *offered = taken;
    l->out = OUT_ITEMS;
    l->reply = l->spare;
    io->w[0] = (f->address & ~PAGE_MASK) | v.rights;
    io->w[1] = ITEM_FRAME(v.frame, v.op);
    io->rax = SYS_fault_reply_wait | 2 << 8;
    io->rbx = l->spare;
    io->r13 = SLOT_ENDPOINT | (u64)l->spare << 32;
    io->r14 = l->recv;
    io->r15 = deadline;
    return true;
}

void wait_answering_faults(struct loop *l) {
    struct ipc_io io = l->io;
    pfn offered = l->offered;
    u64 deadline = io.r15; /* usual faults do not change it */

    do
        wait_inline(&io);
    while (answer_usual(l, deadline, &io, &offered));
    l->io = io;
    l->offered = offered;
}

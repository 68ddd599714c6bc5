/* SPDX-License-Identifier: MIT */
/* The usual faults, from the message to the next wait in one function: what is mapped is decided by
 * do_usual_fault (fault.h), a frame comes from the magazine, and the answer goes with the wait. So are calls
 * of programs that need no work at page tables. Whatever is not so simple is left as it came, for the loop. */
#include <abi/layout.h>
#include <ipc/frame.h>
#include <ipc/sys.h>

#include "shell.h"

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

/* The second half of the answer's system call. */
static inline void wait_again(const struct loop *l, u64 deadline, struct ipc_io *io) {
    io->rbx = l->spare;
    io->r13 = SLOT_ENDPOINT | (u64)l->spare << 32;
    io->r14 = l->recv;
    io->r15 = deadline;
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
    wait_again(l, deadline, io);
    return true;
}

/* The same for a program's call. False also if regions have changed, and page tables are to follow: then
 * l->begun is its space. */
static inline __attribute__((always_inline)) bool answer_program(struct loop *l, u64 deadline,
                                                                 struct ipc_io *io, pfn *offered) {
    u64 id = io->w[0];
    struct space *s = id < SPACES_MAX ? shell.space[id] : NULL;
    i64 result;

    if (io->rax != WOKE_MESSAGE || IPC_KIND(io->r14) != MSG_ALIEN || (u32)io->rbx != SRV_LINUX ||
        !is_programs(io->label) || !s || s->mm->busy || (*offered && !IPC_ENTERED(io->r14)))
        return false;
    if (!change_begin(s, io->label, io->w[1], io->w[2], io->w[3], io->w[4], &result)) {
        l->begun = s;
        return false;
    }
    released_tell();
    shell.frames_out += *offered != 0;
    *offered = 0;
    l->out = OUT_REPLY;
    l->reply = l->spare;
    io->label = (u64)MIN(result, 0);
    io->w[0] = (u64)result;
    io->rax = SYS_reply_wait | MSG_REG_WORDS << 8;
    wait_again(l, deadline, io);
    return true;
}

void wait_answering_faults(struct loop *l) {
    struct ipc_io io = l->io;
    pfn offered = l->offered;
    u64 deadline = io.r15; /* usual faults do not change it */

    do
        do
            ipc_raw_inline(&io);
        while (answer_usual(l, deadline, &io, &offered));
    while (answer_program(l, deadline, &io, &offered));
    l->io = io;
    l->offered = offered;
}

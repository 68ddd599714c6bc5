/* SPDX-License-Identifier: MIT */
/* One system call of a program, as handlers see it, and what a handler can do but return a value.
 *
 * A handler returns the result (>= 0 or -E_xxx) with verdict ANSWER, or what one of these functions returned:
 * - block: the call is kept; its handler runs again when the queue is woken, a signal comes or the time is over
 * - forward: the server of that slot answers the program itself
 * - copy_in, copy_out, copy_string: if the program's page is absent the thread faults there, and the call comes
 *   again
 *
 * `progress` is 0 at first, and what the handler left in it when the call comes again; it must describe all
 * effects that were committed. Handlers check after every call to another server what they relied on. */
#pragma once

#include "task.h"

enum verdict {
    ANSWER,    /* with the returned value */
    BLOCKED,   /* kept, on a queue */
    FORWARDED, /* another server has it */
    FAULTING,  /* the right to answer was used up: the call comes again */
    REGISTERS, /* answer with all registers as regs_write left them */
    GONE       /* the thread that called is no more; there is no one to answer */
};

struct call {
    struct task *task;
    u32 reply;
    u16 number;
    u8 flags;   /* enum msg_flag */
    u8 verdict; /* enum verdict */
    u64 progress;
    const u64 *w; /* its six words: the message's, or those that were kept */
    /* With FORWARDED. */
    u32 to; /* slot of its endpoint */
    u64 label, out[6];
    /* With BLOCKED. */
    struct wait_queue *queue;
    u64 deadline; /* TSC; 0: none */
};

/* What block() does when a signal waits to be delivered: the call ends with -EINTR, and ... */
enum block_kind {
    BLOCK_RESTART,   /* is sent again as SA_RESTART says */
    BLOCK_NOHAND,    /* is sent again if no handler runs */
    BLOCK_NORESTART, /* is not sent again */
    BLOCK_DEAF       /* it does not end */
};
i64 block(struct call *k, struct wait_queue *q, u64 deadline, enum block_kind kind);
i64 forward(struct call *k, u32 to, u64 label, u64 a, u64 b, u64 c, u64 d);

/* Memory of the program. 0, -E_FAULT, or with verdict FAULTING a value to be returned. */
i64 copy_in(struct call *k, void *to, u64 from, u64 bytes) must_check;
i64 copy_out(struct call *k, u64 to, const void *from, u64 bytes) must_check;
/* A string of at most max - 1 bytes and its 0. Its length, or also -E_NAMETOOLONG. */
i64 copy_string(struct call *k, char *to, u64 from, u64 max) must_check;
/* How many of `bytes` could be copied; fewer: *stopped says where. No fault is made. */
u64 copy_in_some(struct call *k, void *to, u64 from, u64 bytes, u64 *stopped);
u64 copy_out_some(struct call *k, u64 to, const void *from, u64 bytes, u64 *stopped);
/* Makes the caller fault at an address (access: enum access) after some progress; or -E_FAULT if that was
 * tried already. */
i64 fault_at(struct call *k, u64 address, u64 access);
/* The same for a call whose progress counts bytes: where nothing can be there, those that it has moved. */
i64 fault_or_short(struct call *k, u64 address, u64 access);

/* The handler of a number; NULL: none. `waits`: it may wait for the disk (a call to cache). */
typedef i64 (*syscall_handler)(struct call *k);
struct syscall_entry {
    syscall_handler handler;
    bool waits;
};
#define SYSCALLS_LINUX 512
extern const struct syscall_entry syscall_table[SYSCALLS_LINUX];
const char *syscall_name(u64 number);

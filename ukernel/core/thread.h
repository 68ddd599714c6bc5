/* SPDX-License-Identifier: MIT */
/* Threads. One thread lives in one frame (KIND_THREAD). Its registers lie at the very start: an interrupt
 * pushes its frame there (TSS.rsp0 points to the end of `regs`) and the system-call entry stores there, so
 * nothing is copied.
 *
 *            start                call, fault, alien call, exception            taken by a receiver
 *   STOPPED --------> READY ------------------------------------------> SENDING ------------------> CALLING
 *      ^                ^  \ reply_wait                                                                |
 *      |                |   `-----------> RECEIVING (message or bits: READY again)                     |
 *      |                `------------------------------------------- answered ------------------------'
 *      `- stop, or the endpoint it waits for goes: from every state
 *
 * READY threads are in a run queue, but for the one that runs (cpu.current). */
#pragma once

#include "mm/mm.h"

/* What an entry saves, in memory order. entry.asm and offsets.c agree. */
struct thread_regs {
    union {
        struct {
            u64 rdi, rsi, rdx, r10, r8, r9;
        };
        u64 words[MSG_REG_WORDS]; /* of a message */
    };
    u64 r15, r14, r13, r12, r11, rbp, rbx, rcx, rax;
    u64 vector, error; /* of the interrupt or exception */
    u64 rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct thread_regs) % 16 == 0, "the processor aligns an interrupt's frame to 16 bytes");

#define RFLAGS_USER 0x202 /* interrupts on, and the bit that is always set */

enum thread_state { THREAD_STOPPED, THREAD_READY, THREAD_SENDING, THREAD_CALLING, THREAD_RECEIVING };

struct thread {
    struct thread_regs regs;

    /* Identity and scheduling. */
    struct space *space;       /* NULL: not bound yet */
    u8 state;                  /* enum thread_state */
    u8 base;                   /* enum msg_kind of what a fault_as interrupted; MSG_FAULT: an instruction */
    u8 kind;                   /* SENDING, CALLING: enum msg_kind: what it waits for */
    u8 send_flags;             /* enum msg_flag of its message, but IPC_CAP */
    u8 priority;               /* enum priority */
    u8 level;                  /* the same, or 0 while something must happen first: see cpu.ready_level */
    u8 flags;                  /* enum thread_flag */
    bool attention;            /* before its next user instruction it sends EXC_INTERRUPT */
    bool by_iret;              /* entered by an interrupt, or registers were set: all of them are restored */
    u64 tag;                   /* messages of this thread carry it: in bits 32.. */
    u32 message_frame;         /* the message page, pinned; 0: none */
    u64 *message;              /* the message page in the physical map; NULL: none */
    struct link link;          /* run queue, senders or receivers of an endpoint */
    struct endpoint *endpoint; /* SENDING, RECEIVING: whose list it is on */

    /* The endpoint that it waited on last, and may wait on as long as cpu.checks is what it was. */
    u64 checked; /* 0: look it up */
    struct endpoint *waits_on;
    u32 endpoint_slot;

    /* RECEIVING: what its wait named. */
    u32 reply_slot;   /* for the next right to reply; 0: takes bits only */
    u32 receive_slot; /* for a capability; 0: none */
    u64 entered;      /* items that its fault_reply_wait entered: told with the wait's result; in bits 32.. */
    u64 serving;      /* number of the call received last */

    /* SENDING: the message. CALLING: only its number and the right to answer it. */
    u64 call;
    struct capability *right; /* names this thread, and nobody else does */
    u8 nwords;
    u32 badge;
    u32 send_slot;          /* capability to send with it; 0: none */
    u64 label;              /* if IPC_FORWARDED */
    u64 progress;           /* word of fault_as */
    u64 forward[MSG_WORDS]; /* words, if IPC_FORWARDED */

    /* A fault: address, access and flags are set when it happens, the rest when it is first delivered. */
    struct {
        vaddr address;
        u32 what;   /* access and flags, as in `info` */
        bool shown; /* delivered at least once */
        u64 info;   /* as shown */
        u64 repeats;
        struct answer answer; /* what was shown, and what the answer may do; its account is the answerer's */
    } fault;

    /* An exception. */
    struct {
        u64 kind, code, address;
    } exception;

    /* Programs only. */
    u64 fs_base;
    _Alignas(16) u8 fpu[512]; /* FXSAVE image, valid while cpu.fpu is another thread */
    char name[40];            /* for the trace and for crash reports */
};
_Static_assert(sizeof(struct thread) <= PAGE_BYTES, "a thread is one frame");

/* The number by which traces and logs know it. */
static inline u32 thread_id(const struct thread *t) {
    return (u32)virt_to_frame(t);
}

/* Make a thread of a cleared frame: STOPPED, bound to nothing. */
void thread_init(struct thread *t);

/* Before its next user instruction it must send EXC_INTERRUPT; or it has. */
void thread_attend(struct thread *t, bool attention);

/* Make it READY at its user instruction; an alien thread sends INTERRUPT first. -E_BUSY if it is not STOPPED,
 * -E_INVAL if it has no space. */
must_check err thread_start(struct thread *t);

/* Make it STOPPED from any state: its call or wait is canceled. An alien call or fault happens again if it is
 * started. */
void thread_stop(struct thread *t);

/* Bind to a space (see sys_thread_bind; message_frame: DATA frame of `account`, pinned here; 0 none). Only
 * while STOPPED or waiting for the answer to an alien call or exception, else -E_BUSY. -E_OWNER, -E_OVERRUN:
 * the message page. */
must_check err thread_bind(struct thread *t, struct space *s, u32 tag, pfn message_frame, u8 account,
                           u8 priority, u8 flags);

/* Undo the binding of a STOPPED thread: for destroy. */
void thread_unbind(struct thread *t);

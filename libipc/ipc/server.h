/* SPDX-License-Identifier: MIT */
/* The server loop: receive, dispatch, answer. A server fills a struct server and calls server_run from each
 * of its threads.
 *
 * A handler returns a status and has filled *rep: the loop answers with it, in the same system call that
 * waits for the next message. If the answer must come otherwise, the handler says so once, and its return
 * value is then ignored:
 * - ipc_keep: keep the right to answer (its slot is the caller's now; answer later with ipc_answer or another)
 * - ipc_forward_to: hand the caller on
 * - ipc_answered: the right was used up (raise, fault_as)
 * - ipc_map: answer a fault with map items
 *
 * Server threads are not time-sliced against each other: a handler runs until it waits (a call to another
 * server or to sleep). */
#pragma once

#include <abi/fault.h>
#include <ipc/sys.h>
#include <proto/proto.h>

/* One message, as a handler sees it. Valid until the handler returns, `tail` until the thread's next call or
 * wait. */
struct ipc_ctx {
    u64 call; /* the call number: id of this request in the trace */
    u64 label;
    u64 progress;   /* valid if IPC_AGAIN */
    u32 badge;      /* who: enum server_id, or the space (mm) for faults, alien calls, exceptions */
    u32 tag;        /* the sending thread's tag */
    u32 reply;      /* slot of the right to answer */
    u8 kind;        /* enum msg_kind */
    u8 flags;       /* enum msg_flag */
    u8 disposition; /* enum ipc_disposition, set through the functions below */
    u32 words;      /* how many came */
    u32 tail_words; /* of the answer: set by a handler that fills the tail; 0 before */
    u32 cap;        /* slot of the capability that came along (the handler's to keep or drop), or 0 */
    u32 send_cap;   /* slot of a capability to send with the answer, or 0 */
    u64 *tail;      /* words 6.. of this thread's message page: the request's tail, then the answer's */
    /* For ipc_forward_to and ipc_map. */
    u32 to;
    u64 forward_label;
    u64 out[MSG_WORDS];
    u32 out_words;
};
enum ipc_disposition { IPC_REPLY, IPC_KEPT, IPC_FORWARD, IPC_ANSWERED, IPC_MAP, IPC_REPLY_REGS };

/* What a quick look at a call came to. QUICK_FORWARD: it goes on to endpoint slot `to`, with its words as the
 * look left them. */
struct quick {
    u64 what;   /* QUICK_xxx */
    i64 result; /* of QUICK_ANSWER */
};
typedef struct quick (*quick_call)(u32 tag, u64 w[MSG_REG_WORDS]);
#define QUICK_CALLS              256
#define QUICK_NOT                0ull
#define QUICK_ANSWER             1ull
#define QUICK_FORWARD(to, label) ((u64)(to) << 32 | (label))

struct server {
    const char *name;
    u32 endpoint;    /* slot to receive on */
    bool takes_caps; /* a slot to receive capabilities into is named at every wait */
    /* By number, QUICK_CALLS of them or none at all: looks at an alien call that comes for the first time. One
     * that it answers or forwards costs no struct ipc_ctx. It may look things up, but not call, wake, or set a
     * deadline, and changes the words only of what it forwards. */
    const quick_call *quick;
    /* Calls; e.g. a wrapper round x_dispatch that checks c->badge. */
    err (*on_call)(struct ipc_ctx *c, u64 label, u64 *w);
    /* NULL: a message of that kind is answered -E_NOSYS and logged. w: the message's words. */
    err (*on_fault)(struct ipc_ctx *c, const struct fault_words *f);
    err (*on_alien)(struct ipc_ctx *c, u64 number,
                    u64 *w); /* return value: rax, unless the disposition says otherwise */
    err (*on_exception)(struct ipc_ctx *c, const struct exception_words *x);
    void (*on_bits)(u64 bits);
    const u64 *deadline; /* of the next wait, absolute TSC, 0: none. NULL: never */
    /* Called before each wait but those after a quick answer: refill reserves, do a slice of long work.
     * Returns true if more work is waiting (the wait only polls). */
    bool (*before_wait)(void);
};

/* Never returns. */
_Noreturn void server_run(const struct server *s);

static inline void ipc_answered(struct ipc_ctx *c) {
    c->disposition = IPC_ANSWERED;
}
/* The right to answer stays in the returned slot. */
static inline u32 ipc_keep(struct ipc_ctx *c) {
    c->disposition = IPC_KEPT;
    return c->reply;
}
/* Hand the caller on to endpoint slot `to` with label and n words; range: FORWARD_RANGE or 0; space: slot
 * with MAP or 0. */
void ipc_forward_to(struct ipc_ctx *c, u32 to, u64 label, const u64 words[MSG_REG_WORDS]);
/* Answer a fault with n items (<= FAULT_ITEMS_MAX; n 0: the thread just tries again). */
void ipc_map(struct ipc_ctx *c, const struct fault_item *items, u32 n);

/* Answer a kept right: status and up to 6 words (a tail lies in ipc_tail() already; tail_words of it). Frees
 * the slot. */
err ipc_answer(u32 reply, i64 status, const u64 *words, u32 n, u32 tail_words);
/* The same for an alien call whose result is one word (rax). */
err ipc_answer_alien(u32 reply, i64 result);
/* The same for an alien call or exception, resuming with all registers as regs_write left them. */
err ipc_answer_regs(u32 reply);
/* Answer a kept fault with items. Returns how many were entered. */
err ipc_answer_fault(u32 reply, const struct fault_item *items, u32 n);
/* Forward a kept right. */
err ipc_forward(u32 reply, u32 to, u64 label, const u64 words[MSG_REG_WORDS]);

/* Capability slots of this server: SLOT_FREE and above. 0: none left. */
u32 slot_alloc(void);
void slot_free(u32 slot);

/* This thread's message page. */
u64 *ipc_page(void);
static inline u64 *ipc_tail(void) {
    return ipc_page() + MSG_REG_WORDS;
}
static inline u64 *ipc_area(void) {
    return ipc_page() + AREA_FIRST;
}

/* The last words that ipc_call_tail brought: how many in the tail. A capability to send or receive with the
 * next call of this thread: */
u32 ipc_reply_tail_words(void);
void ipc_next_send_cap(u32 slot);
void ipc_next_recv_cap(u32 slot); /* empty slot */
bool ipc_got_cap(void);           /* of the last call */

/* Sleep on an endpoint of one's own until bits come (taken whole) or the deadline (absolute TSC; 0: none)
 * passes. */
u64 ipc_sleep(u32 endpoint, u64 deadline);

/* Threads of this server. entry runs on a stack of its own with message page `index` (1 .. SERVER_THREADS_MAX
 * - 1), at the server's priority or below. Frames come from <ipc/frame.h>. 0 or -E_NOMEM. */
err thread_spawn(u32 index, void (*entry)(void *argument), void *argument, const char *name);
u32 thread_index(void);

/* A new endpoint made of one of this server's frames; its slot, or 0. */
u32 endpoint_create(void);

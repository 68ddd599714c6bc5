/* SPDX-License-Identifier: MIT */
/* The server loop. Two slots take turns for rights to reply: the one that is answered, and the one that the
 * next message's right is to go into. A handler that keeps a right keeps its slot, and the loop takes
 * another. */
#include <ipc/assert.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <string.h>

struct loop {
    const struct server *s;
    struct ipc_io io; /* the message's words; rax, rbx, label and words of its answer */
    struct ipc_ctx ctx;
    u32 spare;  /* slot for the next right to reply */
    u32 recv;   /* slot for a capability, 0: the server takes none */
    u32 answer; /* slot of the right that is used up by the next wait: io holds the answer. 0: there is none
                 */
};

static u32 must_slot(void) {
    u32 slot = slot_alloc();
    ASSERT(slot);
    return slot;
}

void ipc_forward_to(struct ipc_ctx *c, u32 to, u64 label, const u64 words[MSG_REG_WORDS]) {
    c->disposition = IPC_FORWARD;
    c->to = to;
    c->forward_label = label;
    ipc_copy_words(c->out, words);
}

void ipc_map(struct ipc_ctx *c, const struct fault_item *items, u32 n) {
    ASSERT(n <= FAULT_ITEMS_MAX);
    c->disposition = IPC_MAP;
    c->out_words = n * 2;
    memcpy(c->out, items, n * sizeof *items);
}

/* A right that is used up leaves its slot empty: it is this thread's again. */
static void take_back(struct loop *l, u32 slot) {
    if (l->spare)
        slot_free(slot);
    else
        l->spare = slot;
}

static void prepare_reply(struct loop *l, err status) {
    struct ipc_ctx *c = &l->ctx;
    struct ipc_io *io = &l->io;
    io->label = (u64)(c->kind == MSG_CALL || status < 0 ? status : 0);
    if (status >= 0 && (u16)c->label == LABEL_ALIEN)
        io->w[0] = (u64)status; /* what rax becomes */
    io->rax = SYS_reply_wait | (u64)(MSG_REG_WORDS + c->tail_words) << 8;
    io->rbx = c->reply | (u64)c->send_cap << 32;
}

/* All but the usual answer. */
static void prepare_special(struct loop *l) {
    struct ipc_ctx *c = &l->ctx;
    struct ipc_io *io = &l->io;
    io->rbx = c->reply;
    ipc_copy_words(io->w, c->out); /* with the two that have words of their own it counts */
    switch ((enum ipc_disposition)c->disposition) {
    case IPC_REPLY_REGS:
        io->rax = SYS_reply_wait | WAIT_REGS << 16;
        break;
    case IPC_MAP:
        if (c->out_words > MSG_REG_WORDS)
            memcpy(c->tail, c->out + MSG_REG_WORDS, (c->out_words - MSG_REG_WORDS) * 8);
        io->rax = SYS_fault_reply_wait | (u64)c->out_words << 8;
        break;
    case IPC_FORWARD:
        io->label = c->forward_label;
        io->rax = SYS_forward_wait | MSG_REG_WORDS << 8;
        io->rbx |= (u64)c->to << 32;
        break;
    case IPC_ANSWERED:
        take_back(l, c->reply);
        l->answer = 0;
        break;
    case IPC_REPLY:
    case IPC_KEPT:
        l->answer = 0;
        break;
    }
}

/* What the handler wants becomes the first half of the next system call. */
static inline void prepare_answer(struct loop *l, err status) {
    l->answer = l->ctx.reply;
    if (__builtin_expect(l->ctx.disposition == IPC_REPLY, 1))
        prepare_reply(l, status);
    else
        prepare_special(l);
}

/* The second half. */
static inline void prepare_wait(struct loop *l, struct ipc_io *io) {
    const struct server *s = l->s;
    bool more = s->before_wait && s->before_wait();
    if (!l->spare)
        l->spare = must_slot();
    ipc_copy_words(io->w, l->io.w);
    io->label = l->io.label;
    io->rax = l->answer ? l->io.rax : SYS_reply_wait;
    io->rbx = l->answer ? l->io.rbx : 0;
    io->r13 = s->endpoint | (u64)l->spare << 32;
    io->r14 = l->recv;
    io->r15 = s->deadline ? *s->deadline : 0;
    if (more)
        io->rax |= WAIT_POLL << 16;
}

/* Turns a call into its answer, or its way on, and the wait for the next one, if a quick look is enough. */
static inline __attribute__((always_inline)) bool answer_quickly(struct loop *l, struct ipc_io *io) {
    const struct server *s = l->s;
    u64 w[MSG_REG_WORDS], number = io->label >> 16;
    if (io->rax != WOKE_MESSAGE || (u16)io->label != LABEL_ALIEN || IPC_FLAGS(io->r14) & IPC_AGAIN)
        return false;
    if (number >= QUICK_CALLS || !s->quick || !s->quick[number])
        return false;
    ipc_copy_words(w, io->w);
    struct quick q = s->quick[number]((u32)(io->rbx >> 32), w);
    ipc_copy_words(io->w, w);
    if (q.what == QUICK_NOT)
        return false;
    /* The right that came lies in the spare slot; the next one's goes into that of the answer before. */
    u32 next = l->answer ? l->answer : must_slot();
    l->answer = l->spare;
    l->spare = next;
    io->rax = SYS_reply_wait | MSG_REG_WORDS << 8;
    io->rbx = l->answer;
    io->r13 = s->endpoint | (u64)next << 32;
    io->r14 = l->recv;
    io->r15 = s->deadline ? *s->deadline : 0;
    if (q.what == QUICK_ANSWER) {
        io->label = (u64)MIN(q.result, 0);
        io->w[0] = (u64)q.result;
        io->w[1] = io->w[2] = io->w[3] = io->w[4] = io->w[5] = 0;
    } else {
        io->rax = SYS_forward_wait | MSG_REG_WORDS << 8;
        io->rbx |= q.what >> 32 << 32;
        io->label = (u32)q.what;
    }
    return true;
}

/* The answer itself was refused (nothing has happened): a mistake of this server, so say so, and let the
 * caller go on. */
static void answer_refused(struct loop *l, err why) {
    struct ipc_ctx *c = &l->ctx;
    ASSERT(l->answer == c->reply);
    log_line("answer to label %#lx of %u refused: %s", c->label, c->badge, err_name(why));
    err e = c->kind == MSG_FAULT ? ipc_answer_fault(c->reply, NULL, 0)
                                 : ipc_answer(c->reply, -E_PROTO, NULL, 0, 0);
    ASSERT(e >= 0);
    take_back(l, c->reply);
    l->answer = 0;
}

/* c->tail stays what it is: this thread's. */
static inline void fill_ctx(struct loop *l, const struct ipc_io *io) {
    struct ipc_ctx *c = &l->ctx;
    c->call = io->r13;
    c->label = io->label;
    c->progress = io->r15;
    c->badge = (u32)io->rbx;
    c->tag = (u32)(io->rbx >> 32);
    c->reply = l->spare;
    c->kind = (u8)IPC_KIND(io->r14);
    c->flags = (u8)IPC_FLAGS(io->r14);
    c->disposition = IPC_REPLY;
    c->words = IPC_NWORDS(io->r14);
    c->tail_words = 0;
    c->send_cap = 0;
    c->cap = 0;
    if (__builtin_expect(c->flags & IPC_CAP, 0)) {
        c->cap = l->recv;
        l->recv = must_slot();
    }
}

static err unexpected(struct ipc_ctx *c) {
    log_line("unexpected message of kind %u, label %#lx, from %u", c->kind, c->label, c->badge);
    return -E_NOSYS;
}

static inline err dispatch(struct loop *l) {
    const struct server *s = l->s;
    struct ipc_ctx *c = &l->ctx;
    u64 *w = l->io.w;
    if (c->label > 0xff && (c->label & 0xffff) != LABEL_ALIEN)
        return s->on_call ? s->on_call(c, c->label, w) : unexpected(c);
    if (c->kind == MSG_ALIEN && s->on_alien)
        return s->on_alien(c, c->label >> 16, w);
    if (c->kind == MSG_FAULT && s->on_fault)
        return s->on_fault(c, (const struct fault_words *)w);
    if (c->kind == MSG_EXCEPTION && s->on_exception)
        return s->on_exception(c, (const struct exception_words *)w);
    return unexpected(c);
}

static inline void one_message(struct loop *l) {
    struct ipc_io io; /* in registers: a quick answer touches no more than it has to */
    prepare_wait(l, &io);
    do
        ipc_raw_inline(&io);
    while (answer_quickly(l, &io));
    err woke = (err)io.rax;
    if (__builtin_expect(woke == WOKE_MESSAGE, 1)) {
        ipc_copy_words(l->io.w, io.w);
        fill_ctx(l, &io);
        l->spare = l->answer; /* used up, and empty */
        prepare_answer(l, dispatch(l));
        return;
    }
    if (woke < 0 && woke != -E_AGAIN && woke != -E_INTR) {
        answer_refused(l, woke);
        return;
    }
    if (l->answer)
        slot_free(l->answer);
    l->answer = 0;
    if (woke == WOKE_BITS && l->s->on_bits)
        l->s->on_bits(io.r15);
}

_Noreturn void server_run(const struct server *s) {
    struct loop l = {.s = s, .recv = s->takes_caps ? must_slot() : 0};
    l.ctx.tail = ipc_tail();
    for (;;)
        one_message(&l);
}

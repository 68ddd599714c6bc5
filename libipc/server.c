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
    struct ipc_io io;
    struct ipc_ctx ctx;
    u32 spare;   /* slot for the next right to reply */
    u32 recv;    /* slot for a capability, 0: the server takes none */
    bool answer; /* io holds an answer, with its call number, words, label, rbx */
};

static u32 must_slot(void) {
    u32 slot = slot_alloc();
    ASSERT(slot);
    return slot;
}

void ipc_forward_to(struct ipc_ctx *c, u32 to, u64 label, const u64 *words, u32 n, u64 range, u32 space) {
    ASSERT(n <= MSG_WORDS);
    c->disposition = IPC_FORWARD;
    c->to = to;
    c->forward_label = label;
    c->range = range;
    c->space = space;
    c->out_words = n;
    memcpy(c->out, words, n * sizeof *words);
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

static void load_out(struct loop *l) {
    struct ipc_ctx *c = &l->ctx;
    memcpy(l->io.w, c->out, sizeof l->io.w);
    if (c->out_words > MSG_REG_WORDS)
        memcpy(c->tail, c->out + MSG_REG_WORDS, (c->out_words - MSG_REG_WORDS) * 8);
}

/* What the handler wants becomes the first half of the next system call. */
static void prepare_answer(struct loop *l, err status) {
    struct ipc_ctx *c = &l->ctx;
    struct ipc_io *io = &l->io;
    l->answer = true;
    io->rbx = c->reply;
    switch ((enum ipc_disposition)c->disposition) {
    case IPC_REPLY:
        io->label = (u64)(c->kind == MSG_CALL || status < 0 ? status : 0);
        if (status >= 0 && (c->label & 0xffff) == LABEL_ALIEN)
            io->w[0] = (u64)status; /* what rax becomes */
        io->rax = SYS_reply_wait | (u64)(MSG_REG_WORDS + c->tail_words) << 8;
        io->rbx |= (u64)c->send_cap << 32;
        break;
    case IPC_REPLY_REGS:
        io->rax = SYS_reply_wait | WAIT_REGS << 16;
        break;
    case IPC_MAP:
        load_out(l);
        io->rax = SYS_fault_reply_wait | (u64)c->out_words << 8;
        break;
    case IPC_FORWARD:
        load_out(l);
        io->label = c->forward_label;
        io->rax = SYS_forward_wait | (u64)MAX(c->out_words, MSG_REG_WORDS) << 8 | c->range;
        io->rbx |= (u64)c->to << 32;
        break;
    case IPC_ANSWERED:
    case IPC_KEPT:
        l->answer = false;
        break;
    }
}

static void wait_for_message(struct loop *l) {
    const struct server *s = l->s;
    struct ipc_io *io = &l->io;
    bool more = s->before_wait && s->before_wait();
    if (!l->spare)
        l->spare = must_slot();
    if (!l->answer) {
        io->rax = SYS_reply_wait;
        io->rbx = 0;
    }
    io->rax |= more ? WAIT_POLL << 16 : 0;
    io->r13 = s->endpoint | (u64)l->spare << 32;
    io->r14 = l->recv;
    if (l->answer && l->ctx.disposition == IPC_FORWARD)
        io->r14 |= (u64)l->ctx.space << 32;
    io->r15 = s->deadline ? s->deadline() : 0;
    ipc_raw(io);
}

/* The answer itself was refused (nothing has happened): a mistake of this server, so say so, and let the
 * caller go on. */
static void answer_refused(struct loop *l) {
    struct ipc_ctx *c = &l->ctx;
    log_line("answer to label %#lx of %u refused: %s", c->label, c->badge, err_name((err)l->io.rax));
    err e = c->kind == MSG_FAULT ? ipc_answer_fault(c->reply, NULL, 0)
                                 : ipc_answer(c->reply, -E_PROTO, NULL, 0, 0);
    ASSERT(e >= 0);
    take_back(l, c->reply);
    l->answer = false;
}

static void fill_ctx(struct loop *l) {
    struct ipc_io *io = &l->io;
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
    c->tail = ipc_tail();
    if (c->flags & IPC_CAP) {
        c->cap = l->recv;
        l->recv = must_slot();
    }
    l->spare = 0;
}

static err unexpected(struct ipc_ctx *c) {
    log_line("unexpected message of kind %u, label %#lx, from %u", c->kind, c->label, c->badge);
    return -E_NOSYS;
}

static err dispatch(struct loop *l) {
    const struct server *s = l->s;
    struct ipc_ctx *c = &l->ctx;
    u64 *w = l->io.w;
    if (c->label > 0xff && (c->label & 0xffff) != LABEL_ALIEN)
        return s->on_call ? s->on_call(c, c->label, w) : unexpected(c);
    if (c->kind == MSG_FAULT && s->on_fault)
        return s->on_fault(c, (const struct fault_words *)w);
    if (c->kind == MSG_ALIEN && s->on_alien)
        return s->on_alien(c, c->label >> 16, w);
    if (c->kind == MSG_EXCEPTION && s->on_exception)
        return s->on_exception(c, (const struct exception_words *)w);
    return unexpected(c);
}

/* A message answered by the hook: its right lies in the spare slot, and the next one's goes into the slot of
 * the answer before, or into a fresh one. */
static bool answer_quickly(struct loop *l) {
    u64 flags = IPC_FLAGS(l->io.r14);
    if (!l->s->quick || (flags & IPC_CAP) || !l->s->quick(&l->io))
        return false;
    u32 next = l->answer ? l->ctx.reply : 0;
    l->ctx.reply = l->spare;
    l->ctx.disposition = IPC_REPLY;
    l->spare = next;
    l->answer = true;
    l->io.rbx = l->ctx.reply;
    l->io.rax = SYS_reply_wait | MSG_REG_WORDS << 8;
    return true;
}

static void one_message(struct loop *l) {
    wait_for_message(l);
    err woke = (err)l->io.rax;
    if (woke == WOKE_MESSAGE && answer_quickly(l))
        return;
    if (woke < 0 && woke != -E_AGAIN && woke != -E_INTR) {
        ASSERT(l->answer);
        answer_refused(l);
        return;
    }
    u32 used_up = l->answer ? l->ctx.reply : 0;
    l->answer = false;
    if (woke == WOKE_MESSAGE)
        fill_ctx(l);
    if (used_up)
        take_back(l, used_up);
    if (woke == WOKE_MESSAGE) {
        prepare_answer(l, dispatch(l));
        if (l->ctx.disposition == IPC_ANSWERED)
            take_back(l, l->ctx.reply);
    } else if (woke == WOKE_BITS && l->s->on_bits) {
        l->s->on_bits(l->io.r15);
    }
}

_Noreturn void server_run(const struct server *s) {
    struct loop l = {.s = s, .recv = s->takes_caps ? must_slot() : 0};
    for (;;)
        one_message(&l);
}

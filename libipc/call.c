/* SPDX-License-Identifier: MIT */
/* The client side of a call, and answers given outside of the server loop. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/server.h>
#include <string.h>

/* What one thread's next call takes along, and what its last one brought. */
static struct {
    u32 send_cap, recv_cap, tail_words;
    bool got_cap;
} threads[SERVER_THREADS_MAX];

void ipc_next_send_cap(u32 slot) {
    threads[thread_index()].send_cap = slot;
}
void ipc_next_recv_cap(u32 slot) {
    threads[thread_index()].recv_cap = slot;
}
bool ipc_got_cap(void) {
    return threads[thread_index()].got_cap;
}
u32 ipc_reply_tail_words(void) {
    return threads[thread_index()].tail_words;
}

static err transfer(struct ipc_io *io, u32 to, u64 label, u32 words, u64 *out, u32 n_out) {
    u32 me = thread_index();
    io->label = label;
    io->rax = SYS_call | (u64)words << 8;
    io->rbx = to;
    io->r13 = threads[me].send_cap | (u64)threads[me].recv_cap << 32;
    threads[me].send_cap = threads[me].recv_cap = 0;
    ipc_raw(io);
    if ((err)io->rax < 0)
        return (err)io->rax;
    u32 n = IPC_NWORDS(io->r14);
    threads[me].tail_words = n > MSG_REG_WORDS ? n - MSG_REG_WORDS : 0;
    threads[me].got_cap = io->r14 & IPC_CAP << 16;
    if ((i64)io->label >= 0)
        for (u32 i = 0; i < n_out; i++)
            out[i] = io->w[i];
    return (err)io->label;
}

err ipc_call_words(u32 to, u64 label, const u64 *in, u32 n_in, u64 *out, u32 n_out) {
    struct ipc_io io = {0};
    for (u32 i = 0; i < n_in; i++)
        io.w[i] = in[i];
    return transfer(&io, to, label, n_in, out, n_out);
}

err ipc_call_tail(u32 to, u64 label, const u64 *in, u32 tail_words, u64 *out, u32 n_out) {
    struct ipc_io io = {0};
    ASSERT(tail_words <= MSG_TAIL_WORDS);
    for (u32 i = 0; i < MSG_REG_WORDS; i++)
        io.w[i] = in[i];
    return transfer(&io, to, label, MSG_REG_WORDS + tail_words, out, n_out);
}

err ipc_answer(u32 reply, i64 status, const u64 *words, u32 n, u32 tail_words) {
    struct ipc_io io = {.label = (u64)status, .rbx = reply};
    for (u32 i = 0; i < n; i++)
        io.w[i] = words[i];
    io.rax = SYS_reply_wait | (u64)(MSG_REG_WORDS + tail_words) << 8;
    ipc_raw(&io);
    return (err)io.rax < 0 ? (err)io.rax : 0;
}

err ipc_answer_regs(u32 reply) {
    struct ipc_io io = {.rbx = reply, .rax = SYS_reply_wait | WAIT_REGS << 16};
    ipc_raw(&io);
    return (err)io.rax < 0 ? (err)io.rax : 0;
}

/* Words 0..5 of a message into registers, the rest into the message page. */
static void load_words(struct ipc_io *io, const u64 *words, u32 n) {
    for (u32 i = 0; i < MSG_REG_WORDS && i < n; i++)
        io->w[i] = words[i];
    if (n > MSG_REG_WORDS)
        memcpy(ipc_tail(), words + MSG_REG_WORDS, (n - MSG_REG_WORDS) * 8);
}

err ipc_answer_fault(u32 reply, const struct fault_item *items, u32 n) {
    struct ipc_io io = {.rbx = reply};
    ASSERT(n <= FAULT_ITEMS_MAX);
    load_words(&io, (const u64 *)items, n * 2);
    io.rax = SYS_fault_reply_wait | (u64)n * 2 << 8;
    ipc_raw(&io);
    return (err)io.rax < 0 ? (err)io.rax : (err)IPC_ENTERED(io.r14);
}

err ipc_forward(u32 reply, u32 to, u64 label, const u64 *words, u32 n, u64 range, u32 space) {
    struct ipc_io io = {.label = label, .rbx = reply | (u64)to << 32, .r14 = (u64)space << 32};
    load_words(&io, words, n);
    io.rax = SYS_forward_wait | (u64)MAX(n, MSG_REG_WORDS) << 8 | range;
    ipc_raw(&io);
    return (err)io.rax < 0 ? (err)io.rax : 0;
}

u64 ipc_sleep(u32 endpoint, u64 deadline) {
    for (;;) {
        struct ipc_io io = {.r13 = endpoint, .r15 = deadline, .rax = SYS_reply_wait};
        ipc_raw(&io);
        if ((err)io.rax == WOKE_BITS)
            return io.r15;
        ASSERT((err)io.rax == -E_INTR); /* nobody else has a right to call this endpoint */
    }
}

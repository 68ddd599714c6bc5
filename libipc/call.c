/* SPDX-License-Identifier: MIT */
/* The client side of a call, and answers given outside of the server loop. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/rank.h>
#include <ipc/server.h>
#include <ipc/space.h>
#include <string.h>

/* What one thread's next call takes along, and how its last answer came. */
static struct {
    u64 caps; /* slot to send | slot to receive into << 32 */
    u64 came; /* r14 */
} threads[SERVER_THREADS_MAX];

void ipc_next_send_cap(u32 slot) {
    u64 *caps = &threads[thread_index()].caps;
    *caps = *caps >> 32 << 32 | slot;
}
void ipc_next_recv_cap(u32 slot) {
    u64 *caps = &threads[thread_index()].caps;
    *caps = (u32)*caps | (u64)slot << 32;
}
bool ipc_got_cap(void) {
    return IPC_FLAGS(threads[thread_index()].came) & IPC_CAP;
}
u32 ipc_reply_tail_words(void) {
    u32 n = IPC_NWORDS(threads[thread_index()].came);
    return n > MSG_REG_WORDS ? n - MSG_REG_WORDS : 0;
}

/* The first n words, one by one: a loop costs more than the call's other registers. */
static inline void take_words(u64 *to, const u64 *from, u32 n) {
    switch (n) {
    case 6:
        to[5] = from[5]; /* fall through */
    case 5:
        to[4] = from[4]; /* fall through */
    case 4:
        to[3] = from[3]; /* fall through */
    case 3:
        to[2] = from[2]; /* fall through */
    case 2:
        to[1] = from[1]; /* fall through */
    case 1:
        to[0] = from[0];
    }
}

/* `words` of them go out; n_in of those in registers are given, and n_out of the answer's wanted. */
static inline err transfer(u32 to, u64 label, u32 words, const u64 *in, u32 n_in, u64 *out, u32 n_out) {
    DEBUG_ASSERT(call_goes_down(server_id, to));
    u32 me = thread_index();
    struct ipc_io io = {
        .label = label, .rax = SYS_call | (u64)words << 8, .rbx = to, .r13 = threads[me].caps};
    threads[me].caps = 0;
    take_words(io.w, in, n_in);
    ipc_raw_inline(&io);
    if ((err)io.rax < 0)
        return (err)io.rax;
    threads[me].came = io.r14;
    if ((i64)io.label >= 0)
        take_words(out, io.w, n_out);
    return (err)io.label;
}

err ipc_call_words(u32 to, u64 label, const u64 *in, u32 n_in, u64 *out, u32 n_out) {
    return transfer(to, label, n_in, in, n_in, out, n_out);
}

err ipc_call_tail(u32 to, u64 label, const u64 *in, u32 tail_words, u64 *out, u32 n_out) {
    ASSERT(tail_words <= MSG_TAIL_WORDS);
    return transfer(to, label, MSG_REG_WORDS + tail_words, in, MSG_REG_WORDS, out, n_out);
}

err ipc_answer(u32 reply, i64 status, const u64 *words, u32 n, u32 tail_words) {
    struct ipc_io io = {.label = (u64)status, .rbx = reply};
    for (u32 i = 0; i < n; i++)
        io.w[i] = words[i];
    io.rax = SYS_reply_wait | (u64)(MSG_REG_WORDS + tail_words) << 8;
    ipc_raw(&io);
    return (err)io.rax < 0 ? (err)io.rax : 0;
}

err ipc_answer_alien(u32 reply, i64 result) {
    struct ipc_io io = {.label = (u64)(result < 0 ? result : 0),
                        .rbx = reply,
                        .rax = SYS_reply_wait | MSG_REG_WORDS << 8,
                        .w = {(u64)result}};
    ipc_raw_inline(&io);
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

err ipc_forward(u32 reply, u32 to, u64 label, const u64 words[MSG_REG_WORDS]) {
    struct ipc_io io = {
        .label = label, .rbx = reply | (u64)to << 32, .rax = SYS_forward_wait | MSG_REG_WORDS << 8};
    ipc_copy_words(io.w, words);
    ipc_raw_inline(&io);
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

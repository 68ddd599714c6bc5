/* SPDX-License-Identifier: MIT */
/* region: memory descriptors, regions, faults. One thread, one loop of its own (not libipc's), because the
 * answer to a fault tells whether the offered frame was entered, and because faults come first: an answer and
 * the wait for the next message are one system call. Calls in slices go on when the pump lends its turn. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <ipc/slab.h>
#include <ipc/space.h>
#include <proto/bits.h>
#include <proto/limits.h>

#include "object.h"
#include "shell.h"

struct shell shell;

static u32 must_slot(void) {
    u32 slot = slot_alloc();
    ASSERT(slot);
    return slot;
}

static void on_bits(u64 bits) {
    if (bits & BIT(BIT_COLLECT))
        while (collect_some()) {
        }
    if (bits & BIT(BIT_DRAIN))
        kmem_cache_drain();
    if (bits & BIT(BIT_MEMORY_LOW))
        kmem_cache_reap();
    if (bits & (BIT(BIT_DRAIN) | BIT(BIT_MEMORY_LOW))) {
        zeroed_drain();
        drain_magazines();
    }
    if (bits & BIT(BIT_MEMORY_BACK))
        unpark_memory();
    if (bits & BIT(DEADLINE_BIT)) {
        u64 now = __builtin_ia32_rdtsc();
        if (shell.oom_deadline && shell.oom_deadline <= now)
            out_of_memory();
        if (shell.slice_deadline && shell.slice_deadline <= now)
            (void)works_slice();
    }
}

/* The next deadline of any kind; 0: none. */
static u64 next_deadline(void) {
    if (!shell.slice_deadline || !shell.oom_deadline)
        return shell.slice_deadline | shell.oom_deadline;
    return MIN(shell.slice_deadline, shell.oom_deadline);
}

/* The right to answer is kept; another slot takes the next one. */
static u32 keep(struct loop *l) {
    l->spare = must_slot();
    l->out = OUT_NONE;
    return l->reply;
}

static void answer(struct loop *l, err status, u32 tail_words, u32 send_cap) {
    l->out = OUT_REPLY;
    l->io.label = (u64)status;
    l->io.rax = SYS_reply_wait | (u64)(MSG_REG_WORDS + tail_words) << 8;
    l->space = send_cap;
}

/* The pump lends its turn: a slice, and the answer if there is work for another one. */
static void on_pump(struct loop *l) {
    if (works_slice())
        answer(l, 0, 0, 0);
    else
        shell.pump = keep(l);
}

/* A call of linux, or one of a program that it forwarded: the answer is prepared, or comes later. */
static void on_call(struct loop *l) {
    struct ipc_ctx c; /* not cleared: its room for a forwarded message, which no call needs, is large */
    c.call = l->io.r13;
    c.label = l->io.label;
    c.badge = (u32)l->io.rbx;
    c.reply = l->reply;
    c.kind = (u8)IPC_KIND(l->io.r14);
    c.disposition = IPC_REPLY;
    c.words = IPC_NWORDS(l->io.r14);
    c.tail_words = c.cap = c.send_cap = 0;
    c.tail = ipc_tail();
    if (IPC_FLAGS(l->io.r14) & IPC_CAP) {
        c.cap = l->recv;
        l->recv = must_slot();
    }
    err status =
        l->begun ? work_start(&c, l->begun, WORK_CHANGE, NULL, l->io.w) : call_dispatch(&c, c.label, l->io.w);
    l->begun = NULL;
    if (c.cap) { /* nobody kept it */
        (void)!sys_cap_drop(SLOT_TABLE, c.cap);
        slot_free(c.cap);
    }
    if (c.disposition == IPC_KEPT)
        (void)keep(l);
    else
        answer(l, status, c.tail_words, c.send_cap);
}

static void on_message(struct loop *l) {
    l->reply = l->spare;
    switch (IPC_KIND(l->io.r14)) {
    case MSG_FAULT:
        fault_handle(l);
        return;
    case MSG_CALL:
    case MSG_ALIEN:
        if (l->io.label == LABEL_PUMP && (u32)l->io.rbx == SRV_NONE)
            on_pump(l);
        else
            on_call(l);
        return;
    default:
        log_line("unexpected message of kind %lu", IPC_KIND(l->io.r14));
        answer(l, -E_NOSYS, 0, 0);
    }
}

/* The answer was refused, and nothing has happened: the faulting thread tries again, the caller is told. */
static void refused(struct loop *l, err e) {
    log_line("an answer was refused: %s", err_name(e));
    if (l->offered) {
        __free_page(l->offered);
        l->offered = 0;
    }
    if (l->out == OUT_REPLY)
        e = ipc_answer(l->reply, -E_PROTO, NULL, 0, 0);
    else
        e = ipc_answer_fault(l->reply, NULL, 0);
    ASSERT(e >= 0);
    l->out = OUT_NONE;
}

/* Sends the answer, if there is one, and waits for the next message that is not a usual fault. True if it is
 * one, and not bits alone. */
static bool answer_and_wait(struct loop *l) {
    struct ipc_io *io = &l->io;
    io->rbx = l->reply;
    io->r14 = l->recv;
    if (l->out == OUT_NONE) {
        io->rax = SYS_reply_wait;
        io->rbx = 0;
    } else if (l->out == OUT_FORWARD) {
        io->rbx |= (u64)SERVICE(SRV_CACHE) << 32;
        io->r14 |= (u64)l->space << 32;
    } else if (l->out == OUT_REPLY) {
        io->rbx |= (u64)l->space << 32;
    }
    io->r13 = SLOT_ENDPOINT | (u64)l->spare << 32;
    io->r15 = next_deadline();
    wait_answering_faults(l);
    err woke = (err)io->rax;
    if (woke < 0 && woke != -E_INTR) {
        refused(l, woke);
        return false;
    }
    if (l->offered)
        fault_answered(l, woke == -E_INTR ? 1 : IPC_ENTERED(io->r14));
    l->out = OUT_NONE;
    if (woke == WOKE_BITS)
        on_bits(io->r15);
    return woke == WOKE_MESSAGE;
}

static _Noreturn void run(void) {
    struct loop l = {.spare = must_slot(), .recv = must_slot()};
    for (;;)
        if (answer_and_wait(&l))
            on_message(&l);
}

static void make_caches(void) {
    struct vm_context *ctx = &shell.ctx;
    ctx->mm_cachep = kmem_cache_create("mm_struct", sizeof(struct mm_struct), 0, 0, NULL, NULL);
    ctx->vm_area_cachep =
        kmem_cache_create("vm_area_struct", sizeof(struct vm_area_struct), 0, 0, NULL, NULL);
    ctx->object_cachep = kmem_cache_create("vm_object", sizeof(struct vm_object), 0, 0, NULL, NULL);
    shell.space_cachep = kmem_cache_create("vm_space", sizeof(struct space), 0, 0, NULL, NULL);
    shell.deferred_cachep = kmem_cache_create("vm_deferred", sizeof(struct deferred), 0, 0, NULL, NULL);
    ASSERT(ctx->mm_cachep && ctx->vm_area_cachep && ctx->object_cachep);
    ASSERT(shell.space_cachep && shell.deferred_cachep);
}

static void make_context(void) {
    vm_context_init(&shell.ctx);
    vaddr zeroes = get_free_page(GFP_KERNEL);
    ASSERT(zeroes);
    shell.ctx.zero_page = virt_to_pfn((void *)zeroes);
    kunmap(shell.ctx.zero_page);
    struct frame_record *record = (struct frame_record *)ipc_area();
    ipc_area()[0] = shell.ctx.zero_page;
    err e = sys_frames_list(1, 0);
    ASSERT(e >= 0);
    shell.ctx.account = (u8)ACCOUNT_OF(record->id);
    for (u32 i = 0; i < ARRAY_LEN(shell.badge_slots); i++)
        shell.badge_slots[i] = must_slot();
    shell.next_id = 1;
    TAILQ_INIT(&shell.works);
}

#define OWN_SLOTS 64 /* for rights that the loop turns over, and calls under way */

int main(void) {
    log_name("region");
    ASSERT(server_slots >= SLOT_FREE + SPACES_MAX + TASKS_MAX + OWN_SLOTS);
    err e = frame_client_init();
    ASSERT(e == 0);
    e = kmem_cache_init();
    ASSERT(e == 0);
    e = sys_account_bind(SLOT_ACCOUNT, SLOT_ENDPOINT, BIT_COLLECT);
    ASSERT(e == 0);
    make_caches();
    make_context();
    kernel_init();
    pump_start();
    run();
}

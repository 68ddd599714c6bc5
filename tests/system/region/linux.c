/* SPDX-License-Identifier: MIT */
/* A client of region in the place of linux: makes spaces, starts a little program in them (program.c), forks
 * it, and ends it. Every process checks its memory; the frames that are free before and after must be as
 * many. Ends the run with status 0, or dies of an assertion. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <ipc/slab.h>
#include <proto/bits.h>
#include <proto/frame.def>
#include <proto/region.def>
#include <string.h>

#include "program.h"

enum { PROCESSES = 8, ROUNDS = 3 };
enum { PROT_RW = 3, PROT_RX = 5, MAP_PRIVATE_ANON = 0x22, MAP_FIXED = 0x10, MAP_GROWSDOWN = 0x100 };

static struct process {
    u32 mm, space, thread, parent; /* parent + 1; 0: none */
    pfn frame;
    bool alive;
    struct user_regs regs; /* what it starts with */
} processes[PROCESSES];

static u32 alive, rounds, faulted;
static u64 free_frames[ROUNDS + 1];

#define REGION SERVICE(SRV_REGION)

static u64 frames_free(void) {
    struct frame_drain_rep none;
    struct frame_memory_rep memory;
    kmem_cache_drain();
    err e = frame_drain(SERVICE(SRV_FRAME), &(struct frame_drain_req){0}, &none);
    ASSERT(e == 0);
    drain_magazines();
    e = frame_memory(SERVICE(SRV_FRAME), &(struct frame_memory_req){0}, &memory);
    ASSERT(e == 0);
    return memory.free;
}

static void map(u32 mm, vaddr address, u64 bytes, u64 prot, u64 flags) {
    struct region_mmap_rep rep;
    u64 prot_flags = prot | 7ull << 24 | (MAP_PRIVATE_ANON | MAP_FIXED | flags) << 32;
    struct region_mmap_req req = {.mm = mm, .addr = address, .bytes = bytes, .prot_flags = prot_flags};
    err e = region_mmap(REGION, &req, 0, &rep);
    ASSERT(e == 0 && rep.addr == address);
}

static struct process *new_process(void) {
    for (u32 i = 0; i < PROCESSES; i++)
        if (!processes[i].alive) {
            processes[i] = (struct process){.space = slot_alloc(), .thread = slot_alloc(), .alive = true};
            return &processes[i];
        }
    ASSERT(!"too many processes");
    return NULL;
}

static void start(struct process *p) {
    p->frame = alloc_page(GFP_HIGHUSER);
    ASSERT(p->frame);
    err e = sys_retype(p->frame, 1, KIND_THREAD, p->thread);
    ASSERT(e == 0);
    e = sys_thread_bind(p->thread, p->space, (u32)(p - processes), 0, PRIO_PROGRAM, THREAD_ALIEN);
    ASSERT(e == 0);
    e = sys_start(p->thread);
    ASSERT(e == 0);
    alive++;
}

static void first_process(void) {
    struct process *p = new_process();
    struct region_create_rep rep;
    ipc_next_recv_cap(p->space);
    err e = region_create(REGION, &(struct region_create_req){0}, &rep);
    ASSERT(e == 0 && ipc_got_cap());
    p->mm = (u32)rep.mm;
    map(p->mm, PROGRAM_TEXT, 4 * PAGE_BYTES, PROT_RW, 0);
    map(p->mm, PROGRAM_DATA, DATA_PAGES * PAGE_BYTES, PROT_RW, 0);
    map(p->mm, PROGRAM_STACK - 2 * PAGE_BYTES, 2 * PAGE_BYTES, PROT_RW, MAP_GROWSDOWN);
    start(p);
}

static void fork_process(struct process *p, u64 resume_at) {
    struct process *child = new_process();
    struct region_fork_rep rep;
    ipc_next_recv_cap(child->space);
    err e = region_fork(REGION, &(struct region_fork_req){p->mm}, &rep);
    ASSERT(e == 0 && ipc_got_cap());
    child->mm = (u32)rep.mm;
    child->parent = (u32)(p - processes) + 1;
    (void)resume_at;
    err r = sys_regs_read(p->thread, REGS_GENERAL);
    ASSERT(r >= 0);
    memcpy(&child->regs, ipc_area(), 160);
    child->regs.rax = 0;
    start(child);
}

static void end_round(void) {
    free_frames[rounds] = frames_free();
    log_raw("region-test: round %u: %lu frames free", rounds, free_frames[rounds]);
    if (rounds++ == ROUNDS) {
        ASSERT(free_frames[ROUNDS] == free_frames[ROUNDS - 1]);
        ASSERT(faulted == 2 * (ROUNDS + 1));
        log_raw("region-test: all rounds done");
        sys_notify(SERVICE(SRV_ROOT), ROOT_EXIT(0));
        return;
    }
    first_process();
}

static void end_process(struct process *p) {
    struct region_exit_rep rep;
    err e = sys_destroy(p->thread);
    ASSERT(e == 0);
    __free_page(p->frame);
    e = sys_cap_drop(SLOT_TABLE, p->space);
    ASSERT(e == 0);
    e = region_exit(REGION, &(struct region_exit_req){p->mm}, 0, &rep);
    ASSERT(e == 0 && rep.released == 0);
    slot_free(p->space);
    slot_free(p->thread);
    p->alive = false;
    if (--alive == 0)
        end_round();
}

static err on_alien(struct ipc_ctx *c, u64 number, u64 *w) {
    struct process *p = &processes[c->tag];
    struct region_mprotect_rep protect_rep;
    struct region_munmap_rep unmap_rep;
    struct region_brk_rep brk_rep;
    switch (number) {
    case CALL_CHECK:
        log_raw("region-test: process %u: step %lu: %s at %#lx (%#lx)", c->tag, w[0], w[1] ? "WRONG" : "ok",
                w[2], w[3]);
        ASSERT(w[1] == 0);
        return 0;
    case CALL_TICKS:
        log_raw("region-test: ticks: anonymous %lu, zero page %lu, copy %lu, upgrade %lu", w[0], w[1], w[2],
                w[3]);
        return 0;
    case CALL_FORK:
        fork_process(p, 0);
        return 1;
    case CALL_PROTECT:
        return region_mprotect(REGION, &(struct region_mprotect_req){p->mm, w[0], w[1], w[2]}, &protect_rep);
    case CALL_UNMAP:
        return region_munmap(REGION, &(struct region_munmap_req){p->mm, w[0], w[1]}, &unmap_rep);
    case CALL_BRK: {
        err e = region_brk(REGION, &(struct region_brk_req){p->mm, w[0]}, &brk_rep);
        return e < 0 ? e : (err)brk_rep.brk;
    }
    case CALL_EXIT:
        ipc_answered(c);
        end_process(p);
        return 0;
    default:
        return -E_NOSYS;
    }
}

/* The program's code is written under the first exception's right to reply, as exec does. */
static bool load(struct ipc_ctx *c, struct process *p) {
    struct pair r = sys_copy(c->reply, PROGRAM_TEXT, SLOT_SPACE, (u64)program, PROGRAM_BYTES);
    ASSERT(r.r >= 0);
    if (r.r < PROGRAM_BYTES) {
        err e = sys_fault_as(c->reply, PROGRAM_TEXT + (u64)r.r, ACCESS_WRITE, 0);
        ASSERT(e == 0);
        ipc_answered(c);
        return false;
    }
    p->regs = (struct user_regs){.rip = PROGRAM_TEXT, .rsp = PROGRAM_STACK - 8, .rflags = 0x202};
    struct region_mprotect_rep rep;
    err e = region_mprotect(
        REGION, &(struct region_mprotect_req){p->mm, PROGRAM_TEXT, 4 * PAGE_BYTES, PROT_RX}, &rep);
    ASSERT(e == 0);
    struct region_layout layout = {.start_brk = PROGRAM_HEAP,
                                   .start_stack = PROGRAM_STACK,
                                   .limit_data = ~0ull,
                                   .limit_stack = 8ull << 20,
                                   .limit_as = ~0ull};
    struct region_layout_rep none;
    memcpy(ipc_tail(), &layout, sizeof layout);
    e = region_layout(REGION, &(struct region_layout_req){p->mm}, sizeof layout / 8, &none);
    ASSERT(e == 0);
    return true;
}

/* The program expects two faults: it says where it goes on in rbx. */
static void on_raise(struct process *p, const struct exception_words *x) {
    struct user_regs *regs = (struct user_regs *)ipc_area();
    u64 expected_code = x->address == PROGRAM_NOWHERE ? RAISE_CODE(11, 1) : RAISE_CODE(11, 2);
    ASSERT(x->code == expected_code);
    err r = sys_regs_read(p->thread, REGS_GENERAL);
    ASSERT(r >= 0);
    memcpy(&p->regs, regs, 160);
    p->regs.rip = p->regs.rbx;
    p->regs.rax = x->address;
    faulted += !p->parent;
}

static err on_exception(struct ipc_ctx *c, const struct exception_words *x) {
    struct process *p = &processes[c->tag];
    if (x->kind == EXC_INTERRUPT) {
        if (!p->parent && !load(c, p))
            return 0;
    } else if (x->kind == EXC_RAISE) {
        on_raise(p, x);
    } else {
        log_raw("region-test: exception %lu code %#lx ip %#lx", x->kind, x->code, x->ip);
        ASSERT(!"an exception of the processor");
    }
    memcpy(ipc_area(), &p->regs, 160);
    err r = sys_regs_write(p->thread, REGS_GENERAL);
    ASSERT(r >= 0);
    c->disposition = IPC_REPLY_REGS;
    return 0;
}

static void on_bits(u64 bits) {
    if (bits & BIT(BIT_DRAIN)) {
        kmem_cache_drain();
        drain_magazines();
    }
}

int main(void) {
    static const struct server linux = {.name = "region-test",
                                        .endpoint = SLOT_ENDPOINT,
                                        .on_alien = on_alien,
                                        .on_exception = on_exception,
                                        .on_bits = on_bits};
    struct region_attach_rep none;
    log_name(linux.name);
    err e = frame_client_init();
    ASSERT(e == 0);
    e = kmem_cache_init();
    ASSERT(e == 0);
    ipc_next_send_cap(SLOT_ENDPOINT);
    e = region_attach(REGION, &(struct region_attach_req){0}, &none);
    ASSERT(e == 0);
    first_process();
    server_run(&linux);
}

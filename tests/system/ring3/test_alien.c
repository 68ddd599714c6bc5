/* SPDX-License-Identifier: MIT */
/* A program whose SYSCALLs become messages; this thread is its personality and its pager. */
#include "ring3.h"

#define CODE   0x10000000ull
#define BUFFER 0x10200000ull

static u32 system_calls, pager, space, thread, reply_slot;

/* syscall; jmp back */
static const u8 call_loop[] = {0x0f, 0x05, 0xeb, 0xfc};
static const u8 spin_loop[] = {0xeb, 0xfe};

static struct user_regs *area_regs(void) {
    return (struct user_regs *)AREA;
}

static int begin(const u8 *code, u64 bytes) {
    space = space_make();
    thread = slot_get();
    CHECK(space && sys_retype(frame_get(), 1, KIND_THREAD, thread) == 0);
    CHECK(sys_space_bind(space, pager, system_calls, system_calls, 0, 0, 0) == 0);
    pfn page = frame_get();
    u8 *p = window(page);
    for (u64 i = 0; i < bytes; i++)
        p[i] = code[i];
    CHECK(map_page(space, CODE, page, MAP_READ | MAP_EXEC) == 0);
    CHECK(sys_thread_bind(thread, space, 6, 0, PRIO_PROGRAM, THREAD_ALIEN) == 0 && sys_start(thread) == 0);
    struct ipc_io io = wait_on(system_calls, reply_slot); /* a new thread's first message */
    CHECK(io.rax == WOKE_MESSAGE && IPC_KIND(io.r14) == MSG_EXCEPTION && io.w[0] == EXC_INTERRUPT);
    *area_regs() = (struct user_regs){.rip = CODE,
                                      .rsp = BUFFER,
                                      .rax = 39,
                                      .rdi = 1,
                                      .rsi = 2,
                                      .rdx = 3,
                                      .r10 = 4,
                                      .r8 = 5,
                                      .r9 = 6,
                                      .rbx = 7,
                                      .fs_base = 0x1000};
    CHECK(sys_regs_write(thread, REGS_GENERAL) == 0);
    CHECK(answer(reply_slot, 0, 0) == WOKE_BITS);
    return 0;
}

static int end(void) {
    CHECK(sys_stop(thread) == 0 && sys_destroy(thread) == 0);
    err e;
    while ((e = sys_destroy(space)) == -E_AGAIN)
        ;
    return e ? __LINE__ : 0;
}

static int call_becomes_message(void) {
    CHECK(begin(call_loop, sizeof call_loop) == 0);
    struct ipc_io io = wait_on(system_calls, reply_slot);
    CHECK(io.rax == WOKE_MESSAGE && IPC_KIND(io.r14) == MSG_ALIEN && io.label == (LABEL_ALIEN | 39 << 16));
    for (u64 i = 0; i < 6; i++)
        CHECK(io.w[i] == i + 1);
    CHECK((u32)io.rbx == 9 && io.rbx >> 32 == 6 && io.r15 == 0);
    io = answer_wait(reply_slot, 0, 1000, system_calls, reply_slot); /* rax = 1000: the next call's number */
    CHECK(io.rax == WOKE_MESSAGE && io.label == (LABEL_ALIEN | 1000 << 16) && io.w[5] == 6);
    io = answer_wait(reply_slot, (u64)-E_NOSYS, 5, system_calls, reply_slot);
    CHECK(io.label == (LABEL_ALIEN | (u64)-E_NOSYS << 16));
    CHECK(sys_regs_read(thread, REGS_GENERAL) == 0);
    const struct user_regs *r = area_regs();
    CHECK(r->rbx == 7 && r->rcx == CODE + 2 && r->rip == CODE + 2 && r->rsp == BUFFER &&
          r->fs_base == 0x1000);
    return end();
}

static int answer_with_registers(void) {
    CHECK(begin(call_loop, sizeof call_loop) == 0);
    CHECK(wait_on(system_calls, reply_slot).rax == WOKE_MESSAGE);
    CHECK(sys_regs_read(thread, REGS_GENERAL) == 0);
    struct user_regs *r = area_regs();
    r->rip = CODE;
    r->rax = 77;
    r->rcx = 0xccc;
    r->r11 = 0xbbb;
    r->rdi = 100;
    r->rflags = ~0ull; /* cleaned by the kernel; TF among them */
    CHECK(sys_regs_write(thread, REGS_GENERAL) == 0);
    r->rip = USER_END;
    CHECK(sys_regs_write(thread, REGS_GENERAL) == -E_INVAL);
    CHECK(sys_regs_read(thread, REGS_GENERAL) == 0);
    CHECK(!(r->rflags & 0x3000) && r->rflags & 0x200 && !(r->rflags & 0x4000));
    r->rflags = 0x202;
    CHECK(sys_regs_write(thread, REGS_GENERAL) == 0);
    struct ipc_io io = {.rax = SYS_reply_wait | WAIT_REGS << 16,
                        .rbx = reply_slot,
                        .r13 = system_calls | (u64)reply_slot << 32};
    ipc_raw(&io);
    CHECK(io.rax == WOKE_MESSAGE && io.label == (LABEL_ALIEN | 77 << 16) && io.w[0] == 100);
    return end();
}

static int copy_and_fault_as(void) {
    CHECK(begin(call_loop, sizeof call_loop) == 0);
    struct ipc_io io = wait_on(system_calls, reply_slot);
    u64 call = io.r13;
    pfn mine = frame_get();
    u64 *p = window(mine);
    p[0] = 0x5555;
    struct pair c = sys_copy(reply_slot, BUFFER + 16, COPY_FRAMES, mine * PAGE_BYTES, 8);
    CHECK(c.r == 0 && c.second == (BUFFER | 1));
    CHECK(sys_fault_as(reply_slot, BUFFER + 16, ACCESS_WRITE, 123) == 0);
    io = wait_on(pager, reply_slot);
    const struct fault_words *f = (const struct fault_words *)io.w;
    CHECK(io.label == LABEL_FAULT && f->address == BUFFER + 16 && FAULT_ACCESS(f->info) == ACCESS_WRITE);
    CHECK(FAULT_FLAGS(f->info) == FAULT_AS);
    pfn frame = frame_get();
    struct ipc_io fill = {.w = {BUFFER | MAP_READ | MAP_WRITE, ITEM_FRAME(frame, FILL_ZERO)},
                          .rax = SYS_fault_reply_wait | 2 << 8,
                          .rbx = reply_slot};
    ipc_raw(&fill);
    CHECK(fill.rax == WOKE_BITS && IPC_ENTERED(fill.r14) == 1);
    io = wait_on(system_calls, reply_slot); /* the same call again, with its progress */
    CHECK(io.label == (LABEL_ALIEN | 39 << 16) && io.w[0] == 1 && io.r15 == 123 && io.r13 > call);
    CHECK(IPC_FLAGS(io.r14) == IPC_AGAIN);
    c = sys_copy(reply_slot, BUFFER + 16, COPY_FRAMES, mine * PAGE_BYTES, 8);
    CHECK(c.r == 8 && ((u64 *)window(frame))[2] == 0x5555);
    io = answer_wait(reply_slot, 0, 1, system_calls, reply_slot);
    CHECK(io.r15 == 0 && IPC_FLAGS(io.r14) == 0); /* an answer clears it */
    return end();
}

static int raised_fault_as_is_faulted(void) {
    CHECK(begin(call_loop, sizeof call_loop) == 0);
    CHECK(wait_on(system_calls, reply_slot).rax == WOKE_MESSAGE);
    CHECK(sys_fault_as(reply_slot, 0x777000, ACCESS_READ, 5) == 0);
    CHECK(wait_on(pager, reply_slot).w[0] == 0x777000);
    CHECK(sys_raise(reply_slot, RAISE_CODE(11, 1), 0x777000) == 0);
    struct ipc_io io = wait_on(system_calls, reply_slot);
    CHECK(IPC_KIND(io.r14) == MSG_ALIEN && IPC_FLAGS(io.r14) == (IPC_AGAIN | IPC_FAULTED) && io.r15 == 5);
    return end();
}

static int interrupt_of_a_running_program(void) {
    CHECK(begin(spin_loop, sizeof spin_loop) == 0);
    CHECK(sys_regs_read(thread, REGS_GENERAL) == -E_BUSY);
    CHECK(sys_interrupt(thread) == 0);
    struct ipc_io io = wait_on(system_calls, reply_slot);
    CHECK(IPC_KIND(io.r14) == MSG_EXCEPTION && io.w[0] == EXC_INTERRUPT && io.w[3] == CODE);
    /* the right to answer allows fault_as, and the same exception comes again */
    CHECK(sys_fault_as(reply_slot, BUFFER, ACCESS_WRITE, 0) == 0);
    CHECK(wait_on(pager, reply_slot).w[0] == BUFFER);
    CHECK(answer(reply_slot, 0, 0) == WOKE_BITS);
    io = wait_on(system_calls, reply_slot);
    CHECK(IPC_KIND(io.r14) == MSG_EXCEPTION && io.w[0] == EXC_INTERRUPT && IPC_FLAGS(io.r14) == IPC_AGAIN);
    return end();
}

static int interrupt_waits_for_the_call(void) {
    CHECK(begin(call_loop, sizeof call_loop) == 0);
    CHECK(wait_on(system_calls, reply_slot).rax == WOKE_MESSAGE);
    CHECK(sys_interrupt(thread) == 0);
    struct ipc_io io = answer_wait(reply_slot, 0, 55, system_calls, reply_slot);
    CHECK(IPC_KIND(io.r14) == MSG_EXCEPTION && io.w[0] == EXC_INTERRUPT);
    CHECK(sys_regs_read(thread, REGS_GENERAL) == 0 && area_regs()->rax == 55);
    io = answer_wait(reply_slot, 0, 0, system_calls, reply_slot);
    CHECK(io.label == (LABEL_ALIEN | 55 << 16));
    return end();
}

static int stopped_call_is_made_again(void) {
    CHECK(begin(call_loop, sizeof call_loop) == 0);
    CHECK(wait_on(system_calls, reply_slot).rax == WOKE_MESSAGE);
    CHECK(sys_stop(thread) == 0 && answer(reply_slot, 0, 1) == WOKE_BITS);
    CHECK(sys_start(thread) == 0);
    struct ipc_io io = wait_on(system_calls, reply_slot);
    CHECK(IPC_KIND(io.r14) == MSG_EXCEPTION && io.w[3] == CODE);
    io = answer_wait(reply_slot, 0, 0, system_calls, reply_slot);
    CHECK(io.label == (LABEL_ALIEN | 39 << 16));
    return end();
}

/* Whoever has written the registers of a waiting call has said where the thread goes on, also if it is
 * stopped before the answer. */
static int stopped_after_regs_write(void) {
    CHECK(begin(call_loop, sizeof call_loop) == 0);
    CHECK(wait_on(system_calls, reply_slot).rax == WOKE_MESSAGE);
    CHECK(sys_regs_read(thread, REGS_GENERAL) == 0);
    area_regs()->rip = CODE;
    area_regs()->rax = 44;
    CHECK(sys_regs_write(thread, REGS_GENERAL) == 0 && sys_stop(thread) == 0);
    CHECK(sys_regs_read(thread, REGS_GENERAL) == 0 && area_regs()->rip == CODE);
    CHECK(answer(reply_slot, 0, 1) == WOKE_BITS && sys_start(thread) == 0);
    struct ipc_io io = wait_on(system_calls, reply_slot);
    CHECK(IPC_KIND(io.r14) == MSG_EXCEPTION && io.w[3] == CODE);
    io = answer_wait(reply_slot, 0, 0, system_calls, reply_slot);
    CHECK(io.label == (LABEL_ALIEN | 44 << 16));
    return end();
}

static u32 resting;
static void rests(u64 unused) {
    (void)unused;
    (void)sys_notify(system_calls, 1);
    for (;;)
        (void)wait_on(resting, 0);
}
static volatile u64 landed[2];
__attribute__((used)) static void tells_landed(u64 rcx, u64 r11) {
    landed[0] = rcx;
    landed[1] = r11;
    (void)sys_notify(system_calls, 2);
    for (;;)
        (void)wait_on(resting, 0);
}
__attribute__((naked)) static void landing(void) {
    __asm__("mov %rcx, %rdi\n\tmov %r11, %rsi\n\tand $-16, %rsp\n\tcall tells_landed");
}

/* A thread that came by SYSCALL, is stopped, and gets new registers has all of them, rcx and r11 too. */
static int all_registers_of_a_stopped_thread(void) {
    resting = endpoint_make();
    struct worker w = worker_make(rests, 0, PRIO_HIGH);
    CHECK(sys_start(w.slot) == 0 && wait_on(system_calls, reply_slot).r15 == 1);
    struct worker low = worker_make(rests, 0, PRIO_LOW); /* runs when the first one waits */
    CHECK(sys_start(low.slot) == 0 && wait_on(system_calls, reply_slot).r15 == 1);
    CHECK(sys_stop(w.slot) == 0 && sys_regs_read(w.slot, REGS_GENERAL) == 0);
    area_regs()->rip = (u64)landing;
    area_regs()->rcx = 0x123;
    area_regs()->r11 = 0x456;
    CHECK(sys_regs_write(w.slot, REGS_GENERAL) == 0 && sys_start(w.slot) == 0);
    CHECK(wait_on(system_calls, reply_slot).r15 == 2 && landed[0] == 0x123 && landed[1] == 0x456);
    CHECK(sys_stop(w.slot) == 0 && sys_stop(low.slot) == 0);
    return 0;
}

/* exec: the waiting thread gets another space, and goes on there. */
static int rebind_while_waiting(void) {
    CHECK(begin(call_loop, sizeof call_loop) == 0);
    CHECK(wait_on(system_calls, reply_slot).rax == WOKE_MESSAGE);
    u32 old = space;
    space = space_make();
    CHECK(space && sys_space_bind(space, pager, system_calls, system_calls, 0, 0, 0) == 0);
    CHECK(sys_destroy(old) == -E_BUSY);
    CHECK(sys_thread_bind(thread, space, 8, 0, PRIO_PROGRAM, THREAD_ALIEN) == 0);
    err e;
    while ((e = sys_destroy(old)) == -E_AGAIN)
        ;
    CHECK(e == 0);
    CHECK(answer(reply_slot, 0, 0) == WOKE_BITS);
    struct ipc_io io = wait_on(pager, reply_slot);
    CHECK(io.w[0] == CODE + 2 && FAULT_ACCESS(io.w[1]) == ACCESS_EXEC && io.rbx >> 32 == 8);
    return end();
}

/* Two programs with different FPU states and FS bases keep them over switches. */
static int fpu_is_kept(void) {
    /* movq xmm0, rbx; movq fs:[0] <- nothing; L: yield by syscall; movq rdi, xmm0; jmp L */
    static const u8 code[] = {0x66, 0x48, 0x0f, 0x6e, 0xc3, 0x0f, 0x05,
                              0x66, 0x48, 0x0f, 0x7e, 0xc7, 0xeb, 0xf7};
    u32 threads[2], spaces[2];
    for (u32 i = 0; i < 2; i++) {
        CHECK(begin(code, sizeof code) == 0);
        CHECK(wait_on(system_calls, reply_slot).rax == WOKE_MESSAGE);
        /* xmm0 = 7 in both: give the second another value */
        threads[i] = thread;
        spaces[i] = space;
        CHECK(sys_regs_read(thread, REGS_FPU) == 0);
        CHECK(*(u64 *)(area_regs()->fpu + 160) == 7);
        *(u64 *)(area_regs()->fpu + 160) = 100 + i;
        CHECK(sys_regs_write(thread, REGS_FPU) == 0);
        u32 kept = slot_get();
        CHECK(sys_cap_copy(BOOT_TABLE, kept, reply_slot, RIGHT_ALL, 0) == 0);
        threads[i] = kept | thread << 16;
    }
    for (u32 round = 0; round < 3; round++)
        for (u32 i = 0; i < 2; i++) {
            struct ipc_io io = answer_wait(threads[i] & 0xffff, 0, 0, system_calls, threads[i] & 0xffff);
            CHECK(io.rax == WOKE_MESSAGE && io.w[0] == 100 + i);
        }
    for (u32 i = 0; i < 2; i++) {
        thread = threads[i] >> 16;
        space = spaces[i];
        CHECK(end() == 0);
    }
    return 0;
}

void test_alien(void) {
    u32 plain = endpoint_make();
    system_calls = slot_get();
    if (sys_cap_copy(BOOT_TABLE, system_calls, plain, RIGHT_ALL, 9))
        say("FAIL badge\n");
    pager = endpoint_make();
    reply_slot = slot_get();
    RUN(call_becomes_message);
    RUN(answer_with_registers);
    RUN(copy_and_fault_as);
    RUN(raised_fault_as_is_faulted);
    RUN(interrupt_of_a_running_program);
    RUN(interrupt_waits_for_the_call);
    RUN(stopped_call_is_made_again);
    RUN(stopped_after_regs_write);
    RUN(all_registers_of_a_stopped_thread);
    RUN(rebind_while_waiting);
    RUN(fpu_is_kept);
}

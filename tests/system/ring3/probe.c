/* SPDX-License-Identifier: MIT */
#include "probe.h"

u32 pager, alien_calls, exceptions;
static u32 probes, rested, rest_thread;
static pfn code_page;

extern const u8 probe_code[], probe_store_code[], program_store[], program_load[], program_alien[],
    program_trap[], program_call[], probe_code_end[], program_syscall[], program_syscall_end[],
    program_test[], program_trap_end[];
__asm__(".text\n"
        "probe_code: mov (%rdi), %rax\n"
        "   ud2\n"
        "probe_store_code: mov %rsi, (%rdi)\n"
        "   ud2\n"
        "program_store: mov %rsi, (%rdi)\n"
        "   add $4096, %rdi\n"
        "   jmp program_store\n"
        "program_load: mov (%rdi), %rax\n"
        "   add $4096, %rdi\n"
        "   jmp program_load\n"
        "program_alien: mov $39, %eax\n"
        "program_syscall: syscall\n"
        "program_syscall_end:\n"
        "   jmp program_alien\n"
        "program_trap: int3\n"
        "program_trap_end:\n"
        "   jmp program_trap\n"
        "program_call: mov %esp, %ebx\n"
        "   mov $0x200, %eax\n"
        "   xor %r13d, %r13d\n"
        "   mov $0x100, %r12d\n"
        "   mov %esp, %edi\n" /* after a call that failed its words may be anything */
        "   mov $1, %esi\n"
        "   mov $2, %edx\n"
        "   mov $3, %r10d\n"
        "   mov $4, %r8d\n"
        "   mov $5, %r9d\n"
        "   syscall\n"
        "program_test: test %rax, %rax\n"
        "   jz program_call\n"
        "   int3\n"
        "   jmp program_call\n"
        "probe_code_end:\n");

/* Runs when nobody else can. */
static void tells_rest(u64 unused) {
    (void)unused;
    for (;;)
        (void)sys_notify(rested, 1);
}

void settle(void) {
    (void)wait_until(rested, 0, 0, WAIT_POLL); /* what it has told before, while somebody slept */
    (void)wait_on(rested, 0);
}

void probe_begin(void) {
    pager = endpoint_make();
    alien_calls = endpoint_make();
    exceptions = endpoint_make();
    probes = endpoint_make();
    rested = endpoint_make();
    code_page = frame_get();
    u8 *code = window(code_page);
    for (u64 i = 0; probe_code + i < probe_code_end; i++)
        code[i] = probe_code[i];
    struct worker w = worker_make(tells_rest, 0, PRIO_LOW);
    rest_thread = w.slot;
    if (sys_start(w.slot) || sys_space_bind(BOOT_SPACE, probes, 0, probes, 0, 0, 0))
        say("FAIL probe_begin\n");
}

void probe_finish(void) {
    if (sys_destroy(rest_thread))
        say("FAIL probe_finish\n");
}

err feed_more(u32 space, u32 n) {
    return feed(space, n) == n ? 0 : -E_NOMEM;
}

u32 space_with(u32 tables) {
    u32 slot = slot_get();
    if (sys_retype(frame_get(), 1, KIND_SPACE, slot) || (tables && feed_more(slot, tables)) ||
        sys_space_bind(slot, pager, alien_calls, exceptions, 0, 0, 0))
        say("FAIL space_with\n");
    return slot;
}

err destroy_whole(u32 slot) {
    err e;
    do
        e = sys_destroy(slot);
    while (e == -E_AGAIN);
    return e;
}

/* Probes. */

static u32 thread_in(u32 space, const struct user_regs *r, u64 flags) {
    u32 thread = slot_get();
    if (sys_retype(frame_get(), 1, KIND_THREAD, thread) ||
        sys_thread_bind(thread, space, thread, 0, PRIO_LINUX, flags))
        say("FAIL thread\n");
    *(struct user_regs *)AREA = *r;
    if (sys_regs_write(thread, REGS_GENERAL))
        say("FAIL registers\n");
    return thread;
}

struct probe probe_make(u32 space) {
    struct probe p = {.space = space, .code = space == BOOT_SPACE ? (u64)probe_code : PROGRAM_CODE};
    if (space != BOOT_SPACE && (map_page(space, PROGRAM_CODE, code_page, MAP_READ | MAP_EXEC) ||
                                sys_space_bind(space, probes, 0, probes, 0, 0, 0)))
        say("FAIL probe_make\n");
    p.thread = thread_in(space, &(struct user_regs){0}, 0);
    return p;
}

void probe_end(struct probe *p) {
    if (sys_destroy(p->thread) || (p->space != BOOT_SPACE && destroy_whole(p->space)))
        say("FAIL probe_end\n");
}

static enum probed probe(const struct probe *p, u64 code, vaddr at, u64 value, u64 *got) {
    *(struct user_regs *)AREA = (struct user_regs){.rip = code, .rdi = at, .rsi = value};
    if (sys_regs_write(p->thread, REGS_GENERAL) || sys_start(p->thread))
        return PROBED_ERROR;
    struct message m = next_message(probes);
    if (m.e || m.io.rbx >> 32 != p->thread || sys_regs_read(p->thread, REGS_GENERAL))
        return PROBED_ERROR;
    if (got)
        *got = ((const struct user_regs *)AREA)->rax;
    bool fault = IPC_KIND(m.io.r14) == MSG_FAULT;
    if ((fault && m.io.w[0] != at) || sys_stop(p->thread) || sys_cap_drop(BOOT_TABLE, m.right))
        return PROBED_ERROR;
    return fault ? PROBED_FAULT : PROBED_OK;
}

enum probed probe_load(const struct probe *p, vaddr at, u64 *value) {
    return probe(p, p->code, at, 0, value);
}

enum probed probe_store(const struct probe *p, vaddr at, u64 value) {
    return probe(p, p->code + (u64)(probe_store_code - probe_code), at, value, NULL);
}

/* Programs. */

void program_code(u32 space) {
    err e = map_page(space, PROGRAM_CODE, code_page, MAP_READ | MAP_EXEC);
    if (e && e != -E_OCCUPIED)
        say("FAIL program\n");
}

struct user_regs program_regs(enum program what, vaddr at) {
    static const u8 *const code[] = {program_store, program_load, program_alien, program_trap, program_call};
    return (struct user_regs){
        .rip = PROGRAM_CODE + (u64)(code[what] - probe_code), .rdi = at, .rsi = 0x1234, .rsp = at};
}

u32 program_start(u32 space, enum program what, vaddr at) {
    program_code(space);
    struct user_regs r = program_regs(what, at);
    u32 thread = thread_in(space, &r, what == PROGRAM_ALIEN ? THREAD_ALIEN : 0);
    if (sys_start(thread))
        say("FAIL program start\n");
    if (what != PROGRAM_ALIEN)
        return thread;
    struct message m = next_message(exceptions); /* a new alien's first */
    *(struct user_regs *)AREA = r;
    if (m.e || sys_regs_write(thread, REGS_GENERAL) || answer(m.right, 0, 0) != WOKE_BITS)
        say("FAIL alien\n");
    return thread;
}

struct message next_message(u32 endpoint) {
    static u32 spare; /* a slot that stayed empty */
    struct message m = {.right = spare ? spare : slot_get()};
    m.io = (struct ipc_io){.rax = SYS_reply_wait | WAIT_POLL << 16, .r13 = endpoint | (u64)m.right << 32};
    ipc_raw(&m.io);
    if ((err)m.io.rax == -E_AGAIN) {
        settle();
        m.io = (struct ipc_io){.rax = SYS_reply_wait | WAIT_POLL << 16, .r13 = endpoint | (u64)m.right << 32};
        ipc_raw(&m.io);
    }
    m.e = (err)m.io.rax < 0 ? (err)m.io.rax : m.io.rax == WOKE_MESSAGE ? 0 : -E_INTR;
    spare = m.e ? m.right : 0;
    return m;
}

i64 fault_items(u32 right, const struct fault_item *items, u32 n) {
    struct ipc_io io = {.rax = SYS_fault_reply_wait | (u64)(2 * n) << 8, .rbx = right};
    for (u32 i = 0; i < n; i++) {
        u64 *w = i < 3 ? io.w + 2 * i : message_of(0) + 2 * i;
        w[0] = items[i].address;
        w[1] = items[i].frame;
    }
    ipc_raw(&io);
    return (err)io.rax < 0 ? (i64)io.rax : (i64)IPC_ENTERED(io.r14);
}

/* The same for the host. */

static u64 place(const u8 *label) {
    return PROGRAM_CODE + (u64)(label - probe_code);
}

enum program_does program_next(u64 rip) {
    return rip == place(program_store)                                    ? DOES_STORE
           : rip == place(program_load)                                   ? DOES_LOAD
           : rip == place(program_syscall)                                ? DOES_SYSCALL
           : rip == place(program_call)                                   ? DOES_CALL
           : rip == place(program_test)                                   ? DOES_TEST
           : rip == place(program_trap) || rip == place(program_trap_end) ? DOES_TRAP
                                                                          : DOES_ALIEN;
}

u64 program_syscall_at(void) {
    return place(program_syscall);
}

u64 program_after_syscall(void) {
    return place(program_syscall_end);
}

u64 program_after_call(void) {
    return place(program_test);
}

u64 program_after_trap(void) {
    return place(program_trap_end);
}

u64 program_call_begin(void) {
    return place(program_call);
}

/* SPDX-License-Identifier: MIT */
/* What the kernel's paths cost, in TSC ticks (instructions under -icount shift=0), seen from this thread, the
 * caller in a space of its own. One line each: `bench NAME WARM COLD SWITCHES`: the median of the rounds, the
 * first round, and address-space switches of all rounds together. */
#include "ring3.h"
#include <abi/trace.h>

#define CODE   0x10000000ull
#define DATA   0x10200000ull
#define ROUNDS 64

static u32 endpoint, reply_slot;
static u64 ticks[ROUNDS], switches;

/* Address-space switches since boot. */
static u64 switches_now(void) {
    return *(volatile const u64 *)&((const struct info_page *)INFO_PAGE)->switches;
}

static void report(const char *name) {
    u64 cold = ticks[0], switched = switches_now() - switches;
    for (u32 i = 1; i < ROUNDS; i++)
        for (u32 j = i; j > 0 && ticks[j] < ticks[j - 1]; j--) {
            u64 t = ticks[j];
            ticks[j] = ticks[j - 1];
            ticks[j - 1] = t;
        }
    say("bench ");
    say(name);
    say(" ");
    say_number(ticks[ROUNDS / 2]);
    say(" ");
    say_number(cold);
    say(" ");
    say_number(switched);
    say("\n");
}

/* A client in another space: calls slot 1 again and again. rbp: rax of the call. */
extern const u8 client_code[], client_end[], alien_code[], alien_end[], store_code[], store_end[];
__asm__(".section .rodata\n"
        "client_code:\n"
        "1: mov %rbp, %rax\n"
        "   mov $1, %ebx\n"
        "   xor %r13d, %r13d\n"
        "   syscall\n"
        "   jmp 1b\n"
        "client_end:\n"
        "alien_code:\n"
        "1: mov $39, %eax\n"
        "   syscall\n"
        "   jmp 1b\n"
        "alien_end:\n"
        "store_code:\n"
        "1: mov %rax, (%rdi)\n"
        "   add $4096, %rdi\n"
        "   jmp 1b\n"
        "store_end:\n"
        ".text\n");

static u32 client(const u8 *code, const u8 *end, u64 rbp, u64 flags) {
    u32 space = space_make(), thread = slot_get(), table = slot_get();
    pfn page = frame_get();
    u8 *p = window(page);
    for (u64 i = 0; code + i < end; i++)
        p[i] = code[i];
    if (sys_retype(frame_get(), 1, KIND_THREAD, thread) || sys_retype(frame_get(), 1, KIND_CAPTABLE, table) ||
        sys_cap_copy(table, 1, endpoint, RIGHT_CALL, 0) ||
        sys_space_bind(space, endpoint, endpoint, endpoint, 0, table, 0) ||
        map_page(space, CODE, page, MAP_READ | MAP_EXEC) ||
        sys_thread_bind(thread, space, 1, 0, PRIO_PROGRAM, flags))
        say("FAIL client\n");
    *(struct user_regs *)AREA = (struct user_regs){.rip = CODE, .rdi = DATA, .rbp = rbp, .r12 = 0x100};
    if (sys_regs_write(thread, REGS_GENERAL) || sys_start(thread))
        say("FAIL client\n");
    return thread;
}

static void round_trips(const char *name, u64 words) {
    u32 thread = client(client_code, client_end, SYS_call | words << 8, 0);
    struct ipc_io io = wait_on(endpoint, reply_slot);
    switches = switches_now();
    for (u32 i = 0; i < ROUNDS; i++) {
        u64 start = now();
        io.rax = SYS_reply_wait | words << 8;
        io.rbx = reply_slot;
        io.r13 = endpoint | (u64)reply_slot << 32;
        io.r14 = io.r15 = 0;
        ipc_raw_inline(&io);
        ticks[i] = now() - start;
    }
    report(name);
    if (sys_destroy(thread))
        say("FAIL destroy\n");
    (void)sys_cap_drop(BOOT_TABLE, reply_slot);
}

static void aliens(void) {
    u32 thread = client(alien_code, alien_end, 0, THREAD_ALIEN);
    (void)wait_on(endpoint, reply_slot);
    switches = switches_now();
    for (u32 i = 0; i < ROUNDS; i++) {
        u64 start = now();
        (void)answer_wait(reply_slot, 0, 1, endpoint, reply_slot);
        ticks[i] = now() - start;
    }
    report("alien_call");
    if (sys_destroy(thread))
        say("FAIL destroy\n");
    (void)sys_cap_drop(BOOT_TABLE, reply_slot);
}

static void faults(const char *name, u64 op) {
    u32 thread = client(store_code, store_end, 0, 0);
    struct ipc_io io = wait_on(endpoint, reply_slot);
    pfn frames[ROUNDS];
    for (u32 i = 0; i < ROUNDS; i++)
        frames[i] = frame_get();
    switches = switches_now();
    for (u32 i = 0; i < ROUNDS; i++) {
        u64 start = now();
        struct ipc_io out = {.w = {io.w[0] | MAP_READ | MAP_WRITE, ITEM_FRAME(frames[i], op)},
                             .rax = SYS_fault_reply_wait | 2 << 8,
                             .rbx = reply_slot,
                             .r13 = endpoint | (u64)reply_slot << 32};
        ipc_raw_inline(&out);
        io = out;
        ticks[i] = now() - start;
    }
    report(name);
    if (sys_destroy(thread))
        say("FAIL destroy\n");
    (void)sys_cap_drop(BOOT_TABLE, reply_slot);
}

static void null_calls(void) {
    switches = switches_now();
    for (u32 i = 0; i < ROUNDS; i++) {
        u64 start = now();
        (void)sys6(SYS_COUNT, 0, 0, 0, 0, 0, 0);
        ticks[i] = now() - start;
    }
    report("null_call");
}

/* What an event adds to the call that writes it. */
static void trace_events(void) {
    u64 masked[ROUNDS];
    for (u32 on = 0; on < 2; on++) {
        (void)sys_trace_mask(BOOT_TRACE, on ? 1ull << TRACE_USER : 0);
        switches = switches_now();
        for (u32 i = 0; i < ROUNDS; i++) {
            u64 start = now();
            (void)sys_trace_event(0, 0, 1, 2, 3, 4);
            ticks[i] = now() - start - (on ? masked[i] : 0);
            masked[i] = ticks[i];
        }
    }
    report("trace_event");
    (void)sys_trace_mask(BOOT_TRACE, 0);
}

static void maps(void) {
    vaddr at = HEAP_BASE + 0x3fe00000 + 64 * PAGE_BYTES;
    pfn frames[ROUNDS];
    for (u32 i = 0; i < ROUNDS; i++)
        frames[i] = frame_get();
    switches = switches_now();
    for (u32 i = 0; i < ROUNDS; i++) {
        AREA[0] = (at + i * PAGE_BYTES) | MAP_READ;
        AREA[1] = frames[i];
        u64 start = now();
        (void)sys_map(BOOT_SPACE, 1);
        ticks[i] = now() - start;
    }
    report("map_one");
    u64 start = now();
    struct pair r = sys_unmap(BOOT_SPACE, at, ROUNDS, 0);
    u64 took = now() - start;
    for (u32 i = 0; i < ROUNDS; i++)
        ticks[i] = r.r > 0 ? took / ROUNDS : 0;
    report("unmap_per_page_of_64");
    for (u32 i = 0; i < ROUNDS; i++) {
        AREA[2 * i] = (at + i * PAGE_BYTES) | MAP_READ;
        AREA[2 * i + 1] = frames[i];
    }
    start = now();
    (void)sys_map(BOOT_SPACE, ROUNDS);
    took = now() - start;
    for (u32 i = 0; i < ROUNDS; i++)
        ticks[i] = took / ROUNDS;
    report("map_per_page_of_64");
}

void measure(void) {
    endpoint = endpoint_make();
    reply_slot = slot_get();
    null_calls();
    round_trips("call_reply_0", 0);
    round_trips("call_reply_4", 4);
    round_trips("call_reply_6", 6);
    aliens();
    faults("fault_as_is", FILL_AS_IS);
    faults("fault_zero", FILL_ZERO);
    maps();
    trace_events();
}

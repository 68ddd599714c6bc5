/* SPDX-License-Identifier: MIT */
/* What the short paths must look at: each test is a case that is nearly the common one, with a receiver that
 * waits. On the target only: the host has no entry.asm. */
#include "probe.h"

#define CODE  0x20000000ull
#define AT    0x20200000ull
#define LATER 0x100 /* a label */
#define MXCSR 24
#define XMM0  160
#define DF    0x400ull
#define PORT  0x80

static u32 house, slot, rests;
static volatile u32 count;
static struct ipc_io script;

static void rest(void) {
    for (;;)
        (void)wait_on(rests, 0);
}

/* A thread makes the call in `script`, and tells that it has come back, if it does. */
static void plays(u64 unused) {
    (void)unused;
    ipc_raw(&script);
    count++;
    if (script.r15 == 0)
        (void)sys_notify(house, 1);
    rest();
}

static struct worker play(struct ipc_io io, u64 priority) {
    struct worker w = worker_make(plays, 0, priority);
    script = io;
    if (sys_start(w.slot))
        say("FAIL start\n");
    return w;
}

/* The call fails at once, and the thread that waits here hears nothing of it. */
static int refused(struct ipc_io io, u32 waits_at, err e) {
    count = 0;
    struct worker w = play(io, PRIO_LINUX);
    if (waits_at != house)
        CHECK(is_due(wait_until(waits_at, slot, now() + ms(2), 0)));
    io = wait_on(house, slot);
    CHECK(io.rax == WOKE_BITS && io.r15 == 1 && count == 1 && (err)script.rax == e);
    return sys_stop(w.slot) ? __LINE__ : 0;
}

static struct ipc_io call_to(u64 endpoint, u64 words) {
    return (struct ipc_io){.label = LATER, .rax = SYS_call | words << 8, .rbx = endpoint};
}

static int calls_are_checked(void) {
    u32 weak = slot_get(), old = slot_get(), again = slot_get();
    pfn frame = frame_get();
    CHECK(sys_cap_copy(BOOT_TABLE, weak, house, RIGHT_ALL & ~RIGHT_CALL, 0) == 0);
    CHECK(refused(call_to(weak, 0), house, -E_RIGHTS) == 0);
    CHECK(refused(call_to(BOOT_SPACE, 0), house, -E_KIND) == 0);
    CHECK(refused(call_to(BOOT_TABLE, 0), house, -E_KIND) == 0);
    CHECK(refused(call_to(0, 0), house, -E_BADCAP) == 0);
    CHECK(refused(call_to(house, MSG_WORDS + 1), house, -E_2BIG) == 0);
    struct ipc_io sends = call_to(house, 0);
    sends.r13 = BOOT_SPACE;
    CHECK(refused(sends, house, -E_NOSLOT) == 0); /* nobody named a slot for it */
    sends.r13 = slot_get();
    CHECK(refused(sends, house, -E_BADCAP) == 0);
    /* an old capability, to a frame where another endpoint lives now, at which somebody waits */
    CHECK(sys_retype(frame, 1, KIND_ENDPOINT, again) == 0);
    CHECK(sys_cap_copy(BOOT_TABLE, old, again, RIGHT_ALL, 0) == 0 && sys_destroy(again) == 0);
    CHECK(sys_retype(frame, 1, KIND_ENDPOINT, again) == 0);
    CHECK(refused(call_to(old, 0), again, -E_BADCAP) == 0);
    return sys_destroy(again) ? __LINE__ : 0;
}

/* Programs of two instructions: `syscall`, and a breakpoint. */
static u32 space, table, thread;
static pfn table_frame, thread_frame, space_frame;

static int program(const u8 *code, u64 bytes) {
    pfn page = frame_get();
    for (u64 i = 0; i < bytes; i++)
        ((u8 *)window(page))[i] = code[i];
    space = slot_get();
    table = slot_get();
    thread = slot_get();
    space_frame = frame_get();
    thread_frame = frame_get();
    CHECK(sys_retype(space_frame, 1, KIND_SPACE, space) == 0 && feed_more(space, 12) == 0);
    CHECK(sys_space_bind(space, pager, alien_calls, exceptions, 0, 0, 0) == 0);
    CHECK(sys_retype(table_frame ? table_frame : frame_get(), 1, KIND_CAPTABLE, table) == 0);
    CHECK(sys_cap_copy(table, 5, house, RIGHT_ALL, 0) == 0);
    CHECK(sys_space_bind(space, 0, 0, 0, 0, table, 0) == 0);
    CHECK(map_page(space, CODE, page, MAP_READ | MAP_EXEC) == 0);
    return sys_retype(thread_frame, 1, KIND_THREAD, thread) ? __LINE__ : 0;
}

static int go(struct user_regs r, u64 flags) {
    CHECK(sys_thread_bind(thread, space, 3, 0, PRIO_LINUX, flags) == 0);
    r.rip = CODE;
    *(struct user_regs *)AREA = r;
    CHECK(sys_regs_write(thread, REGS_GENERAL) == 0 && sys_start(thread) == 0);
    if (!(flags & THREAD_ALIEN))
        return 0;
    struct message m = next_message(exceptions);
    CHECK(!m.e && answer(m.right, 0, 0) == WOKE_BITS);
    return 0;
}

static int gone(void) {
    CHECK(sys_destroy(thread) == 0 && destroy_whole(space) == 0 && destroy_whole(table) == 0);
    table_frame = 0;
    return sys_audit() == -E_PROTO ? __LINE__ : 0;
}

static const u8 once[] = {0x0f, 0x05, 0xcc, 0xeb, 0xfb};

/* The result with which the program came back. */
static err came_back(void) {
    struct message m = next_message(exceptions);
    if (m.e || m.io.w[0] != EXC_HARDWARE + 3 || sys_regs_read(thread, REGS_GENERAL))
        return -E_PROTO;
    err e = (err)((const struct user_regs *)AREA)->rax;
    return sys_stop(thread) || sys_cap_drop(BOOT_TABLE, m.right) ? -E_PROTO : e;
}

/* A slot behind the table: the page there holds what would be an endpoint's capability, if it counted; its
 * receiver is a thread that waits elsewhere. */
static int behind_the_table(void) {
    CHECK(program(once, sizeof once) == 0);
    CHECK(go((struct user_regs){.rax = SYS_reply_wait, .r13 = 5 | 9ull << 32}, 0) == 0);
    sleep_ms(1);
    u32 waits[] = {thread, space, table};
    pfn receiver = thread_frame, behind = frame_get(), fake = frame_get();
    table_frame = frame_get();
    while (table_frame + 1 != behind) {
        behind = table_frame;
        table_frame = frame_get();
    }
    CHECK(program(once, sizeof once) == 0);
    u64 *c = window(behind), *e = window(fake);
    e[0] = PHYS_BASE + receiver * PAGE_BYTES; /* endpoint.server; the frame's generation is 0 */
    c[0] = KIND_ENDPOINT | 0xff << 8;
    c[1] = PHYS_BASE + fake * PAGE_BYTES;
    c[3] = PHYS_BASE + fake * PAGE_BYTES + 64;
    CHECK(go((struct user_regs){.rax = SYS_call, .rbx = CAPS_PER_FRAME}, 0) == 0);
    CHECK(came_back() == -E_BADCAP && gone() == 0);
    thread = waits[0];
    space = waits[1];
    table = waits[2];
    return gone();
}

/* The slot that the receiver has named for the right is not usable any more when the call comes. */
static int receivers_slot(void) {
    for (u32 round = 0; round < 2; round++) {
        u32 larger = slot_get();
        pfn second = frame_get(), first = frame_get();
        while (first + 1 != second) {
            second = first;
            first = frame_get();
        }
        CHECK(program(once, sizeof once) == 0);
        CHECK(sys_retype(first, 2, KIND_CAPTABLE, larger) == 0);
        CHECK(sys_cap_copy(larger, 5, house, RIGHT_ALL, 0) == 0 &&
              sys_space_bind(space, 0, 0, 0, 0, larger, 0) == 0);
        CHECK(go((struct user_regs){.rax = SYS_reply_wait, .r13 = 5 | 200ull << 32}, 0) == 0);
        sleep_ms(1);
        if (round == 0)
            CHECK(sys_cap_copy(larger, 200, house, RIGHT_ALL, 0) == 0);
        else
            CHECK(sys_space_bind(space, 0, 0, 0, 0, table, 0) == 0);
        struct worker w = play(call_to(house, 0), PRIO_CACHE);
        CHECK(came_back() == (round ? -E_BADCAP : -E_OCCUPIED));
        CHECK(sys_stop(w.slot) == 0 && gone() == 0 && destroy_whole(larger) == 0);
    }
    return 0;
}

/* An alien call to an endpoint that has ended goes to nobody, whoever lives in its frame now. */
static int alien_call_to_a_dead_endpoint(void) {
    static const u8 loop[] = {0x0f, 0x05, 0xeb, 0xfc};
    u32 calls = slot_get();
    pfn frame = frame_get();
    CHECK(sys_retype(frame, 1, KIND_ENDPOINT, calls) == 0 && program(loop, sizeof loop) == 0);
    CHECK(sys_space_bind(space, 0, calls, 0, 0, 0, 0) == 0 && go((struct user_regs){0}, THREAD_ALIEN) == 0);
    struct message m = next_message(calls);
    CHECK(!m.e && destroy_whole(calls) == 0 && sys_retype(frame, 1, KIND_ENDPOINT, calls) == 0);
    CHECK(answer(m.right, 0, 0) == WOKE_BITS);
    CHECK(is_due(wait_until(calls, slot, now() + ms(2), 0)));
    CHECK(sys_regs_read(thread, REGS_GENERAL) == 0); /* it has stopped */
    return gone() || sys_destroy(calls) ? __LINE__ : 0;
}

/* Answers with a wait that has a deadline of its own, or one that has passed. */
static struct ipc_io answer_until(u32 right, u32 endpoint, u64 deadline) {
    struct ipc_io io = {
        .rax = SYS_reply_wait, .rbx = right, .r13 = endpoint | (u64)right << 32, .r15 = deadline};
    ipc_raw(&io);
    return io;
}

static void calls_twice(u64 unused) {
    (void)unused;
    for (;;) {
        (void)call_of(house, LATER, 0, 0);
        (void)wait_on(rests, 0);
    }
}

static int deadline_of_an_answer(void) {
    struct worker w = worker_make(calls_twice, 0, PRIO_LINUX);
    CHECK(sys_start(w.slot) == 0 && wait_on(house, slot).rax == WOKE_MESSAGE);
    u64 at = now() + ms(3);
    CHECK(is_due(answer_until(slot, house, at)) && now() >= at);
    CHECK(sys_notify(rests, 1) == 0 && wait_on(house, slot).rax == WOKE_MESSAGE);
    CHECK((err)wait_until(house, 0, at = now() + ms(3), WAIT_POLL).rax == -E_AGAIN);
    work_until(at + ms(1));
    CHECK(is_due(wait_until(house, 0, at, 0)));
    CHECK((err)wait_until(house, 0, 0, WAIT_POLL).rax == -E_AGAIN);
    CHECK(is_due(answer_until(slot, house, at))); /* the same, which has passed */
    /* and one that has passed and woken somebody else */
    CHECK(sys_notify(rests, 1) == 0 && wait_on(house, slot).rax == WOKE_MESSAGE);
    at = now() + ms(3);
    struct worker other = play((struct ipc_io){.rax = SYS_reply_wait, .r13 = house, .r15 = at}, PRIO_CACHE);
    count = 0;
    sleep_ms(5);
    CHECK(count == 1 && sys_stop(other.slot) == 0);
    CHECK(is_due(answer_until(slot, house, at)));
    return sys_stop(w.slot) ? __LINE__ : 0;
}

/* The bit that an answer sets itself leaves the deadline of that wait alone. */
static int deadline_of_an_answer_that_collects(void) {
    while (sys_collect(BOOT_ACCOUNT, AREA_WORDS / 2) > 0)
        ;
    u32 home = space_with(10);
    CHECK(map_page(home, AT, frame_get(), MAP_READ) == 0);
    u32 t = program_start(home, PROGRAM_STORE, AT);
    CHECK(sys_account_bind(BOOT_ACCOUNT, pager, 3) == 0);
    struct message m = next_message(pager);
    u64 at = now() + ms(10);
    CHECK(!m.e && (err)wait_until(pager, 0, at, WAIT_POLL).rax == -E_AGAIN);
    struct ipc_io io = {.w = {AT | MAP_READ | MAP_WRITE, ITEM_FRAME(frame_get(), FILL_COPY)},
                        .rax = SYS_fault_reply_wait | 2 << 8,
                        .rbx = m.right,
                        .r13 = pager | (u64)m.right << 32,
                        .r15 = at};
    ipc_raw(&io);
    CHECK(io.rax == WOKE_BITS && io.r15 == 8 && IPC_ENTERED(io.r14) == 1 && now() < at);
    work_until(at + ms(1));
    CHECK(is_due(wait_until(pager, 0, 0, WAIT_POLL)));
    u32 nobody = endpoint_make();
    CHECK(sys_account_bind(BOOT_ACCOUNT, nobody, 0) == 0 && sys_destroy(nobody) == 0);
    return sys_destroy(t) || destroy_whole(home) ? __LINE__ : 0;
}

/* An answer clears fault_as's word, also for a call that comes when nobody waits. */
static int progress_is_cleared(void) {
    u32 home = space_with(10), t = program_start(home, PROGRAM_ALIEN, 0);
    struct message m = next_message(alien_calls);
    CHECK(!m.e && sys_fault_as(m.right, AT, ACCESS_READ, 77) == 0);
    m = next_message(pager);
    CHECK(!m.e && sys_cap_drop(BOOT_TABLE, m.right) == 0);
    m = next_message(alien_calls);
    CHECK(!m.e && m.io.r15 == 77);
    u64 at = now() + ms(2);
    CHECK((err)wait_until(house, 0, at, WAIT_POLL).rax == -E_AGAIN);
    CHECK(is_due(answer_until(m.right, house, at))); /* its next call is queued */
    m = next_message(alien_calls);
    CHECK(!m.e && m.io.r15 == 0 && IPC_FLAGS(m.io.r14) == 0);
    return sys_destroy(t) || destroy_whole(home) ? __LINE__ : 0;
}

/* Ports that are open for this space are not for a program that runs next. */
static int ports_of_another_space(void) {
    static const u8 out[] = {0xe6, PORT, 0xcc};
    CHECK(sys_ports(BOOT_IOPORT, PORT, 1) == 0);
    for (u32 round = 0; round < 2; round++) {
        CHECK(program(out, sizeof out) == 0);
        CHECK(sys_unmap(space, CODE, 1, 0).r > 0); /* so that its first message is a fault */
        pfn page = FRAME_OF(AREA[1]);
        CHECK(go((struct user_regs){0}, 0) == 0);
        struct message m = next_message(pager);
        CHECK(!m.e);
        __asm__ volatile("outb %%al, %0" : : "i"(PORT));
        struct ipc_io io = {.w = {CODE | MAP_READ | MAP_EXEC, ITEM_FRAME(page, FILL_AS_IS)},
                            .rax = SYS_fault_reply_wait | 2 << 8,
                            .rbx = m.right,
                            .r13 = exceptions | (u64)m.right << 32};
        ipc_raw(&io);
        CHECK(io.rax == WOKE_MESSAGE && io.w[0] == EXC_HARDWARE + 13 && io.w[2] == CODE);
        CHECK(sys_cap_drop(BOOT_TABLE, m.right) == 0 && gone() == 0);
    }
    return 0;
}

/* A space that has opened ports ends, and another one opens its own. */
static int ports_of_a_space_that_ends(void) {
    static const u8 opens[] = {0x0f, 0x05, 0xe6, PORT + 1, 0xcc};
    CHECK(program(opens, sizeof opens) == 0);
    CHECK(sys_cap_copy(table, 6, BOOT_IOPORT, RIGHT_ALL, 0) == 0);
    CHECK(go((struct user_regs){.rax = SYS_ports, .rdi = 6, .rsi = PORT + 1, .rdx = 1}, 0) == 0);
    CHECK(came_back() == 0 && gone() == 0);
    u8 *page = window(space_frame);
    for (u32 i = 0; i < PAGE_BYTES; i++)
        page[i] = 0;
    __asm__ volatile("outb %%al, %0" : : "i"(PORT));
    for (u32 i = 0; i < PAGE_BYTES; i++)
        CHECK(page[i] == 0); /* it is no space any more */
    return 0;
}

/* A capability goes with the message that it was sent with, and with none that the kernel sends later. */
static int capability_goes_once(void) {
    u32 taken = slot_get();
    CHECK(program(once, sizeof once) == 0);
    CHECK(go((struct user_regs){.rax = SYS_call, .rbx = 5, .r13 = 5}, 0) == 0);
    struct ipc_io io = {.rax = SYS_reply_wait, .r13 = house | (u64)slot << 32, .r14 = taken};
    ipc_raw(&io);
    CHECK(io.rax == WOKE_MESSAGE && IPC_FLAGS(io.r14) == IPC_CAP && sys_cap_drop(BOOT_TABLE, taken) == 0);
    CHECK(answer(slot, 0, 0) == WOKE_BITS);
    sleep_ms(1); /* it queues with its breakpoint */
    io = (struct ipc_io){.rax = SYS_reply_wait, .r13 = exceptions | (u64)slot << 32, .r14 = taken};
    ipc_raw(&io);
    CHECK(io.rax == WOKE_MESSAGE && IPC_KIND(io.r14) == MSG_EXCEPTION && IPC_FLAGS(io.r14) == 0);
    CHECK(sys_notify(taken, 0) == -E_BADCAP && sys_cap_drop(BOOT_TABLE, slot) == 0);
    return gone();
}

/* A thread that stops itself goes no further. */
static u32 itself;
static void stops_itself(u64 unused) {
    (void)unused;
    count = 1;
    (void)sys_stop(itself);
    count = 2;
    rest();
}

static int stopped_by_itself(void) {
    struct worker w = worker_make(stops_itself, 0, PRIO_CACHE);
    itself = w.slot;
    CHECK(sys_start(w.slot) == 0);
    sleep_ms(1);
    CHECK(count == 1 && sys_regs_read(w.slot, REGS_GENERAL) == 0 && sys_start(w.slot) == 0);
    sleep_ms(1);
    CHECK(count == 2 && sys_stop(w.slot) == 0);
    return 0;
}

/* Calls without a second result have 0 there, whatever the argument was. */
static int no_second_result(void) {
    CHECK(sys_copy(BOOT_SPACE, 0, BOOT_SPACE, AT, 8).second == AT); /* one that has */
    struct pair p = sys6(SYS_notify, rests, 0, 5, 6, 7, 8), q = sys6(SYS_COUNT, 1, 2, 3, 4, 5, 6);
    CHECK(p.r == 0 && p.second == 0 && q.r == -E_NOSYS && q.second == 0);
    p = sys6(SYS_yield, 1, 2, 3, 4, 5, 6);
    CHECK(p.r == 0 && p.second == 0);
    return 0;
}

/* A server's flags after a wait are its own, not those of who calls, faults or traps. */
static u64 flags_now(void) {
    u64 f;
    __asm__ volatile("pushfq\n\tpop %0\n\tcld" : "=r"(f));
    return f;
}

static int flags_are_not_passed_on(void) {
    static const u8 loop[] = {0x0f, 0x05, 0xeb, 0xfc}, load[] = {0x8a, 0x07, 0xcc};
    const u64 flags = DF | 0x40000 | 0x202;
    CHECK(program(once, sizeof once) == 0);
    CHECK(go((struct user_regs){.rax = SYS_call, .rbx = 5, .rflags = flags}, 0) == 0);
    struct ipc_io io = wait_on(house, slot);
    u64 f = flags_now();
    CHECK(io.rax == WOKE_MESSAGE && !(f & (DF | 0x40000)) && f & 0x200);
    CHECK(sys_cap_drop(BOOT_TABLE, slot) == 0 && gone() == 0);
    CHECK(program(loop, sizeof loop) == 0);
    CHECK(go((struct user_regs){.rflags = flags}, THREAD_ALIEN) == 0);
    io = wait_on(alien_calls, slot);
    f = flags_now();
    CHECK(io.rax == WOKE_MESSAGE && !(f & (DF | 0x40000)) && f & 0x200);
    CHECK(sys_cap_drop(BOOT_TABLE, slot) == 0 && gone() == 0);
    CHECK(program(load, sizeof load) == 0);
    CHECK(go((struct user_regs){.rdi = AT, .rflags = flags}, 0) == 0);
    io = wait_on(pager, slot);
    f = flags_now();
    CHECK(io.rax == WOKE_MESSAGE && !(f & (DF | 0x40000)) && f & 0x200);
    CHECK(sys_cap_drop(BOOT_TABLE, slot) == 0);
    return gone();
}

/* Of two programs each has its own FPU state after a fault, too; what regs_write put there counts although
 * the state was in the processor; and bits of MXCSR that must not be do no harm. */
static int fpu_after_faults(void) {
    /* L: mov (%rsi), %al; add $4096, %rsi; movq %xmm0, %rdi; syscall; jmp L */
    static const u8 code[] = {0x8a, 0x06, 0x48, 0x81, 0xc6, 0x00, 0x10, 0x00, 0x00,
                              0x66, 0x48, 0x0f, 0x7e, 0xc7, 0x0f, 0x05, 0xeb, 0xee};
    u32 threads[2], spaces[2], tables[2], faults[2];
    for (u32 i = 0; i < 2; i++) {
        CHECK(program(code, sizeof code) == 0 && go((struct user_regs){.rsi = AT}, THREAD_ALIEN) == 0);
        threads[i] = thread;
        spaces[i] = space;
        tables[i] = table;
        struct message m = next_message(pager);
        CHECK(!m.e && m.io.w[0] == AT);
        faults[i] = m.right;
        struct user_regs *u = (struct user_regs *)AREA;
        CHECK(sys_regs_read(thread, REGS_FPU) == 0);
        *(u64 *)(u->fpu + XMM0) = 100 + i;
        *(u32 *)(u->fpu + MXCSR) = ~0u;
        CHECK(sys_regs_write(thread, REGS_FPU) == 0 && sys_regs_read(thread, REGS_FPU) == 0);
        CHECK(*(u32 *)(u->fpu + MXCSR) >> 16 == 0);
    }
    pfn frame = frame_get();
    for (u32 round = 0; round < 3; round++)
        for (u32 i = 0; i < 2; i++) {
            struct ipc_io io = {.w = {(AT + round * PAGE_BYTES) | MAP_READ, ITEM_FRAME(frame, FILL_AS_IS)},
                                .rax = SYS_fault_reply_wait | 2 << 8,
                                .rbx = faults[i],
                                .r13 = alien_calls | (u64)faults[i] << 32};
            ipc_raw(&io);
            CHECK(io.rax == WOKE_MESSAGE && io.w[0] == 100 + i + round * 10);
            /* its state is in the processor: written without being read before */
            struct user_regs *u = (struct user_regs *)AREA;
            for (u32 b = 0; b < sizeof u->fpu; b++)
                u->fpu[b] = 0;
            *(u16 *)u->fpu = 0x37f;
            *(u32 *)(u->fpu + MXCSR) = 0x1f80;
            *(u64 *)(u->fpu + XMM0) = 110 + i + round * 10;
            CHECK(sys_regs_write(threads[i], REGS_FPU) == 0);
            io = answer_wait(faults[i], 0, 0, pager, faults[i]);
            CHECK(io.rax == WOKE_MESSAGE && io.w[0] == AT + (round + 1) * PAGE_BYTES);
        }
    for (u32 i = 0; i < 2; i++) {
        thread = threads[i];
        space = spaces[i];
        table = tables[i];
        CHECK(gone() == 0 && sys_cap_drop(BOOT_TABLE, faults[i]) == 0);
    }
    return 0;
}

/* The state of a thread that has ended is not saved into what was its frame. */
static int fpu_of_a_thread_that_ended(void) {
    CHECK(program(once, sizeof once) == 0 && go((struct user_regs){0}, THREAD_ALIEN) == 0);
    struct message m = next_message(alien_calls);
    CHECK(!m.e);
    pfn frame = thread_frame;
    CHECK(gone() == 0 && sys_cap_drop(BOOT_TABLE, m.right) == 0);
    u64 *page = window(frame);
    for (u32 i = 0; i < PAGE_BYTES / sizeof(u64); i++)
        page[i] = 0x1111;
    CHECK(program(once, sizeof once) == 0 && go((struct user_regs){0}, THREAD_ALIEN) == 0);
    m = next_message(alien_calls);
    for (u32 i = 0; i < PAGE_BYTES / sizeof(u64); i++)
        CHECK(page[i] == 0x1111);
    CHECK(!m.e && gone() == 0);
    return sys_cap_drop(BOOT_TABLE, m.right) ? __LINE__ : 0;
}

void test_short(void) {
    house = endpoint_make();
    rests = endpoint_make();
    slot = slot_get();
    RUN(calls_are_checked);
    RUN(behind_the_table);
    RUN(receivers_slot);
    RUN(alien_call_to_a_dead_endpoint);
    RUN(deadline_of_an_answer);
    RUN(deadline_of_an_answer_that_collects);
    RUN(progress_is_cleared);
    RUN(ports_of_another_space);
    RUN(ports_of_a_space_that_ends);
    RUN(capability_goes_once);
    RUN(stopped_by_itself);
    RUN(no_second_result);
    RUN(flags_are_not_passed_on);
    RUN(fpu_after_faults);
    RUN(fpu_of_a_thread_that_ended);
}

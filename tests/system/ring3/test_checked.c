/* SPDX-License-Identifier: MIT */
/* What the kernel remembers from one call to the next (the endpoint that a thread waits on, the leaf table found last)
 * counts only as long as it is true. */
#include "probe.h"

#define AT PROGRAM_DATA
#define RW (MAP_READ | MAP_WRITE)

/* This program is the server of a program that calls: its first call has come, and it has waited on `served`. */
static u32 served, reply, client, client_space;
static pfn served_frame;

static int begin(void) {
    u32 table = slot_get();
    served_frame = frame_get();
    served = slot_get();
    reply = slot_get();
    client_space = space_with(8);
    CHECK(sys_retype(served_frame, 1, KIND_ENDPOINT, served) == 0);
    CHECK(sys_retype(frame_get(), 1, KIND_CAPTABLE, table) == 0);
    CHECK(sys_cap_copy(table, 1, served, RIGHT_CALL, 0) == 0);
    CHECK(sys_space_bind(client_space, 0, 0, 0, 0, table, 0) == 0);
    client = program_start(client_space, PROGRAM_CALL, 1);
    CHECK(wait_on(served, reply).rax == WOKE_MESSAGE);
    for (u32 i = 0; i < 3; i++)
        CHECK(answer_wait(reply, 0, i, served, reply).rax == WOKE_MESSAGE);
    return 0;
}

static int end(void) {
    CHECK(sys_destroy(client) == 0 && destroy_whole(client_space) == 0);
    CHECK(sys_cap_drop(BOOT_TABLE, reply) == 0 && sys_audit() != -E_PROTO);
    return 0;
}

static int dropped_endpoint_is_not_waited_on(void) {
    u32 other = slot_get();
    CHECK(begin() == 0 && sys_cap_copy(BOOT_TABLE, other, served, RIGHT_ALL, 0) == 0);
    CHECK(sys_cap_drop(BOOT_TABLE, served) == 0);
    CHECK((err)answer_wait(reply, 0, 0, served, reply).rax == -E_BADCAP); /* and nobody was answered */
    CHECK(answer_wait(reply, 0, 0, other, reply).rax == WOKE_MESSAGE);
    CHECK(sys_cap_copy(BOOT_TABLE, served, other, RIGHT_CALL | RIGHT_NOTIFY, 0) == 0);
    CHECK((err)answer_wait(reply, 0, 0, served, reply).rax == -E_RIGHTS);
    return end();
}

static int dropped_by_another_name_of_the_table(void) {
    u32 table = slot_get();
    CHECK(begin() == 0 && sys_cap_copy(BOOT_TABLE, table, BOOT_TABLE, RIGHT_CONTROL, 0) == 0);
    CHECK(sys_cap_drop(table, served) == 0);
    CHECK((err)answer_wait(reply, 0, 0, served, reply).rax == -E_BADCAP);
    return end();
}

static int ended_endpoint_is_not_waited_on(void) {
    u32 other = slot_get();
    CHECK(begin() == 0 && sys_cap_copy(BOOT_TABLE, other, served, RIGHT_ALL, 0) == 0);
    CHECK(destroy_whole(other) == 0 && sys_retype(served_frame, 1, KIND_ENDPOINT, other) == 0);
    CHECK((err)answer_wait(reply, 0, 0, served, reply).rax == -E_BADCAP);
    CHECK(sys_cap_copy(BOOT_TABLE, served, BOOT_ACCOUNT, 0, 0) == 0); /* the slot is used again */
    CHECK((err)answer_wait(reply, 0, 0, served, reply).rax == -E_KIND);
    return end();
}

/* In the table that is bound instead, the same slot names another endpoint, which has a bit. */
static int another_table_names_another_endpoint(void) {
    enum { FRAMES = 16, BIT = 32 };
    u32 table = slot_get(), old = slot_get(), other = endpoint_make();
    pfn first = 0;
    CHECK(begin() == 0);
    for (u32 i = 0; i < FRAMES; i++)
        first = frame_get(); /* they come in a row, the last one first */
    CHECK(sys_retype(first, FRAMES, KIND_CAPTABLE, table) == 0);
    CHECK(sys_cap_copy(BOOT_TABLE, old, BOOT_TABLE, RIGHT_ALL, 0) == 0);
    for (u32 i = BOOT_TABLE; i <= BOOT_TRACE; i++)
        (void)sys_cap_copy(table, i, i == BOOT_TABLE ? table : i, RIGHT_ALL, 0); /* one may be dead */
    CHECK(sys_cap_copy(table, served, other, RIGHT_ALL, 0) == 0 &&
          sys_cap_copy(table, old, old, RIGHT_ALL, 0) == 0);
    CHECK(sys_cap_copy(table, reply, reply, RIGHT_ALL, 0) == 0 && sys_notify(other, BIT) == 0);
    CHECK(sys_space_bind(BOOT_SPACE, 0, 0, 0, 0, table, 0) == 0);
    struct ipc_io io = answer_wait(reply, 0, 0, served, reply);
    err back = sys_space_bind(BOOT_SPACE, 0, 0, 0, 0, old, 0);
    CHECK(back == 0 && io.rax == WOKE_BITS && io.r15 == BIT);
    CHECK(wait_on(served, reply).rax == WOKE_MESSAGE); /* the program has called again */
    CHECK(sys_cap_drop(BOOT_TABLE, old) == 0 && destroy_whole(table) == 0);
    return end();
}

/* Waits on slot 1, and answers what comes into slot 2. */
extern const u8 serving[], serving_end[];
__asm__(".section .rodata\n"
        "serving: xor %ebx, %ebx\n"
        "1: mov $1, %eax\n"
        "   mov $1, %r13d\n"
        "   bts $33, %r13\n"
        "   xor %r14d, %r14d\n"
        "   xor %r15d, %r15d\n"
        "   syscall\n"
        "   mov $2, %ebx\n"
        "   jmp 1b\n"
        "serving_end:\n"
        ".text\n");
_Static_assert(SYS_reply_wait == 1, "serving");

/* A space that can run it: slot 1 of its table is the endpoint. */
static u32 serving_space(pfn code, u32 endpoint, u32 *table) {
    u32 slot = space_with(8);
    *table = slot_get();
    if (sys_retype(frame_get(), 1, KIND_CAPTABLE, *table) ||
        sys_cap_copy(*table, 1, endpoint, RIGHT_RECV, 0) || sys_space_bind(slot, 0, 0, 0, 0, *table, 0) ||
        map_page(slot, PROGRAM_CODE, code, MAP_READ | MAP_EXEC))
        say("FAIL serving_space\n");
    return slot;
}

static int threads_bound_anew_wait_elsewhere(void) {
    u32 one = endpoint_make(), two = endpoint_make(), tables[2], server = slot_get();
    pfn code = frame_get();
    u8 *page = window(code);
    for (u64 i = 0; serving + i < serving_end; i++)
        page[i] = serving[i];
    u32 first = serving_space(code, one, &tables[0]), second = serving_space(code, two, &tables[1]);
    CHECK(begin() == 0 && sys_retype(frame_get(), 1, KIND_THREAD, server) == 0);
    CHECK(sys_thread_bind(server, first, 1, 0, PRIO_LINUX, 0) == 0);
    *(struct user_regs *)AREA = (struct user_regs){.rip = PROGRAM_CODE};
    CHECK(sys_regs_write(server, REGS_GENERAL) == 0 && sys_start(server) == 0);
    for (u32 i = 0; i < 3; i++)
        CHECK(call_of(one, 0x100, i, 0).rax == 0);
    CHECK(sys_stop(server) == 0 && sys_thread_bind(server, second, 1, 0, PRIO_LINUX, 0) == 0);
    CHECK(sys_cap_copy(tables[1], 2, reply, 0, 0) == 0 && sys_start(server) == 0);
    struct message m = next_message(served); /* the program was answered, and calls again */
    CHECK(!m.e && sys_notify(one, 4) == 0 && next_message(one).io.r15 == 4); /* nobody else waits there */
    CHECK(call_of(two, 0x100, 0, 0).rax == 0);
    CHECK(sys_destroy(server) == 0 && destroy_whole(first) == 0 && destroy_whole(second) == 0);
    CHECK(sys_cap_drop(BOOT_TABLE, m.right) == 0);
    return end();
}

/* The leaf table found last. */

static u32 space, thread;
static struct message fault;

static int begin_faults(void) {
    space = space_with(8);
    thread = program_start(space, PROGRAM_STORE, AT);
    fault = next_message(pager);
    CHECK(!fault.e && fault.io.w[0] == AT);
    return 0;
}

static int end_faults(void) {
    CHECK(sys_stop(thread) == 0 && sys_destroy(thread) == 0 && destroy_whole(space) == 0);
    (void)sys_cap_drop(BOOT_TABLE, fault.right);
    CHECK(sys_audit() != -E_PROTO);
    return 0;
}

/* Answers, waits, and takes the next fault, as a pager does. */
static struct ipc_io page_in(u64 rights, pfn frame, enum fault_op op) {
    struct ipc_io io = {.w = {(fault.io.w[0] & ~PAGE_MASK) | rights, ITEM_FRAME(frame, op)},
                        .rax = SYS_fault_reply_wait | 2 << 8,
                        .rbx = fault.right,
                        .r13 = pager | (u64)fault.right << 32};
    ipc_raw(&io);
    fault.io = io;
    return io;
}

static int table_that_went_back_is_not_near(void) {
    u64 frames[FEED_MAX];
    CHECK(begin_faults() == 0);
    for (u64 i = 0; i < 3; i++) {
        struct ipc_io io = page_in(RW, frame_get(), FILL_ZERO);
        CHECK(io.rax == WOKE_MESSAGE && IPC_ENTERED(io.r14) == 1 && io.w[0] == AT + (i + 1) * PAGE_BYTES);
    }
    CHECK(sys_unmap(space, AT, 3, 0).r > 0); /* the block's table goes to the pool, and from there to us */
    i64 n = sys_unfeed(space, FEED_MAX);
    CHECK(n > 0);
    for (i64 i = 0; i < n; i++)
        frames[i] = AREA[i];
    for (i64 i = 0; i < n; i++)
        for (u64 k = 0; k < PAGE_BYTES / 8; k++)
            ((u64 *)window(frames[i]))[k] = 0x5550;
    struct ipc_io io = page_in(RW, frame_get(), FILL_ZERO); /* of an older epoch */
    CHECK(io.rax == WOKE_MESSAGE && IPC_ENTERED(io.r14) == 0);
    CHECK(io.w[0] == AT + 3 * PAGE_BYTES && io.w[2] == 0 && FAULT_POOL(io.w[1]) == 0);
    CHECK(feed_more(space, 3) == 0);
    io = page_in(RW, frame_get(), FILL_ZERO);
    CHECK(io.rax == WOKE_MESSAGE && IPC_ENTERED(io.r14) == 1 && io.w[0] == AT + 4 * PAGE_BYTES);
    for (i64 i = 0; i < n; i++)
        CHECK(((const u64 *)window(frames[i]))[3] == 0x5550);
    return end_faults();
}

static int nothing_is_mapped_where_the_end_has_begun(void) {
    u32 dying = space_with(8);
    for (u64 i = 0; i < 512; i++) { /* more than one step takes away */
        AREA[2 * (i % 64)] = (AT + i * PAGE_BYTES) | MAP_PAGER;
        AREA[2 * (i % 64) + 1] = 0x1000;
        if (i % 64 == 63)
            CHECK(sys_map(dying, 64).r == 64);
    }
    CHECK(map_page(dying, AT + BLOCK_BYTES, frame_get(), MAP_READ) == 0);
    CHECK(sys_destroy(dying) == -E_AGAIN);
    CHECK(map_page(dying, AT + BLOCK_BYTES + PAGE_BYTES, frame_get(), MAP_READ) == -E_INVAL);
    return destroy_whole(dying) == 0 ? 0 : __LINE__;
}

static int answers_of_an_older_epoch_enter_nothing(void) {
    CHECK(begin_faults() == 0);
    for (u64 i = 0; i < 3; i++)
        CHECK(page_in(RW, frame_get(), FILL_ZERO).rax == WOKE_MESSAGE);
    CHECK(sys_unmap(space, AT, 1, 0).r > 0); /* the table stays */
    struct ipc_io io = page_in(RW, frame_get(), FILL_ZERO);
    CHECK(io.rax == WOKE_MESSAGE && IPC_ENTERED(io.r14) == 0 && io.w[0] == AT + 3 * PAGE_BYTES &&
          io.w[5] == 0);
    CHECK(IPC_ENTERED(page_in(RW, frame_get(), FILL_AS_IS).r14) == 1);
    return end_faults();
}

/* A range that was narrowed counts for one fault. */
static int narrowed_faults_and_whole_ones(void) {
    CHECK(begin_faults() == 0);
    struct ipc_io io = page_in(RW, frame_get(), FILL_ZERO);
    CHECK(io.rax == WOKE_MESSAGE && io.w[0] == AT + PAGE_BYTES);
    struct ipc_io on = {.w = {io.w[0]},
                        .rax = SYS_forward_wait | 6 << 8 | FORWARD_RANGE(1, 1, MAP_READ),
                        .rbx = fault.right | (u64)exceptions << 32,
                        .r13 = exceptions | (u64)fault.right << 32};
    ipc_raw(&on);
    CHECK(on.rax == WOKE_MESSAGE && on.w[0] == AT + PAGE_BYTES);
    struct fault_item both[] = {{(AT + PAGE_BYTES) | RW, ITEM_FRAME(frame_get(), FILL_ZERO)},
                                {(AT + 2 * PAGE_BYTES) | RW, ITEM_FRAME(frame_get(), FILL_ZERO)}};
    CHECK(fault_items(fault.right, both + 1, 1) == 0);
    fault = next_message(pager);
    CHECK(!fault.e && fault.io.w[0] == AT + PAGE_BYTES && fault.io.w[2] == 0);
    CHECK(fault_items(fault.right, both, 2) == 2);
    fault = next_message(pager);
    CHECK(!fault.e && fault.io.w[0] == AT + 3 * PAGE_BYTES);
    return end_faults();
}

/* What the usual answer must not do, by the way that is usual: answer and wait in one. */
static int usual_answers_that_enter_nothing(void) {
    pfn good = frame_get(), mapped = frame_get(), given = frame_get();
    u32 child = slot_get();
    CHECK(sys_account_open(BOOT_ACCOUNT, child) == 0 && sys_give(child, given, 1) == 1 &&
          begin_faults() == 0);
    CHECK(map_page(space, AT + 9 * PAGE_BYTES, mapped, MAP_READ) == 0);
    struct ipc_io io = page_in(RW, frame_get(), FILL_ZERO);
    CHECK(map_page(space, AT + BLOCK_BYTES + 9 * PAGE_BYTES, frame_get(), MAP_READ) ==
          0); /* another table is near */
    const struct fault_item bad[] = {{BLOCK_BYTES | RW, ITEM_FRAME(good, FILL_ZERO)},
                                     {RW, ITEM_FRAME(mapped, FILL_ZERO)},
                                     {RW, ITEM_FRAME(given, FILL_AS_IS)},
                                     {RW, ITEM_FRAME(0, FILL_AS_IS)},
                                     {RW, ITEM_FRAME(1ull << 39, FILL_ZERO)},
                                     {RW | MAP_EXEC, ITEM_FRAME(good, FILL_AS_IS)},
                                     {RW | 0x20, ITEM_FRAME(good, FILL_AS_IS)},
                                     {RW, ITEM_FRAME(good, 8)},
                                     {RW, ITEM_FRAME(good, FILL_COPY)},
                                     {RW, ITEM_FRAME(good, FILL_UPGRADE)},
                                     {9 * PAGE_BYTES | RW, ITEM_FRAME(good, FILL_ZERO)}};
    for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
        io = page_in(bad[i].address, bad[i].frame & ~(15ull << 60), (enum fault_op)(bad[i].frame >> 60));
        CHECK(io.rax == WOKE_MESSAGE && IPC_ENTERED(io.r14) == 0 && io.w[0] == AT + PAGE_BYTES &&
              io.w[5] == 0);
    }
    io = page_in(MAP_READ | MAP_EXEC, good, FILL_AS_IS); /* not to be written: the store faults again */
    CHECK(IPC_ENTERED(io.r14) == 1 && io.w[5] == 1 && PTE_FRAME(io.w[2]) == good &&
          !(io.w[2] & (PTE_WRITE | PTE_NX)));
    CHECK(end_faults() == 0);
    while (sys_account_close(child, 0) > 0)
        ;
    return 0;
}

/* A pager's entry is shown and replaced. */
static int pagers_entries_are_replaced(void) {
    CHECK(begin_faults() == 0);
    CHECK(page_in(RW, frame_get(), FILL_ZERO).rax == WOKE_MESSAGE);
    for (u64 i = 2; i < 5; i++) {
        AREA[0] = (AT + i * PAGE_BYTES) | MAP_PAGER;
        AREA[1] = 0x7770 + 2 * i;
        CHECK(sys_map(space, 1).r == 1);
    }
    for (u64 i = 2; i < 5; i++) {
        struct ipc_io io = page_in(RW, frame_get(), i % 2 ? FILL_ZERO : FILL_AS_IS);
        CHECK(io.rax == WOKE_MESSAGE && io.w[0] == AT + i * PAGE_BYTES && io.w[2] == 0x7770 + 2 * i);
    }
    CHECK(page_in(RW, frame_get(), FILL_ZERO).w[0] == AT + 5 * PAGE_BYTES && sys_audit() != -E_PROTO);
    return end_faults();
}

void test_checked(void) {
    RUN(dropped_endpoint_is_not_waited_on);
    RUN(dropped_by_another_name_of_the_table);
    RUN(ended_endpoint_is_not_waited_on);
    RUN(another_table_names_another_endpoint);
    RUN(threads_bound_anew_wait_elsewhere);
    RUN(table_that_went_back_is_not_near);
    RUN(nothing_is_mapped_where_the_end_has_begun);
    RUN(answers_of_an_older_epoch_enter_nothing);
    RUN(narrowed_faults_and_whole_ones);
    RUN(usual_answers_that_enter_nothing);
    RUN(pagers_entries_are_replaced);
}

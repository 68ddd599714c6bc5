/* SPDX-License-Identifier: MIT */
/* Limits of calls: what a message may hold, what a forwarder has allowed, what a space that ends still takes,
 * how far one call goes, and which marks a frame keeps. */
#include "probe.h"

#define AT PROGRAM_DATA
#define RW (MAP_READ | MAP_WRITE)

static u32 space, thread, rests, house, slot;
static struct message held;
static volatile err result;
static struct ipc_io script;

static int begin(enum program what, vaddr at) {
    space = space_with(10);
    thread = program_start(space, what, at);
    held = next_message(what == PROGRAM_ALIEN ? alien_calls : what == PROGRAM_TRAP ? exceptions : pager);
    return held.e ? __LINE__ : 0;
}

static int end(void) {
    CHECK(sys_destroy(thread) == 0 && destroy_whole(space) == 0);
    (void)sys_cap_drop(BOOT_TABLE, held.right);
    return sys_audit() == -E_PROTO ? __LINE__ : 0;
}

/* Faults that are handed on. */

static struct ipc_io hand_on(u64 first, u64 count, u64 rights, u32 with) {
    struct ipc_io io = {.rax = SYS_forward_wait | 6 << 8 | FORWARD_RANGE(first, count, rights),
                        .rbx = held.right | (u64)house << 32,
                        .r14 = (u64)with << 32};
    ipc_raw(&io);
    return io;
}

static int handed_on(u64 first, u64 count, u64 rights, u32 with) {
    CHECK(hand_on(first, count, rights, with).rax == WOKE_BITS);
    held = next_message(house);
    return held.e ? __LINE__ : 0;
}

static i64 fill(vaddr at, u64 rights) {
    return fault_items(held.right, &(struct fault_item){at | rights, ITEM_FRAME(frame_get(), FILL_ZERO)}, 1);
}

/* Without a capability to the space each forwarder allows as much as it may itself, or less. */
static int forwarders_allow_less(void) {
    CHECK(begin(PROGRAM_LOAD, AT + 8 * PAGE_BYTES) == 0);
    CHECK((err)hand_on(500, 13, MAP_READ, 0).rax == -E_INVAL); /* beyond the block */
    CHECK((err)hand_on(500, 13, MAP_READ, space).rax == -E_INVAL);
    CHECK(handed_on(4, 8, MAP_READ | MAP_EXEC, 0) == 0);
    CHECK((err)hand_on(3, 8, MAP_READ, 0).rax == -E_RIGHTS);
    CHECK((err)hand_on(5, 8, MAP_READ, 0).rax == -E_RIGHTS);
    CHECK((err)hand_on(4, 8, RW, 0).rax == -E_RIGHTS);
    u32 other = space_with(0), weak = slot_get();
    CHECK((err)hand_on(3, 8, MAP_READ, other).rax == -E_RIGHTS); /* another space's */
    CHECK(sys_cap_copy(BOOT_TABLE, weak, space, RIGHT_ALL & ~RIGHT_MAP, 0) == 0);
    CHECK((err)hand_on(3, 8, MAP_READ, weak).rax == -E_RIGHTS);
    CHECK(handed_on(5, 4, MAP_READ, 0) == 0 && handed_on(0, 0, 0, 0) == 0); /* 0 pages: as it was */
    struct fault_item items[] = {{(AT + 4 * PAGE_BYTES) | MAP_READ, ITEM_FRAME(frame_get(), FILL_ZERO)},
                                 {(AT + 9 * PAGE_BYTES) | MAP_READ, ITEM_FRAME(frame_get(), FILL_ZERO)},
                                 {(AT + 5 * PAGE_BYTES) | RW, ITEM_FRAME(frame_get(), FILL_ZERO)},
                                 {(AT + 8 * PAGE_BYTES) | RW, ITEM_FRAME(frame_get(), FILL_ZERO)}};
    CHECK(fault_items(held.right, items, 4) == 2);
    struct pair r = sys_scan(space, AT, 16, 0); /* the right to write has been taken off */
    const struct range_record *list = (const struct range_record *)AREA;
    CHECK((u32)r.second == 2 && !((list[0].value | list[1].value) & (PTE_WRITE | PTE_MAYWRITE)));
    /* the next fault, in the same block, is not narrowed */
    held = next_message(pager);
    CHECK(!held.e && held.io.w[0] == AT + 9 * PAGE_BYTES);
    CHECK(fill(AT + 9 * PAGE_BYTES, RW) == 1);
    held = next_message(pager);
    CHECK(!held.e && held.io.w[0] == AT + 10 * PAGE_BYTES);
    CHECK(handed_on(10, 1, 0, 0) == 0 && handed_on(0, 512, RW, space) == 0 && fill(AT, RW) == 1);
    CHECK(destroy_whole(other) == 0 && sys_cap_drop(BOOT_TABLE, weak) == 0);
    return end();
}

/* The first and the last block of user memory are shorter than others. */
static int ends_of_user_memory(void) {
    static const vaddr blocks[] = {0, USER_END - BLOCK_BYTES + PAGE_BYTES};
    for (u32 i = 0; i < 2; i++) {
        vaddr block = ROUND_DOWN(blocks[i], BLOCK_BYTES);
        for (u32 round = 0; round < 2; round++) {
            CHECK(begin(PROGRAM_LOAD, block + 16 * PAGE_BYTES) == 0);
            if (round)
                CHECK(handed_on(0, 512, RW, space) == 0);
            CHECK(fill(i ? block + BLOCK_BYTES - PAGE_BYTES : block, MAP_READ) == 0);
            CHECK(end() == 0);
        }
    }
    return 0;
}

/* What allows the access by the time that the fault would be shown is not shown. */
static int needless_fault(void) {
    space = space_with(10);
    u32 mine = endpoint_make();
    CHECK(sys_space_bind(space, mine, 0, 0, 0, 0, 0) == 0);
    thread = program_start(space, PROGRAM_LOAD, AT);
    settle(); /* its fault is queued */
    CHECK(map_page(space, AT, frame_get(), MAP_READ) == 0);
    held = next_message(mine);
    CHECK(!held.e && held.io.w[0] == AT + PAGE_BYTES);
    CHECK(end() == 0 && sys_destroy(mine) == 0);
    return 0;
}

/* A dropped right has entered nothing; a fault counts as repeated only if something was. */
static int dropped_is_no_repeat(void) {
    CHECK(begin(PROGRAM_STORE, AT) == 0 && fill(AT, MAP_READ) == 1);
    held = next_message(pager);
    CHECK(!held.e && held.io.w[5] == 1 && sys_cap_drop(BOOT_TABLE, held.right) == 0);
    held = next_message(pager);
    CHECK(!held.e && held.io.w[5] == 1);
    return end();
}

static int upgrades_that_must_not_be(void) {
    pfn frame = frame_get();
    CHECK(begin(PROGRAM_STORE, AT) == 0 && fill(AT, MAP_READ) == 1);
    held = next_message(pager);
    pfn there = PTE_FRAME(held.io.w[2]);
    for (u64 op = FILL_UPGRADE + 1; op < 16; op++) {
        CHECK(fault_items(held.right, &(struct fault_item){AT | RW, ITEM_FRAME(there, op)}, 1) == 0);
        held = next_message(pager);
        CHECK(!held.e && !(held.io.w[2] & PTE_WRITE));
    }
    /* a pager's entry that looks as if it named the frame */
    u32 other = space_with(6);
    CHECK(map_page(other, AT, frame, MAP_READ) == 0 && sys_unmap(space, AT, 1, 0).r > 0);
    AREA[0] = AT | MAP_PAGER;
    AREA[1] = frame << PAGE_SHIFT;
    CHECK(sys_map(space, 1).r == 1 && sys_cap_drop(BOOT_TABLE, held.right) == 0);
    held = next_message(pager);
    CHECK(!held.e && held.io.w[2] == frame << PAGE_SHIFT);
    CHECK(fault_items(held.right, &(struct fault_item){AT | RW, ITEM_FRAME(frame, FILL_UPGRADE)}, 1) == 0);
    held = next_message(pager);
    CHECK(!held.e && held.io.w[2] == frame << PAGE_SHIFT && destroy_whole(other) == 0);
    return end();
}

/* Messages. */

static void plays(u64 unused) {
    (void)unused;
    ipc_raw(&script);
    result = (err)script.rax;
    for (;;)
        (void)wait_on(rests, 0);
}

static struct worker play(struct ipc_io io, bool page) {
    struct worker w = worker_make(plays, 0, PRIO_LINUX);
    script = io;
    result = 1;
    if ((!page && sys_thread_bind(w.slot, BOOT_SPACE, w.index, 0, PRIO_LINUX, 0)) || sys_start(w.slot))
        say("FAIL play\n");
    return w;
}

static int without_a_page(void) {
    static const u64 calls[] = {SYS_call | 7 << 8, SYS_forward_wait | 7 << 8, SYS_fault_reply_wait | 8 << 8};
    for (u32 i = 0; i < ARRAY_LEN(calls); i++) {
        CHECK(begin(PROGRAM_LOAD, AT) == 0);
        struct ipc_io io = {.rax = calls[i], .rbx = i ? held.right | (u64)house << 32 : house};
        struct worker w = play(io, false);
        sleep_ms(1);
        CHECK(result == -E_2BIG && sys_stop(w.slot) == 0 && end() == 0);
    }
    return 0;
}

static err answer_with(u64 words, u32 send, u64 call) {
    struct ipc_io io = {.rax = call | words << 8, .rbx = held.right | (u64)send << 32, .r15 = 5};
    ipc_raw(&io);
    return io.rax == WOKE_BITS && io.r15 == 0 ? 0 : (err)io.rax;
}

static int answers_are_checked(void) {
    CHECK(begin(PROGRAM_LOAD, AT) == 0);
    CHECK(answer_with(7, 0, SYS_reply_wait) == -E_2BIG && answer_with(3, 0, SYS_fault_reply_wait) == -E_2BIG);
    CHECK(answer_with(34, 0, SYS_fault_reply_wait) == -E_2BIG && end() == 0);
    CHECK(begin(PROGRAM_ALIEN, 0) == 0);
    CHECK(answer_with(7, 0, SYS_reply_wait) == -E_2BIG);
    CHECK(answer_with(0, house, SYS_reply_wait) == -E_NOSLOT);
    CHECK(sys_fault_as(held.right, 0, ACCESS_EXEC + 1, 0) == -E_INVAL);
    CHECK(sys_fault_as(held.right, 0, ~0ull, 0) == -E_INVAL);
    CHECK(answer_with(0, 0, SYS_reply_wait) == 0 && end() == 0);
    u32 empty = slot_get();
    struct worker w = play((struct ipc_io){.rax = SYS_call, .rbx = house, .r13 = (u64)empty << 32}, true);
    held = next_message(house);
    CHECK(!held.e && answer_with(MSG_WORDS + 1, 0, SYS_reply_wait) == -E_2BIG);
    CHECK(answer_with(255, 0, SYS_reply_wait) == -E_2BIG);
    CHECK(answer_with(0, held.right, SYS_reply_wait) == -E_KIND); /* a right to reply can't be sent */
    CHECK(answer_with(0, empty, SYS_reply_wait) == -E_BADCAP);
    CHECK(answer_with(0, house, SYS_reply_wait) == 0 && sys_notify(empty, 0) == 0);
    sleep_ms(1);
    CHECK(result == 0 && sys_stop(w.slot) == 0 && sys_cap_drop(BOOT_TABLE, empty) == 0);
    return 0;
}

static int capabilities_that_cant_be_sent(void) {
    CHECK(begin(PROGRAM_LOAD, AT) == 0);
    for (u32 round = 0; round < 2; round++) {
        /* a right to reply; or anything, into the slot that is for the right to reply itself */
        struct worker w =
            play((struct ipc_io){.rax = SYS_call, .rbx = house, .r13 = round ? rests : held.right}, true);
        sleep_ms(1);
        struct ipc_io io = {.rax = SYS_reply_wait | WAIT_POLL << 16,
                            .r13 = house | (u64)slot << 32,
                            .r14 = round ? slot : slot_get()};
        ipc_raw(&io);
        CHECK((err)io.rax == -E_AGAIN);
        sleep_ms(1);
        CHECK(result == (round ? -E_NOSLOT : -E_KIND) && sys_stop(w.slot) == 0);
    }
    return end();
}

/* A wait ends with its endpoint, also if the thread has had a fault before. */
static int wait_after_a_fault(void) {
    u32 mine = endpoint_make(), table = slot_get();
    CHECK(begin(PROGRAM_LOAD, AT) == 0);
    CHECK(sys_retype(frame_get(), 1, KIND_CAPTABLE, table) == 0 &&
          sys_cap_copy(table, 5, mine, RIGHT_ALL, 0) == 0 &&
          sys_space_bind(space, 0, 0, 0, 0, table, 0) == 0);
    CHECK(sys_stop(thread) == 0 && sys_cap_drop(BOOT_TABLE, held.right) == 0);
    struct user_regs r = program_regs(PROGRAM_ALIEN, 0);
    r.rip = program_syscall_at();
    r.rax = SYS_reply_wait;
    r.r13 = 5 | 9ull << 32;
    *(struct user_regs *)AREA = r;
    CHECK(sys_regs_write(thread, REGS_GENERAL) == 0 && sys_start(thread) == 0);
    sleep_ms(1);
    CHECK(sys_regs_read(thread, REGS_GENERAL) == -E_BUSY && sys_destroy(mine) == 0);
    CHECK(sys_stop(thread) == 0 && sys_regs_read(thread, REGS_GENERAL) == 0);
    CHECK(((const struct user_regs *)AREA)->rax == (u64)-E_INTR);
    CHECK(end() == 0 && sys_destroy(table) == 0);
    return 0;
}

/* Arguments that nobody else tries. */

static int arguments(void) {
    u32 t = slot_get(), e = endpoint_make();
    CHECK(sys_retype(frame_get(), 0, KIND_CAPTABLE, t) == -E_INVAL);
    CHECK(sys_retype(frame_get(), 0, KIND_ENDPOINT, t) == -E_INVAL);
    CHECK(sys_retype(frame_get(), 1, KIND_THREAD, t) == 0);
    CHECK(sys_cap_drop(BOOT_TABLE, 0) == -E_BADCAP); /* the table's own record lies there */
    CHECK(sys_account_bind(BOOT_ACCOUNT, e, 64) == -E_INVAL);
    struct user_regs *u = (struct user_regs *)AREA;
    *u = (struct user_regs){.rip = PROGRAM_CODE, .fs_base = USER_END};
    CHECK(sys_regs_write(t, REGS_GENERAL) == -E_INVAL);
    u->fs_base = 1ull << 63;
    CHECK(sys_regs_write(t, REGS_GENERAL) == -E_INVAL);
    u->fs_base = USER_END - 1;
    CHECK(sys_regs_write(t, REGS_GENERAL) == 0);
    u->rip = ~0ull;
    CHECK(sys_regs_write(t, REGS_GENERAL) == -E_INVAL);
    u32 home = space_with(8), permit = slot_get();
    CHECK(map_page(home, AT, frame_get(), MAP_READ | MAP_MAYWRITE) == 0);
    CHECK(sys_permit(home, AT, 1, MAP_READ, permit) == 0);
    CHECK(sys_protect(permit, AT, 1, RW).r == -E_RIGHTS && sys_protect(permit, AT, 1, MAP_READ).r > 0);
    CHECK(sys_permit_end(permit) == 0);
    CHECK(sys_permit(home, USER_END, 1, MAP_READ, permit) == -E_INVAL);
    CHECK(sys_permit(home, USER_END - PAGE_BYTES, 1, MAP_READ, permit) == 0);
    /* addresses that only look as if they were the user's */
    pfn frame = frame_get();
    static const u64 high[] = {USER_END, 1ull << 48, 1ull << 63, PHYS_BASE, KERNEL_BASE};
    for (u32 i = 0; i < ARRAY_LEN(high); i++) {
        CHECK(sys_copy(COPY_FRAMES, frame * PAGE_BYTES, home, high[i] + AT, 8).r == 0);
        CHECK(sys_copy(home, high[i] + AT, COPY_FRAMES, frame * PAGE_BYTES, 8).r == 0);
    }
    CHECK(destroy_whole(home) == 0 && sys_destroy(t) == 0 && sys_destroy(e) == 0);
    return 0;
}

/* From the first step of its end on, a space takes nothing any more. */
static int space_that_ends(void) {
    u32 home = space_with(8), other = space_with(8), t = slot_get(), account = slot_get();
    pfn frame = frame_get(), spare = frame_get();
    CHECK(sys_account_open(BOOT_ACCOUNT, account) == 0 && sys_space_bind(home, 0, 0, 0, account, 0, 0) == 0);
    CHECK(sys_account_close(account, 0) == -E_BUSY);
    for (u64 i = 0; i < 400; i++)
        CHECK(map_page(home, AT + i * PAGE_BYTES, frame, MAP_READ) == 0);
    CHECK(map_page(other, AT, frame, MAP_READ) == 0 && sys_retype(frame_get(), 1, KIND_THREAD, t) == 0);
    CHECK(sys_destroy(home) == -E_AGAIN);
    CHECK(map_page(home, AT, frame, MAP_READ) == -E_INVAL);
    CHECK(sys_clone(other, home, AT, 1).r == -E_INVAL && sys_clone_private(other, home, AT, 1).r == -E_INVAL);
    CHECK(sys_space_bind(home, house, 0, 0, 0, 0, 0) == -E_INVAL);
    CHECK(sys_thread_bind(t, home, 0, 0, PRIO_LINUX, 0) == -E_INVAL);
    AREA[0] = spare;
    CHECK(sys_feed(home, 1) == -E_INVAL);
    CHECK(destroy_whole(home) == 0 && destroy_whole(other) == 0 && sys_destroy(t) == 0);
    i64 next; /* nobody is bound to it any more */
    while ((next = sys_account_close(account, 0)) > 0)
        ;
    return next || sys_audit() == -E_PROTO ? __LINE__ : 0;
}

/* Entries that are removed or repeated cost two visits each: a call does 256. */
static int work_counts_twice(void) {
    u32 home = space_with(8), other = space_with(8);
    pfn frame = frame_get();
    for (u64 i = 0; i < 300; i++)
        CHECK(map_page(home, AT + i * PAGE_BYTES, frame, MAP_READ) == 0);
    struct pair r = sys_clone(home, other, AT, 300);
    CHECK(r.r == AT + 256 * PAGE_BYTES && r.second >> 32 == STOP_BOUND);
    r = sys_unmap(home, AT, 300, 0);
    CHECK(r.r == AT + 256 * PAGE_BYTES && r.second >> 32 == STOP_BOUND);
    r = sys_protect(other, AT, 512, MAP_READ);
    CHECK(r.r == AT + 512 * PAGE_BYTES);
    CHECK(destroy_whole(home) == 0 && destroy_whole(other) == 0);
    return 0;
}

/* A frame's marks: what is known to be zero, and what has been written. */
static u64 marks(pfn frame) {
    AREA[0] = frame;
    return sys_frames_list(1, 0) == 1 ? FLAGS_OF(AREA[0]) : ~0ull;
}

static pfn zeroed_frame(u32 home) {
    AREA[0] = frame_get();
    if (sys_feed(home, 1) != 1 || sys_unfeed(home, 1) != 1)
        return 0;
    return AREA[0];
}

static int marks_of_frames(void) {
    u32 home = space_with(8);
    pfn from = frame_get(), to = zeroed_frame(home);
    *(u64 *)window(from) = 0x7777;
    CHECK(to && marks(to) & FRAME_ZEROED);
    CHECK(sys_copy(COPY_FRAMES, to * PAGE_BYTES, COPY_FRAMES, from * PAGE_BYTES, 8).r == 8);
    CHECK(!(marks(to) & FRAME_ZEROED) && marks(to) & FRAME_DIRTY);
    AREA[0] = to; /* and so it is cleared before it is a table */
    CHECK(sys_feed(home, 1) == 1 && sys_audit() != -E_PROTO);
    pfn mapped = frame_get();
    CHECK(map_page(home, AT, mapped, RW) == 0);
    CHECK(sys_copy(home, AT, COPY_FRAMES, from * PAGE_BYTES, 8).r == 8);
    struct pair r = sys_unmap(home, AT, 1, 0);
    CHECK((u32)r.second == 1 && (AREA[1] >> 52 & FRAME_DIRTY) && (AREA[1] & ((1ull << 40) - 1)) == mapped);
    CHECK(destroy_whole(home) == 0);
    /* a copy that may not be written is not zero either */
    CHECK(begin(PROGRAM_STORE, AT) == 0 && fill(AT, MAP_READ) == 1);
    held = next_message(pager);
    to = zeroed_frame(space);
    CHECK(!held.e && to && marks(to) & FRAME_ZEROED);
    CHECK(fault_items(held.right, &(struct fault_item){AT | MAP_READ, ITEM_FRAME(to, FILL_COPY)}, 1) == 1);
    CHECK(!(marks(to) & FRAME_ZEROED));
    held = next_message(pager);
    return end();
}

/* Whose registers lie still, and who may be bound anew. */
static int threads_at_rest(void) {
    u32 mine = endpoint_make();
    CHECK(begin(PROGRAM_LOAD, AT) == 0);
    CHECK(sys_thread_bind(thread, space, 0, 0, PRIO_LINUX, 0) == -E_BUSY);
    CHECK(sys_regs_read(thread, REGS_GENERAL) == 0);
    CHECK(sys_space_bind(space, mine, 0, 0, 0, 0, 0) == 0 && sys_cap_drop(BOOT_TABLE, held.right) == 0);
    settle(); /* its fault is queued now */
    CHECK(sys_regs_read(thread, REGS_GENERAL) == 0 && end() == 0 && sys_destroy(mine) == 0);
    struct worker w = play((struct ipc_io){.rax = SYS_call, .rbx = house}, true);
    sleep_ms(1);
    CHECK(sys_regs_read(w.slot, REGS_GENERAL) == -E_BUSY);
    held = next_message(house);
    CHECK(!held.e && sys_regs_read(w.slot, REGS_GENERAL) == -E_BUSY);
    CHECK(sys_regs_write(w.slot, REGS_GENERAL) == -E_BUSY && sys_start(w.slot) == -E_BUSY);
    CHECK(answer(held.right, 0, 0) == WOKE_BITS && sys_stop(w.slot) == 0);
    return 0;
}

static int bindings(void) {
    u32 home = space_with(0), t = slot_get(), old = slot_get(), table = slot_get(), weak = slot_get();
    CHECK(sys_retype(frame_get(), 1, KIND_THREAD, t) == 0);
    CHECK(sys_thread_bind(t, home, 0, 0, PRIO_LOW, THREAD_ALIEN << 1) == -E_INVAL);
    CHECK(sys_retype(frame_get(), 1, KIND_CAPTABLE, old) == 0 &&
          sys_retype(frame_get(), 1, KIND_CAPTABLE, table) == 0);
    CHECK(sys_space_bind(home, 0, 0, 0, 0, old, 0) == 0 && sys_destroy(old) == -E_BUSY);
    CHECK(sys_space_bind(home, 0, 0, 0, 0, table, 0) == 0 && sys_destroy(old) == 0);
    static const u32 strong[] = {BOOT_ACCOUNT, 0};
    for (u32 i = 0; i < 2; i++) {
        u32 from = strong[i] ? strong[i] : table;
        CHECK(sys_cap_copy(BOOT_TABLE, weak, from, RIGHT_ALL & ~RIGHT_CONTROL, 0) == 0);
        CHECK(sys_space_bind(home, 0, 0, 0, i ? 0 : weak, i ? weak : 0, 0) == -E_RIGHTS);
        CHECK(sys_cap_drop(BOOT_TABLE, weak) == 0);
    }
    /* a permit allows tables only if its maker was allowed them */
    u32 permit = slot_get();
    CHECK(sys_cap_copy(BOOT_TABLE, weak, home, RIGHT_ALL & ~RIGHT_FEED, 0) == 0);
    CHECK(sys_permit(weak, AT, 1, MAP_READ, permit) == 0 && sys_feed(permit, 0) == -E_RIGHTS);
    CHECK(sys_permit_end(permit) == 0 && sys_permit(home, AT, 1, MAP_READ, permit) == 0);
    CHECK(sys_feed(permit, 0) == 0 && sys_cap_drop(BOOT_TABLE, weak) == 0);
    CHECK(sys_destroy(t) == 0 && destroy_whole(home) == 0 && sys_destroy(table) == 0);
    return sys_cap_drop(BOOT_TABLE, permit) ? __LINE__ : 0;
}

/* exec: what was known of the old space's tables is not used for the new one's. */
static int fault_after_exec(void) {
    u32 other = space_with(10);
    CHECK(begin(PROGRAM_ALIEN, 0) == 0);
    for (u32 i = 0; i < 3; i++) {
        if (i == 2)
            CHECK(sys_thread_bind(thread, other, thread, 0, PRIO_LINUX, THREAD_ALIEN) == 0);
        CHECK(sys_fault_as(held.right, AT + i * PAGE_BYTES, ACCESS_READ, 0) == 0);
        held = next_message(pager);
        CHECK(!held.e && fill(AT + i * PAGE_BYTES, MAP_READ) == 1);
        held = next_message(alien_calls);
        CHECK(!held.e);
    }
    struct pair r = sys_scan(space, AT, 8, 0);
    CHECK((u32)r.second == 2);
    r = sys_scan(other, AT, 8, 0);
    CHECK((u32)r.second == 1 &&
          ((const struct range_record *)AREA)->address == ((AT + 2 * PAGE_BYTES) | RECORD_ENTRY));
    CHECK(end() == 0 && destroy_whole(other) == 0);
    return 0;
}

/* An account that is being closed takes no frames, neither as a run nor by a list. */
static int account_that_ends(void) {
    u32 account = slot_get(), home = space_with(8);
    pfn frame = frame_get(), more = frame_get();
    CHECK(sys_account_open(BOOT_ACCOUNT, account) == 0 && sys_account_close(account, 0) > 0);
    CHECK(sys_give(account, frame, 1) == -E_BADCAP);
    AREA[0] = FRAME_RUN(frame, 1);
    CHECK(sys_give(account, GIVE_LIST, 1) == -E_BADCAP);
    CHECK(sys_space_bind(home, 0, 0, 0, account, 0, 0) == -E_BADCAP);
    i64 next;
    while ((next = sys_account_close(account, 0)) > 0)
        ;
    CHECK(next == 0 && sys_give(account, more, 1) == -E_BADCAP && destroy_whole(home) == 0);
    return 0;
}

void test_limits(void) {
    rests = endpoint_make();
    house = endpoint_make();
    slot = slot_get();
    RUN(forwarders_allow_less);
    RUN(ends_of_user_memory);
    RUN(needless_fault);
    RUN(dropped_is_no_repeat);
    RUN(upgrades_that_must_not_be);
    RUN(without_a_page);
    RUN(answers_are_checked);
    RUN(capabilities_that_cant_be_sent);
    RUN(wait_after_a_fault);
    RUN(arguments);
    RUN(space_that_ends);
    RUN(work_counts_twice);
    RUN(marks_of_frames);
    RUN(threads_at_rest);
    RUN(bindings);
    RUN(fault_after_exec);
    RUN(account_that_ends);
}

/* SPDX-License-Identifier: MIT */
/* Random conversations: servers, callers of all levels and programs talk, all of them by dice of their own,
 * and everything that a call brings is put into one digest, in the order in which it happened. Nothing here
 * depends on time, so every kernel must come to the same digests: with its short paths, and without
 * (tests/system/test_ring3.py). `talk EVENTS DIGEST` is said every 500 events. */
#include "probe.h"

enum { SERVERS = 4, CALLERS = 4, PROGRAMS = 5, KEPT = 4, EVENTS = 20000, POOL = 96, DATA_PAGES = 64 };
#define FAR_AWAY (1ull << 60) /* a deadline that never comes */

static u32 endpoints[SERVERS], badged[SERVERS], spare_slots[8], kept[SERVERS + CALLERS][KEPT], rests;
static struct worker workers[SERVERS + CALLERS];
static u64 dice[SERVERS + CALLERS + 1], events, digest;
static u32 spaces[2], programs[PROGRAMS], rest_thread;
static pfn pool[POOL];

static u64 roll(u32 who, u64 n) {
    dice[who] ^= dice[who] << 13;
    dice[who] ^= dice[who] >> 7;
    dice[who] ^= dice[who] << 17;
    return (dice[who] * 0x2545f4914f6cdd1d >> 20) % n;
}

static void mix(u64 word) {
    digest = (digest ^ word) * 0x100000001b3;
    digest ^= digest >> 29;
}

/* Kernels differ in size, and so all frames' numbers. */
static u64 entry_without_place(u64 entry) {
    return entry - (pool[0] << PAGE_SHIFT);
}

static void event(u32 who, const struct ipc_io *io, bool is_call, u32 page) {
    mix(who);
    mix(io->rax);
    if ((i64)io->rax < 0 || (!is_call && io->rax != WOKE_MESSAGE)) {
        mix((i64)io->rax < 0 ? 0 : io->r15);
    } else {
        bool fault = !is_call && IPC_KIND(io->r14) == MSG_FAULT && !(IPC_FLAGS(io->r14) & IPC_FORWARDED);
        for (u32 i = 0; i < MSG_REG_WORDS; i++)
            mix(fault && i == 2 && io->w[i] & PTE_PRESENT ? entry_without_place(io->w[i]) : io->w[i]);
        for (u32 i = MSG_REG_WORDS; i < IPC_NWORDS(io->r14); i++)
            mix(message_of(page)[i]);
        mix(io->label);
        mix(io->r14);
        if (!is_call) {
            mix(io->rbx);
            mix(io->r13);
            mix(io->r15);
        }
    }
    events++;
}

/* 0 to 6 words most often; more lie in the page of the thread. */
static u64 words(u32 who, struct ipc_io *io, u32 page) {
    u64 n = roll(who, 8) ? roll(who, 7) : roll(who, 20);
    for (u32 i = 0; i < MSG_REG_WORDS; i++)
        io->w[i] = roll(who, 1000);
    for (u64 i = MSG_REG_WORDS; i < n; i++)
        message_of(page)[i] = roll(who, 1000);
    return n;
}

static u64 spare(u32 who) {
    return roll(who, 6) ? 0 : spare_slots[roll(who, ARRAY_LEN(spare_slots))];
}

static void caller(u64 who) {
    u32 me = (u32)who, page = workers[me].index;
    for (;;) {
        struct ipc_io io = {.label = 0x100 + roll(me, 9)};
        io.rax = SYS_call | words(me, &io, page) << 8;
        io.rbx = roll(me, 2) ? endpoints[roll(me, SERVERS)] : badged[roll(me, SERVERS)];
        io.r13 = spare(me) | spare(me) << 32;
        ipc_raw(&io);
        event(me, &io, true, page);
        if (roll(me, 8) == 0)
            (void)wait_on(rests, 0);
    }
}

static void items(u32 me, struct ipc_io *io, vaddr at) {
    u64 n = roll(me, 4) ? 1 : roll(me, 4);
    io->rax = SYS_fault_reply_wait | 2 * n << 8;
    for (u64 i = 0; i < n && i < 3; i++) {
        u64 page = roll(me, 5) ? (at & ~PAGE_MASK) + i * PAGE_BYTES
                               : PROGRAM_DATA + roll(me, DATA_PAGES) * PAGE_BYTES;
        io->w[2 * i] = page | (roll(me, 3) ? MAP_READ | MAP_WRITE : MAP_READ);
        io->w[2 * i + 1] = ITEM_FRAME(pool[roll(me, POOL)], roll(me, 8) ? FILL_ZERO : roll(me, 4));
    }
}

/* The next call of a server that has got a message (or none: rax is not WOKE_MESSAGE). */
static void reply(u32 me, struct ipc_io *io, u32 slot) {
    bool message = io->rax == WOKE_MESSAGE;
    u64 kind = IPC_KIND(io->r14), at = io->w[0], choice = roll(me, 16);
    struct ipc_io next = {.label = roll(me, 3) ? 0 : (u64)-E_INVAL};
    u64 n = words(me, &next, workers[me].index);
    next.rax = SYS_reply_wait | n << 8;
    if (message && kind == MSG_FAULT && choice == 1 && sys_raise(slot, RAISE_CODE(11, 1), at) == 0)
        message = false;
    if (message && kind >= MSG_ALIEN && choice == 2 &&
        sys_fault_as(slot, PROGRAM_DATA + roll(me, DATA_PAGES) * PAGE_BYTES, ACCESS_WRITE, roll(me, 99)) == 0)
        message = false;
    if (message && kind == MSG_ALIEN && choice == 3)
        next.rax |= WAIT_REGS << 16;
    if (message && choice == 4) {
        next.rax = SYS_forward_wait | n << 8;
        next.rbx = (u64)badged[roll(me, SERVERS)] << 32;
        if (roll(me, 2))
            next.rax |= FORWARD_RANGE(roll(me, 8), 1 + roll(me, DATA_PAGES),
                                      roll(me, 2) ? MAP_READ | MAP_WRITE : MAP_READ);
    }
    u64 keeps = choice == 5 || choice == 6; /* the caller for later */
    u32 answered = message && !keeps ? slot : roll(me, 2) ? kept[me][roll(me, KEPT)] : 0;
    if (message && kind == MSG_FAULT && choice && choice != 4 && !keeps)
        items(me, &next, at);
    next.rbx |= answered;
    if ((next.rax & 0xff) == SYS_reply_wait)
        next.rbx |= spare(me) << 32;
    next.r13 = endpoints[me];
    next.r14 = spare(me);
    if ((u8)next.rax == SYS_forward_wait)
        next.r14 |= (u64)(roll(me, 4) ? spaces[roll(me, 2)] : 0) << 32;
    next.r15 = roll(me, 10) ? 0 : FAR_AWAY;
    *io = next;
}

static void server(u64 who) {
    u32 me = (u32)who, page = workers[me].index, slot = 0;
    struct ipc_io io = {.rax = (u64)-E_AGAIN};
    for (;;) {
        struct ipc_io got = io;
        reply(me, &io, slot);
        slot = kept[me][roll(me, KEPT)];
        if (roll(me, 40) == 0)
            (void)sys_cap_drop(BOOT_TABLE, slot);
        io.r13 |= (roll(me, 24) ? (u64)slot : 0) << 32;
        if (got.rax == WOKE_BITS && roll(me, 2))
            io.rax |= WAIT_POLL << 16;
        if (roll(me, 6) == 0) { /* in two calls */
            u64 waits = io.r13;
            io.r13 = roll(me, 2) ? 0 : waits >> 32 << 32;
            ipc_raw(&io);
            event(me, &io, false, page);
            io.rax = SYS_reply_wait;
            io.rbx = 0;
            io.r13 = waits;
            io.r14 = spare(me);
        }
        ipc_raw(&io);
        event(me, &io, false, page);
        if ((i64)io.rax < 0 && (i64)io.rax != -E_OCCUPIED && roll(me, 2))
            (void)wait_on(endpoints[me], 0);
        if ((i64)io.rax == -E_OCCUPIED) { /* all are kept: one is answered */
            i64 e = answer(slot, 1, 2);
            mix((u64)e);
        }
    }
}

static void resting(u64 unused) {
    (void)unused;
    for (;;)
        (void)sys_notify(rests, 1ull << 40);
}

/* This program's first thread: it stirs when all have come to rest. */

static void program_begin(u32 i) {
    u32 me = SERVERS + CALLERS;
    static const u8 what[PROGRAMS] = {PROGRAM_STORE, PROGRAM_LOAD, PROGRAM_ALIEN, PROGRAM_CALL, PROGRAM_TRAP};
    if (sys_stop(programs[i]))
        return;
    *(struct user_regs *)AREA =
        program_regs(what[i], what[i] == PROGRAM_CALL ? 1 + roll(me, SERVERS) : PROGRAM_DATA);
    (void)sys_regs_write(programs[i], REGS_GENERAL);
    (void)sys_start(programs[i]);
}

static void stir(void) {
    u32 me = SERVERS + CALLERS, s = (u32)roll(me, SERVERS), k = (u32)roll(me, KEPT);
    switch (roll(me, 7)) {
    case 0:
        (void)sys_notify(endpoints[s], 1ull << roll(me, 30));
        break;
    case 1:
        mix((u64)answer(kept[s][k], 5, 6));
        break;
    case 2:
        mix((u64)sys_cap_drop(BOOT_TABLE, kept[s][k]));
        break;
    case 3:
        (void)sys_interrupt(programs[roll(me, PROGRAMS)]);
        break;
    case 4:
        program_begin((u32)roll(me, PROGRAMS));
        break;
    case 5:
        for (u32 i = 0; i < 2; i++)
            (void)sys_unmap(spaces[i], PROGRAM_DATA, DATA_PAGES + 8, 0);
        break;
    default:
        (void)sys_notify(rests, 1); /* whoever of the callers sleeps goes on */
        for (u32 i = 0; i < CALLERS; i++)
            if (sys_stop(workers[SERVERS + i].slot) == 0)
                (void)sys_start(workers[SERVERS + i].slot);
    }
}

static u32 program_make(u32 space, u64 flags) {
    u32 slot = slot_get();
    if (sys_retype(frame_get(), 1, KIND_THREAD, slot) ||
        sys_thread_bind(slot, space, 100 + slot, 0, PRIO_LINUX, flags))
        say("FAIL program_make\n");
    return slot;
}

static void begin(u64 seed) {
    static const u8 levels[] = {PRIO_CACHE, PRIO_REGION, PRIO_REGION, PRIO_FRAME,
                                PRIO_LINUX, PRIO_CACHE,  PRIO_SLAB,   PRIO_ATA};
    events = digest = 0;
    rests = endpoint_make();
    for (u32 i = 0; i <= SERVERS + CALLERS; i++)
        dice[i] = (seed + i + 1) * 0x9e3779b97f4a7c15;
    for (u32 i = 0; i < SERVERS; i++) {
        endpoints[i] = endpoint_make();
        badged[i] = slot_get();
        if (sys_cap_copy(BOOT_TABLE, badged[i], endpoints[i], RIGHT_ALL, 70 + i))
            say("FAIL badge\n");
    }
    for (u32 i = 0; i < ARRAY_LEN(spare_slots); i++)
        spare_slots[i] = i < 2 ? endpoint_make() : slot_get();
    for (u32 i = 0; i < POOL; i++)
        pool[i] = frame_get();
    for (u32 i = 0; i < SERVERS + CALLERS; i++) {
        workers[i] = worker_make(i < SERVERS ? server : caller, i, levels[i]);
        for (u32 k = 0; k < KEPT; k++)
            kept[i][k] = slot_get();
    }
    u32 table = slot_get();
    if (sys_retype(frame_get(), 1, KIND_CAPTABLE, table))
        say("FAIL table\n");
    for (u32 i = 0; i < SERVERS; i++)
        if (sys_cap_copy(table, 1 + i, badged[i], RIGHT_CALL, 0))
            say("FAIL table\n");
    for (u32 i = 0; i < 2; i++) {
        spaces[i] = space_with(8);
        program_code(spaces[i]);
        if (sys_space_bind(spaces[i], badged[i], badged[2], badged[3], 0, table, 0))
            say("FAIL bind\n");
    }
    for (u32 i = 0; i < PROGRAMS; i++)
        programs[i] = program_make(spaces[i % 2], i == 2 ? THREAD_ALIEN : 0);
    for (u32 i = 0; i < SERVERS + CALLERS; i++)
        if (sys_start(workers[i].slot))
            say("FAIL start\n");
    for (u32 i = 0; i < PROGRAMS; i++)
        program_begin(i);
    struct worker w = worker_make(resting, 0, PRIO_LOW);
    rest_thread = w.slot;
    if (sys_start(rest_thread))
        say("FAIL start\n");
}

static void conversation(u64 seed) {
    begin(seed);
    u64 said = 0;
    for (u32 rounds = 0; events < EVENTS && rounds < 4 * EVENTS; rounds++) {
        (void)wait_on(rests, 0);
        stir();
        if (events / 500 == said)
            continue;
        said = events / 500;
        say("talk ");
        say_number(events);
        say(" ");
        say_number(digest);
        say("\n");
    }
    for (u32 i = 0; i < SERVERS + CALLERS; i++)
        (void)sys_destroy(workers[i].slot);
    for (u32 i = 0; i < PROGRAMS; i++)
        (void)sys_destroy(programs[i]);
    (void)sys_destroy(rest_thread);
    say(sys_audit() == -E_PROTO ? "FAIL audit\n" : "ok conversation\n");
}

void talk(void) {
    for (u64 seed = 1; seed <= 3; seed++)
        conversation(seed);
}

/* SPDX-License-Identifier: MIT */
/* Who runs: fixed levels, the order within a level, and the turns of programs. The first thread is above all
 * others, and waits to let them run. */
#include "ring3.h"

static u32 rests, house;
static volatile u64 order[16], ran[2], shortest;
static volatile u32 count;
static struct worker started[3];

static void note(u64 who) {
    order[count++ % ARRAY_LEN(order)] = who;
}

static void rest(void) {
    for (;;)
        (void)wait_on(rests, 0);
}

static void begin(void) {
    sleep_ms(20); /* nobody's turn is under way */
    count = 0;
    for (u32 i = 0; i < ARRAY_LEN(order); i++)
        order[i] = 0;
}

static int came(u32 n, const u8 *who) {
    CHECK(count == n);
    for (u32 i = 0; i < n; i++)
        CHECK(order[i] == who[i]);
    return 0;
}
#define CAME(...) came(sizeof((u8[]){__VA_ARGS__}), (const u8[]){__VA_ARGS__})

static void notes(u64 who) {
    note(who);
    rest();
}

static int levels_are_fixed(void) {
    static const u8 levels[] = {PRIO_CACHE,   PRIO_PROGRAM, PRIO_ATA,   PRIO_LINUX, PRIO_SLAB,
                                PRIO_CONSOLE, PRIO_FRAME,   PRIO_CACHE, PRIO_REGION};
    struct worker w[ARRAY_LEN(levels)];
    begin();
    for (u32 i = 0; i < ARRAY_LEN(levels); i++) {
        w[i] = worker_make(notes, levels[i] * 10 + i, levels[i]);
        CHECK(sys_start(w[i].slot) == 0);
    }
    sleep_ms(5);
    CHECK(CAME(PRIO_ATA * 10 + 2, PRIO_CONSOLE * 10 + 5, PRIO_FRAME * 10 + 6, PRIO_SLAB * 10 + 4,
               PRIO_REGION * 10 + 8, PRIO_CACHE * 10, PRIO_CACHE * 10 + 7, PRIO_LINUX * 10 + 3,
               PRIO_PROGRAM * 10 + 1) == 0);
    for (u32 i = 0; i < ARRAY_LEN(w); i++)
        CHECK(sys_stop(w[i].slot) == 0);
    return 0;
}

/* Who becomes ready above the running thread runs before its next instruction; below it, or beside it, not. */
static void starts_others(u64 unused) {
    (void)unused;
    note(1);
    (void)sys_start(started[0].slot); /* higher */
    note(3);
    (void)sys_start(started[1].slot); /* the same */
    (void)sys_start(started[2].slot); /* lower */
    note(4);
    (void)sys_notify(house, 1); /* the first one waits there */
    note(6);
    rest();
}

static void waits_for_bits(u64 unused) {
    (void)unused;
    note(2);
    (void)wait_on(house, 0);
    note(5);
    rest();
}

static int a_higher_one_comes_at_once(void) {
    struct worker w = worker_make(starts_others, 0, PRIO_LINUX);
    started[0] = worker_make(waits_for_bits, 0, PRIO_REGION);
    started[1] = worker_make(notes, 7, PRIO_LINUX);
    started[2] = worker_make(notes, 8, PRIO_PROGRAM);
    begin();
    CHECK(sys_start(w.slot) == 0);
    sleep_ms(5);
    CHECK(CAME(1, 2, 3, 4, 5, 6, 7, 8) == 0);
    CHECK(sys_stop(w.slot) == 0);
    for (u32 i = 0; i < 3; i++)
        CHECK(sys_stop(started[i].slot) == 0);
    return 0;
}

/* Nobody gives a thread more than it has. */
static volatile err bound[PRIO_COUNT + 1];
static u32 to_bind;
static void binds(u64 unused) {
    (void)unused;
    for (u64 p = 0; p <= PRIO_COUNT; p++)
        bound[p] = sys_thread_bind(to_bind, BOOT_SPACE, 1, 0, p, 0);
    note(1);
    rest();
}

static int no_priority_above_ones_own(void) {
    to_bind = slot_get();
    struct worker w = worker_make(binds, 0, PRIO_CACHE);
    CHECK(sys_retype(frame_get(), 1, KIND_THREAD, to_bind) == 0);
    begin();
    CHECK(sys_start(w.slot) == 0);
    sleep_ms(5);
    CHECK(count == 1);
    for (u32 p = 0; p <= PRIO_COUNT; p++)
        CHECK(bound[p] == (p == PRIO_IDLE || p > PRIO_CACHE ? -E_INVAL : 0));
    CHECK(sys_stop(w.slot) == 0 && sys_destroy(to_bind) == 0);
    return 0;
}

/* A server that has let somebody of the caller's level become ready before it answers: how = 0 with a wait, 1
 * without one, 2 with a poll. */
static void serves(u64 arguments) {
    u32 slot = (u32)arguments, how = (u32)(arguments >> 32);
    (void)wait_on(house, slot);
    note(2);
    (void)sys_start(started[0].slot);
    if (how == 0)
        (void)answer_wait(slot, 0, 0, house, slot);
    else if (how == 1)
        (void)answer(slot, 0, 0);
    else
        ipc_raw(&(struct ipc_io){.rax = SYS_reply_wait | WAIT_POLL << 16, .rbx = slot, .r13 = house});
    for (;;)
        (void)wait_on(house, slot);
}

static void asks(u64 start_first) {
    note(1);
    if (start_first)
        (void)sys_start(started[0].slot);
    (void)call_of(house, 1, 0, 0);
    note(3);
    rest();
}

static int answered_before_siblings(void) {
    for (u32 level = PRIO_PROGRAM; level <= PRIO_LINUX; level++)
        for (u64 how = 0; how < 3; how++) {
            struct worker server = worker_make(serves, slot_get() | how << 32, PRIO_CACHE),
                          caller = worker_make(asks, 0, level);
            started[0] = worker_make(notes, 4, level);
            begin();
            CHECK(sys_start(server.slot) == 0 && sys_start(caller.slot) == 0);
            sleep_ms(5);
            CHECK(CAME(1, 2, 3, 4) == 0);
            CHECK(sys_stop(server.slot) == 0 && sys_stop(caller.slot) == 0 && sys_stop(started[0].slot) == 0);
        }
    return 0;
}

/* A call to a server of the caller's own level goes there at once, and so does the answer; who was ready
 * before comes after them. */
static void serves_quickly(u64 slot) {
    (void)wait_on(house, (u32)slot);
    for (;;) {
        note(2);
        (void)answer_wait((u32)slot, 0, 0, house, (u32)slot);
    }
}

static int call_goes_straight_to_the_receiver(void) {
    for (u32 level = PRIO_PROGRAM; level <= PRIO_LINUX; level++) {
        struct worker server = worker_make(serves_quickly, slot_get(), level),
                      caller = worker_make(asks, 1, level);
        started[0] = worker_make(notes, 4, level);
        begin();
        CHECK(sys_start(server.slot) == 0);
        sleep_ms(1);
        CHECK(sys_start(caller.slot) == 0);
        sleep_ms(5);
        CHECK(CAME(1, 2, 3, 4) == 0);
        CHECK(sys_stop(server.slot) == 0 && sys_stop(caller.slot) == 0 && sys_stop(started[0].slot) == 0);
    }
    return 0;
}

static void yields(u64 who) {
    for (u32 i = 0; i < 3; i++) {
        note(who);
        (void)sys_yield();
    }
    rest();
}

static int yield_goes_to_the_end(void) {
    for (u32 level = PRIO_PROGRAM; level <= PRIO_LINUX; level++) {
        struct worker w[3];
        begin();
        for (u32 i = 0; i < 3; i++) {
            w[i] = worker_make(yields, i + 1, level);
            CHECK(sys_start(w[i].slot) == 0);
        }
        sleep_ms(5);
        CHECK(CAME(1, 2, 3, 1, 2, 3, 1, 2, 3) == 0);
        for (u32 i = 0; i < 3; i++)
            CHECK(sys_stop(w[i].slot) == 0);
    }
    return 0;
}

/* Programs that never wait: how often did their turns change, and how short was the shortest? */
static void works(u64 me) {
    static volatile u64 last = 2, since;
    for (;;) {
        u64 at = now();
        if (last != me) {
            if (last < 2 && count && at - since < shortest)
                shortest = at - since;
            last = me;
            since = at;
            count++;
        }
        ran[me]++;
        work_until(at + ms(1) / 20);
    }
}

/* Turns of 10 ms, also if the first thread's deadline comes later, and if others come all the time. */
static int turns_of_programs(void) {
    for (u32 round = 0; round < 2; round++) {
        struct worker a = worker_make(works, 0, PRIO_PROGRAM), b = worker_make(works, 1, PRIO_PROGRAM);
        begin();
        ran[0] = ran[1] = 0;
        shortest = ~0ull;
        CHECK(sys_start(a.slot) == 0 && sys_start(b.slot) == 0);
        for (u32 i = 0; i < (round ? 100 : 1); i++)
            sleep_ms(round ? 2 : 200);
        CHECK(sys_stop(a.slot) == 0 && sys_stop(b.slot) == 0);
        CHECK(count >= 15 && shortest >= ms(9) && ran[0] && ran[1]);
    }
    return 0;
}

/* The interrupted one goes on with what is left of its turn. */
static void works_and_notes(u64 who_and_ms) {
    work_until(now() + ms(who_and_ms >> 8));
    note(who_and_ms & 0xff);
    rest();
}

static int an_interrupted_program_goes_on(void) {
    struct worker a = worker_make(works_and_notes, 1 | 6 << 8, PRIO_PROGRAM),
                  b = worker_make(works_and_notes, 2, PRIO_PROGRAM);
    begin();
    CHECK(sys_start(a.slot) == 0 && sys_start(b.slot) == 0);
    for (u32 i = 0; i < 4; i++)
        sleep_ms(1);
    CHECK(count == 0);
    sleep_ms(30);
    CHECK(CAME(1, 2) == 0 && sys_stop(a.slot) == 0 && sys_stop(b.slot) == 0);
    return 0;
}

/* The turn is one clock for the level: neither a call to a program nor its answer begins another; and a turn
 * that ends while a server works is the caller's end of it. */
static void works_and_asks(u64 n) {
    work_until(now() + ms(n));
    (void)call_of(house, 1, 0, 0);
    note(3);
    rest();
}

static void works_for_it(u64 slot_and_ms) {
    u32 slot = (u32)slot_and_ms;
    (void)wait_on(house, slot);
    work_until(now() + ms(slot_and_ms >> 32));
    note(1);
    for (;;)
        (void)answer_wait(slot, 0, 0, house, slot);
}

static int one_clock_for_all_programs(void) {
    for (u32 round = 0; round < 2; round++) {
        struct worker server = worker_make(works_for_it, slot_get() | 7ull << 32,
                                           round ? PRIO_LINUX : PRIO_PROGRAM),
                      caller = worker_make(works_and_asks, 7, PRIO_PROGRAM),
                      third = worker_make(works_and_notes, 2, PRIO_PROGRAM);
        begin();
        CHECK(sys_start(server.slot) == 0);
        sleep_ms(1);
        CHECK(sys_start(caller.slot) == 0 && sys_start(third.slot) == 0);
        sleep_ms(100);
        if (round)
            CHECK(CAME(1, 2, 3) == 0);
        else
            CHECK(CAME(2, 1, 3) == 0);
        CHECK(sys_stop(server.slot) == 0 && sys_stop(caller.slot) == 0 && sys_stop(third.slot) == 0);
    }
    return 0;
}

void test_priority(void) {
    rests = endpoint_make();
    house = endpoint_make();
    RUN(levels_are_fixed);
    RUN(a_higher_one_comes_at_once);
    RUN(no_priority_above_ones_own);
    RUN(answered_before_siblings);
    RUN(call_goes_straight_to_the_receiver);
    RUN(yield_goes_to_the_end);
    RUN(turns_of_programs);
    RUN(an_interrupted_program_goes_on);
    RUN(one_clock_for_all_programs);
}

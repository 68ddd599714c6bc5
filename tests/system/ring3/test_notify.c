/* SPDX-License-Identifier: MIT */
/* Notification bits, deadlines, priorities and time slices. */
#include "ring3.h"

static u32 endpoint, reply_slot;
static volatile u64 seen[8];

static struct ipc_io sleep_until(u64 deadline) {
    return wait_until(endpoint, reply_slot, deadline, 0);
}

static int bits_are_gathered(void) {
    CHECK(sys_notify(endpoint, 1) == 0 && sys_notify(endpoint, 8) == 0);
    struct ipc_io io = wait_on(endpoint, reply_slot);
    CHECK(io.rax == WOKE_BITS && io.r15 == 9);
    struct ipc_io poll = {.rax = SYS_reply_wait | WAIT_POLL << 16, .r13 = endpoint};
    ipc_raw(&poll);
    CHECK((err)poll.rax == -E_AGAIN);
    return 0;
}

static int deadline_in_the_past(void) {
    struct ipc_io io = sleep_until(1);
    CHECK(io.rax == WOKE_BITS && io.r15 == 1ull << DEADLINE_BIT);
    return 0;
}

/* Not too early, ever; and not much too late at least once in a few tries: the host may be busy. */
static bool deadline_after(u64 n) {
    bool in_time = false;
    for (u32 i = 0; i < 10 && !in_time; i++) {
        u64 at = now() + ms(n);
        struct ipc_io io = sleep_until(at);
        if (io.rax != WOKE_BITS || io.r15 != 1ull << DEADLINE_BIT || now() < at)
            return false;
        in_time = now() < at + ms(20);
    }
    return in_time;
}

static int deadline_passes(void) {
    CHECK(deadline_after(1));
    CHECK(deadline_after(8));
    CHECK(deadline_after(128)); /* longer than the timer reaches */
    return 0;
}

static void notifier(u64 bits) {
    sys_notify(endpoint, bits);
    for (;;)
        wait_on(seen[7], 0);
}

static int bits_before_deadline(void) {
    struct worker w = worker_make(notifier, 32, PRIO_HIGH);
    CHECK(sys_start(w.slot) == 0);
    struct ipc_io io = sleep_until(now() + ms(1000));
    CHECK(io.rax == WOKE_BITS && io.r15 == 32);
    struct ipc_io poll = {.rax = SYS_reply_wait | WAIT_POLL << 16, .r13 = endpoint};
    ipc_raw(&poll);
    CHECK((err)poll.rax == -E_AGAIN); /* that wait named no deadline: there is none any more */
    return 0;
}

static void spin(u64 index) {
    for (;;) {
        seen[index]++;
        work_until(now() + ms(1) / 100);
    }
}

/* Two programs that never wait get turns; their priority is below this thread's. */
static int programs_take_turns(void) {
    struct worker a = worker_make(spin, 1, PRIO_LOW), b = worker_make(spin, 2, PRIO_LOW);
    CHECK(sys_start(a.slot) == 0 && sys_start(b.slot) == 0);
    for (u32 i = 0; i < 50 && !(seen[1] && seen[2]); i++)
        sleep_until(now() + ms(100));
    CHECK(sys_stop(a.slot) == 0 && sys_stop(b.slot) == 0);
    CHECK(seen[1] > 0 && seen[2] > 0);
    u64 a_then = seen[1], b_then = seen[2];
    sleep_until(now() + ms(5));
    CHECK(seen[1] == a_then && seen[2] == b_then); /* stopped is stopped */
    return 0;
}

/* A server's level is not sliced: the second one starves while the first spins. */
static int servers_are_not_sliced(void) {
    struct worker a = worker_make(spin, 3, PRIO_LINUX), b = worker_make(spin, 4, PRIO_LINUX);
    CHECK(sys_start(a.slot) == 0 && sys_start(b.slot) == 0);
    for (u32 i = 0; i < 5 || !seen[3]; i++)
        sleep_until(now() + ms(20));
    CHECK(seen[3] > 0 && seen[4] == 0);
    CHECK(sys_stop(a.slot) == 0);
    for (u32 i = 0; i < 100 && !seen[4]; i++)
        sleep_until(now() + ms(5));
    CHECK(sys_stop(b.slot) == 0 && seen[4] > 0);
    return 0;
}

/* Two threads of one server below a third, which keeps the call of the one until the other, by a
 * notification, has let itself be interrupted; then it answers. */
static u32 order_count, house;
static u64 order[4];
static void keeper(u64 slot) {
    (void)wait_on(house, (u32)slot);
    (void)wait_on(house, 0);
    (void)answer_wait((u32)slot, 0, 0, house, 0);
}
static void asks(u64 end) {
    (void)call_of(house, 1, 0, 0);
    order[order_count++] = 2;
    (void)wait_on((u32)end, 0);
}
static void is_interrupted(u64 end) {
    (void)sys_notify(house, 1);
    order[order_count++] = 1;
    (void)wait_on((u32)end, 0);
}

static int the_interrupted_goes_on_first(void) {
    u32 end = endpoint_make();
    house = endpoint_make();
    struct worker k = worker_make(keeper, slot_get(), PRIO_CACHE), a = worker_make(asks, end, PRIO_LINUX),
                  i = worker_make(is_interrupted, end, PRIO_LINUX);
    CHECK(sys_start(k.slot) == 0 && sys_start(a.slot) == 0);
    sleep_until(now() + ms(5));
    CHECK(order_count == 0 && sys_start(i.slot) == 0);
    for (u32 n = 0; n < 100 && order_count < 2; n++)
        sleep_until(now() + ms(5));
    CHECK(sys_stop(k.slot) == 0 && sys_stop(a.slot) == 0 && sys_stop(i.slot) == 0);
    CHECK(order_count == 2 && order[0] == 1 && order[1] == 2);
    return 0;
}

static void yielder(u64 index) {
    for (;;) {
        seen[index]++;
        sys_yield();
    }
}

static int yield_takes_turns(void) {
    struct worker a = worker_make(yielder, 5, PRIO_LINUX), b = worker_make(yielder, 6, PRIO_LINUX);
    CHECK(sys_start(a.slot) == 0 && sys_start(b.slot) == 0);
    for (u32 i = 0; i < 100 && seen[6] <= 10; i++)
        sleep_until(now() + ms(20));
    CHECK(sys_stop(a.slot) == 0 && sys_stop(b.slot) == 0);
    CHECK(seen[5] > 10 && seen[6] > 10 && seen[5] - seen[6] + 1 <= 2);
    return 0;
}

void test_notify(void) {
    endpoint = endpoint_make();
    reply_slot = slot_get();
    seen[7] = endpoint_make();
    RUN(bits_are_gathered);
    RUN(deadline_in_the_past);
    RUN(deadline_passes);
    RUN(bits_before_deadline);
    RUN(programs_take_turns);
    RUN(servers_are_not_sliced);
    RUN(the_interrupted_goes_on_first);
    RUN(yield_takes_turns);
}

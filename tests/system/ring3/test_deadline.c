/* SPDX-License-Identifier: MIT */
/* Deadlines of endpoints: one for each, set anew by every wait; and who gets the bits. */
#include "ring3.h"

static u32 first, second, reply_slot, rests;
static volatile u64 woke[4]; /* when, or in which order */
static volatile u64 bits[4];
static u32 order;

static bool polled(u32 endpoint, u64 deadline) {
    return (err)wait_until(endpoint, 0, deadline, WAIT_POLL).rax == -E_AGAIN;
}

static int past(void) {
    CHECK(is_due(wait_until(first, reply_slot, 1, 0)));
    CHECK(is_due(wait_until(first, 0, now(), 0)));
    CHECK(is_due(wait_until(first, reply_slot, now(), WAIT_POLL)));
    CHECK(sys_notify(first, 4) == 0);
    CHECK(wait_until(first, reply_slot, 1, 0).r15 == (4 | 1ull << DEADLINE_BIT));
    work_until(now() + ms(2));
    CHECK(is_empty(first)); /* it passes once */
    return 0;
}

/* It passes while nobody waits, and the bit is there when somebody comes. */
static int set_by_poll(void) {
    u64 at = now() + ms(5);
    CHECK(polled(first, at) && polled(first, at));
    work_until(at + ms(1));
    CHECK(is_due(wait_until(first, 0, 0, WAIT_POLL)) && is_empty(first));
    at = now() + ms(5);
    CHECK(polled(first, at));
    work_until(at + ms(1));
    CHECK(is_due(wait_until(first, 0, at, 0))); /* one bit, though that wait names it again */
    CHECK(is_empty(first));
    return 0;
}

static int cancelled(void) {
    u64 at = now() + ms(5);
    CHECK(polled(first, at) && is_empty(first));
    work_until(at + ms(1));
    CHECK(is_empty(first));
    CHECK(polled(first, now() + ms(5)) && sys_notify(first, 2) == 0);
    CHECK(wait_until(first, 0, 0, 0).r15 == 2); /* a wait that returns at once sets it too */
    work_until(now() + ms(6));
    CHECK(is_empty(first));
    return 0;
}

static int changed(void) {
    u64 sooner = now() + ms(5), later = now() + ms(30);
    CHECK(polled(first, sooner) && polled(first, later));
    work_until(sooner + ms(2));
    CHECK(polled(first, later) && is_due(wait_until(first, 0, later, 0)) && now() >= later);
    sooner = now() + ms(5);
    later = now() + ms(2000);
    CHECK(polled(first, later) && is_due(wait_until(first, 0, sooner, 0)));
    CHECK(now() >= sooner && now() < later);
    work_until(now() + ms(1));
    CHECK(is_empty(first));
    return 0;
}

/* Each with its own, whichever was set first. */
static int two_endpoints(void) {
    for (u32 round = 0; round < 4; round++) {
        u64 sooner = now() + ms(5), later = round < 2 ? now() + ms(1000) : sooner;
        CHECK(polled(round % 2 ? first : second, round % 2 ? later : sooner));
        CHECK(polled(round % 2 ? second : first, round % 2 ? sooner : later));
        CHECK(is_due(wait_until(second, 0, sooner, 0)) && now() >= sooner);
        if (later == sooner) {
            CHECK(is_due(wait_until(first, 0, 0, WAIT_POLL)));
            continue;
        }
        CHECK(now() < later && is_empty(first)); /* which also ends its deadline */
        CHECK(polled(first, now() + ms(2)));
        work_until(now() + ms(3));
        CHECK(is_due(wait_until(first, 0, 0, WAIT_POLL)) && is_empty(second));
    }
    return 0;
}

/* One that is taken back leaves the other's alone. */
static int the_other_stays(void) {
    u64 sooner = now() + ms(5), later = now() + ms(10);
    CHECK(polled(first, sooner) && polled(second, later) && is_empty(first));
    CHECK(is_due(wait_until(second, 0, later, 0)) && now() >= later && is_empty(first));
    sooner = now() + ms(5), later = now() + ms(10);
    CHECK(polled(first, sooner) && polled(second, later) && is_empty(second));
    CHECK(is_due(wait_until(first, 0, sooner, 0)) && now() >= sooner);
    work_until(later + ms(1));
    CHECK(is_empty(second));
    return 0;
}

static void takes_bits(u64 index) {
    struct ipc_io io = wait_until(first, 0, index == 0 ? now() + ms(1000) : 0, 0);
    woke[index] = ++order;
    bits[index] = io.r15;
    (void)wait_on(rests, 0);
}

static void takes_all(u64 index) {
    struct ipc_io io = wait_on(first, slot_get());
    woke[index] = ++order;
    bits[index] = io.rax == WOKE_BITS ? io.r15 : 0;
    (void)wait_on(rests, 0);
}

static int begin(struct worker *w, u32 n) {
    order = 0;
    for (u32 i = 0; i < n; i++) {
        woke[i] = bits[i] = 0;
        CHECK(sys_start(w[i].slot) == 0);
        sleep_ms(1);
    }
    return 0;
}

/* Who waits there is woken by the deadline that another wait has set, and by none if that one set none. */
static int set_by_another(void) {
    struct worker w = worker_make(takes_bits, 0, PRIO_LINUX);
    CHECK(begin(&w, 1) == 0 && polled(first, now() + ms(3)));
    sleep_ms(6);
    CHECK(woke[0] == 1 && bits[0] == 1ull << DEADLINE_BIT && is_empty(first));
    CHECK(sys_stop(w.slot) == 0);
    w = worker_make(takes_bits, 0, PRIO_LINUX);
    CHECK(begin(&w, 1) == 0 && is_empty(first));
    sleep_ms(1100);
    CHECK(woke[0] == 0 && sys_notify(first, 2) == 0);
    sleep_ms(1);
    CHECK(woke[0] == 1 && bits[0] == 2 && sys_stop(w.slot) == 0);
    return 0;
}

/* Bits go to who takes nothing else; else to who has waited longest, and messages to who came last. */
static int who_gets_them(void) {
    struct worker w[] = {worker_make(takes_all, 0, PRIO_LINUX), worker_make(takes_all, 1, PRIO_LINUX),
                         worker_make(takes_bits, 2, PRIO_LINUX), worker_make(takes_all, 3, PRIO_LINUX)};
    CHECK(begin(w, 4) == 0);
    CHECK(polled(first, now() + ms(3))); /* nobody else's wait comes in between */
    sleep_ms(6);
    CHECK(woke[2] == 1 && bits[2] == 1ull << DEADLINE_BIT && order == 1);
    CHECK(sys_notify(first, 8) == 0 && sys_notify(first, 16) == 0);
    sleep_ms(1);
    CHECK(woke[0] == 2 && bits[0] == 8 && woke[1] == 3 && bits[1] == 16 && order == 3);
    CHECK(sys_notify(first, 32) == 0);
    sleep_ms(1);
    CHECK(woke[3] == 4 && bits[3] == 32);
    for (u32 i = 0; i < 4; i++)
        CHECK(sys_stop(w[i].slot) == 0);
    return 0;
}

static void calls_first(u64 label) {
    (void)call_of(first, label, 0, 0);
    (void)wait_on(rests, 0);
}

/* The bit comes before a caller that has been queued for long. */
static int before_callers(void) {
    struct worker w = worker_make(calls_first, 0x77, PRIO_LINUX);
    CHECK(sys_start(w.slot) == 0);
    sleep_ms(1);
    CHECK(polled(first, now() + ms(2)));
    work_until(now() + ms(3));
    CHECK(is_due(wait_on(first, reply_slot)));
    CHECK(is_due(wait_until(first, reply_slot, 1, 0)));
    struct ipc_io io = wait_on(first, reply_slot);
    CHECK(io.rax == WOKE_MESSAGE && io.label == 0x77);
    CHECK(answer(reply_slot, 0, 0) == WOKE_BITS && sys_stop(w.slot) == 0);
    return 0;
}

/* It ends with its endpoint: what lives in the frame then is not told. */
static int gone_with_the_endpoint(void) {
    u32 slot = slot_get();
    pfn frame = frame_get();
    CHECK(sys_retype(frame, 1, KIND_ENDPOINT, slot) == 0);
    u64 at = now() + ms(4);
    CHECK(polled(slot, at) && polled(second, at + ms(2)));
    CHECK(sys_destroy(slot) == 0 && sys_retype(frame, 1, KIND_ENDPOINT, slot) == 0);
    work_until(at + ms(1));
    CHECK(is_empty(slot));
    CHECK(is_due(wait_until(second, 0, at + ms(2), 0)) && sys_destroy(slot) == 0);
    return 0;
}

void test_deadline(void) {
    first = endpoint_make();
    second = endpoint_make();
    rests = endpoint_make();
    reply_slot = slot_get();
    RUN(past);
    RUN(set_by_poll);
    RUN(cancelled);
    RUN(changed);
    RUN(two_endpoints);
    RUN(the_other_stays);
    RUN(set_by_another);
    RUN(who_gets_them);
    RUN(before_callers);
    RUN(gone_with_the_endpoint);
}

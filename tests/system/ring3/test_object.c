/* SPDX-License-Identifier: MIT */
/* Capabilities and the life of objects. */
#include "ring3.h"

static int retype_and_destroy(void) {
    pfn frame = frame_get();
    u32 slot = slot_get(), copy = slot_get();
    CHECK(sys_retype(frame, 1, KIND_ENDPOINT, slot) == 0);
    CHECK(sys_retype(frame, 1, KIND_ENDPOINT, copy) == -E_OWNER); /* no DATA frame any more */
    CHECK(sys_cap_copy(BOOT_TABLE, copy, slot, RIGHT_NOTIFY, 3) == 0);
    CHECK(sys_notify(copy, 1) == 0);
    CHECK(sys_destroy(copy) == -E_RIGHTS);
    CHECK(sys_destroy(slot) == 0);
    CHECK(sys_notify(copy, 1) == -E_BADCAP); /* every copy is dead */
    CHECK(sys_retype(frame, 1, KIND_ENDPOINT, copy) == 0 && sys_notify(copy, 1) == 0);
    CHECK(sys_destroy(copy) == 0);
    CHECK(sys_retype(frame, 1, KIND_TABLE, slot) == -E_KIND &&
          sys_retype(frame, 1, KIND_DATA, slot) == -E_KIND);
    CHECK(sys_retype(frame, 2, KIND_ENDPOINT, slot) == -E_INVAL);
    CHECK(sys_retype(0, 1, KIND_ENDPOINT, slot) == -E_OWNER);
    CHECK(sys_retype(~0ull, 1, KIND_ENDPOINT, slot) == -E_OWNER);
    return 0;
}

static int badges_and_rights(void) {
    u32 e = endpoint_make(), a = slot_get(), b = slot_get();
    CHECK(sys_cap_copy(BOOT_TABLE, a, e, RIGHT_CALL, 5) == 0);
    CHECK(sys_cap_copy(BOOT_TABLE, b, a, RIGHT_ALL, 6) == -E_INVAL); /* a badge is set once */
    CHECK(sys_cap_copy(BOOT_TABLE, b, a, RIGHT_ALL, 0) == 0);
    CHECK(sys_notify(b, 1) == -E_RIGHTS); /* rights only shrink */
    CHECK(sys_cap_copy(BOOT_TABLE, b, a, RIGHT_ALL, 0) == -E_OCCUPIED);
    CHECK(sys_cap_drop(BOOT_TABLE, b) == 0 && sys_notify(b, 1) == -E_BADCAP);
    CHECK(sys_cap_copy(BOOT_SPACE, b, a, RIGHT_ALL, 0) == -E_KIND);
    CHECK(sys_cap_copy(BOOT_TABLE, 0, a, RIGHT_ALL, 0) == -E_BADCAP);
    CHECK(sys_cap_copy(BOOT_TABLE, 1 << 20, a, RIGHT_ALL, 0) == -E_BADCAP);
    return 0;
}

static u32 doomed;
static volatile i64 result;

static void call_doomed(u64 unused) {
    (void)unused;
    result = (i64)call_of(doomed, 0x100, 0, 0).rax;
    for (;;)
        sys_yield();
}

static int destroy_wakes_callers(void) {
    doomed = endpoint_make();
    struct worker w = worker_make(call_doomed, 0, PRIO_HIGH);
    CHECK(sys_start(w.slot) == 0);
    sleep_ms(20); /* the worker queues at `doomed` */
    CHECK(sys_destroy(doomed) == 0);
    sleep_ms(20);
    CHECK(result == -E_CANCELED);
    CHECK(sys_destroy(w.slot) == 0);
    return 0;
}

static int table_of_its_own(void) {
    u32 table = slot_get(), e = endpoint_make(), space = space_make();
    CHECK(sys_retype(frame_get(), 1, KIND_CAPTABLE, table) == 0);
    CHECK(sys_cap_copy(table, 5, e, RIGHT_ALL, 0) == 0);
    CHECK(sys_cap_copy(table, CAPS_PER_FRAME, e, RIGHT_ALL, 0) == -E_BADCAP);
    CHECK(sys_space_bind(space, 0, 0, 0, 0, table, 0) == 0);
    CHECK(sys_destroy(table) == -E_BUSY);
    err r;
    while ((r = sys_destroy(space)) == -E_AGAIN)
        ;
    CHECK(r == 0 && sys_destroy(table) == 0);
    return 0;
}

/* A pager can be replaced at any time; what pages may be there only while there are none. */
static int flags_stay_while_mapped(void) {
    u32 space = space_make(), pager = endpoint_make();
    vaddr at = 0x10000000;
    CHECK(sys_space_bind(space, pager, 0, 0, 0, 0, SPACE_WX) == 0);
    CHECK(map_page(space, at, frame_get(), MAP_READ | MAP_WRITE | MAP_EXEC) == 0);
    CHECK(sys_space_bind(space, pager, 0, 0, 0, 0, 0) == -E_MAPPED);
    CHECK(sys_space_bind(space, pager, 0, 0, 0, 0, SPACE_WX) == 0);
    CHECK(sys_unmap(space, at, 1, 0).r > 0);
    CHECK(sys_space_bind(space, 0, 0, 0, 0, 0, 0) == 0);
    CHECK(map_page(space, at, frame_get(), MAP_READ | MAP_WRITE | MAP_EXEC) == -E_RIGHTS);
    CHECK(map_page(space, at, frame_get(), MAP_READ) == 0);
    CHECK(sys_space_bind(space, 0, 0, 0, 0, 0, SPACE_WX) == -E_MAPPED);
    CHECK(sys_space_bind(space, 0, 0, 0, 0, 0, SPACE_WX << 1) == -E_INVAL);
    err r;
    while ((r = sys_destroy(space)) == -E_AGAIN)
        ;
    CHECK(r == 0);
    return 0;
}

static int thread_bind_checks(void) {
    u32 thread = slot_get();
    CHECK(sys_retype(frame_get(), 1, KIND_THREAD, thread) == 0);
    CHECK(sys_start(thread) == -E_INVAL);
    CHECK(sys_thread_bind(thread, BOOT_SPACE, 0, 0, PRIO_ROOT + 1, 0) == -E_INVAL);
    CHECK(sys_thread_bind(thread, BOOT_SPACE, 0, 0, 0, 0) == -E_INVAL);
    CHECK(SYS(thread_bind, thread, BOOT_SPACE, 1ull << 32, 0, PRIO_LOW, 0).r == -E_INVAL);
    CHECK(sys_thread_bind(thread, BOOT_SPACE, 0, 1, PRIO_LOW, 0) == -E_OWNER);
    CHECK(sys_thread_bind(thread, BOOT_SPACE, 0, 0, PRIO_LOW, 0) == 0);
    CHECK(sys_destroy(BOOT_SPACE) == -E_BUSY);
    CHECK(sys_destroy(thread) == 0);
    return 0;
}

/* The kernel writes to a message page: its owner can't make it anything else. */
static int message_page_stays(void) {
    u32 thread = slot_get();
    pfn page = frame_get();
    CHECK(sys_retype(frame_get(), 1, KIND_THREAD, thread) == 0);
    CHECK(sys_thread_bind(thread, BOOT_SPACE, 0, page, PRIO_LOW, 0) == 0);
    CHECK(sys_thread_bind(thread, BOOT_SPACE, 0, page, PRIO_LOW, 0) == 0); /* the same again */
    AREA[0] = page;
    CHECK(sys_unpin(1) == -E_INVAL);
    AREA[0] = page;
    CHECK(sys_pin(1) == 1);
    AREA[0] = page;
    CHECK(sys_unpin(1) == 1);
    AREA[0] = page;
    CHECK(sys_feed(BOOT_SPACE, 1) == -E_MAPPED);
    CHECK(sys_destroy(thread) == 0);
    AREA[0] = page;
    CHECK(sys_feed(BOOT_SPACE, 1) == 1);
    return 0;
}

static int permits(void) {
    u32 space = space_make(), permit = slot_get(), again = slot_get();
    vaddr at = 0x10000000;
    CHECK(sys_permit(space, at, 2, MAP_READ, permit) == 0);
    CHECK(map_page(permit, at, frame_get(), MAP_READ) == 0);
    CHECK(map_page(permit, at + PAGE_BYTES, frame_get(), MAP_READ | MAP_WRITE) == -E_RIGHTS);
    CHECK(map_page(permit, at + 2 * PAGE_BYTES, frame_get(), MAP_READ) == -E_INVAL);
    CHECK(sys_cap_copy(BOOT_TABLE, again, permit, RIGHT_ALL, 0) == 0);
    CHECK(sys_permit_end(permit) == 0);
    CHECK(map_page(again, at + PAGE_BYTES, frame_get(), MAP_READ) == -E_BADCAP);
    err r;
    while ((r = sys_destroy(space)) == -E_AGAIN)
        ;
    CHECK(r == 0);
    return 0;
}

static int accounts(void) {
    u32 child = slot_get();
    pfn frame = frame_get();
    CHECK(sys_account_open(BOOT_ACCOUNT, child) == 0);
    CHECK(sys_give(child, frame, 1) == 1);
    CHECK(sys_give(child, frame, 1) == -E_OWNER);
    i64 next = 0;
    do
        next = sys_account_close(child, (pfn)next);
    while (next > 0);
    CHECK(next == 0 && sys_give(child, frame, 1) == -E_BADCAP);
    CHECK(sys_retype(frame, 1, KIND_ENDPOINT, child) == 0); /* the frame is root's again */
    return 0;
}

static int ports_are_closed(void) {
    CHECK(sys_ports(BOOT_IOPORT, 0x10000, 1) == -E_INVAL && sys_ports(BOOT_IOPORT, 0xffff, 2) == -E_INVAL);
    CHECK(sys_ports(BOOT_IOPORT, 0, PORTS_MAX + 1) == -E_INVAL && sys_ports(BOOT_IOPORT, 0, 0) == -E_INVAL);
    CHECK(sys_ports(BOOT_SPACE, 0x80, 1) == -E_KIND);
    CHECK(sys_ports(BOOT_IOPORT, 0x80, 1) == 0);
    __asm__ volatile("outb %b0, $0x80" : : "a"(0));
    CHECK(sys_irq(BOOT_IRQ, 0, endpoint_make(), 0) == -E_INVAL); /* the timer is the kernel's */
    CHECK(sys_irq(BOOT_IRQ, 16, endpoint_make(), 0) == -E_INVAL);
    CHECK(sys_irq(BOOT_IRQ, 4, endpoint_make(), 64) == -E_INVAL);
    return 0;
}

void test_object(void) {
    RUN(retype_and_destroy);
    RUN(badges_and_rights);
    RUN(destroy_wakes_callers);
    RUN(table_of_its_own);
    RUN(flags_stay_while_mapped);
    RUN(thread_bind_checks);
    RUN(message_page_stays);
    RUN(permits);
    RUN(accounts);
    RUN(ports_are_closed);
}

/* SPDX-License-Identifier: MIT */
/* What the tests stand on that only the target has: text, memory that is mapped, threads. The host's is
 * tests/unit/ukernel_rules/host.c. */
#include "ring3.h"

static u32 workers;

void say(const char *text) {
    u64 n = 0;
    for (; text[n]; n++)
        ((char *)AREA)[n] = text[n];
    sys_log(n);
}

void say_number(u64 n) {
    char digits[24];
    u32 i = sizeof digits - 1;
    digits[i] = 0;
    do {
        digits[--i] = (char)('0' + n % 10);
    } while (n /= 10);
    say(digits + i);
}

u64 ms(u64 n) {
    return n * ((const struct info_page *)INFO_PAGE)->tsc_per_ms;
}

void work_until(u64 when) {
    while (now() < when)
        ;
}

u64 *message_of(u32 index) {
    return (u64 *)(MSG_BASE + index * PAGE_BYTES);
}

void *window(pfn frame) {
    vaddr at = HEAP_BASE + frame * PAGE_BYTES;
    err e = map_page(BOOT_SPACE, at, frame, MAP_READ | MAP_WRITE);
    if (e == -E_NEED_TABLES) {
        feed(BOOT_SPACE, 8);
        e = map_page(BOOT_SPACE, at, frame, MAP_READ | MAP_WRITE);
    }
    return e && e != -E_OCCUPIED ? NULL : (void *)at;
}

struct worker worker_make(void (*entry)(u64), u64 argument, u64 priority) {
    struct worker w = {slot_get(), ++workers};
    vaddr stack = STACK_BASE + w.index * STACK_STRIDE;
    pfn message = frame_get();
    if (sys_retype(frame_get(), 1, KIND_THREAD, w.slot) ||
        map_page(BOOT_SPACE, (vaddr)message_of(w.index), message, MAP_READ | MAP_WRITE) ||
        map_page(BOOT_SPACE, stack + STACK_STRIDE - PAGE_BYTES, frame_get(), MAP_READ | MAP_WRITE) ||
        sys_thread_bind(w.slot, BOOT_SPACE, w.index, message, priority, 0))
        say("FAIL worker_make\n");
    struct user_regs *u = (struct user_regs *)AREA;
    *u = (struct user_regs){.rip = (u64)entry, .rsp = stack + STACK_STRIDE - 8, .rdi = argument};
    if (sys_regs_write(w.slot, REGS_GENERAL))
        say("FAIL worker regs\n");
    return w;
}

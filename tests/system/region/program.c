/* SPDX-License-Identifier: MIT */
/* The little program: touches memory of each kind, forks twice, and checks every page after each step. It is
 * copied to PROGRAM_TEXT, so nothing in it may refer to anything outside of it: everything is inlined into
 * one function. */
#include <abi/types.h>

#include "program.h"

#define INLINE static inline __attribute__((always_inline))

INLINE u64 call(u64 number, u64 a, u64 b, u64 c, u64 d) {
    register u64 r10 __asm__("r10") = d;
    u64 result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

INLINE u64 ticks(void) {
    u32 low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return low | (u64)high << 32;
}

INLINE volatile u64 *page(u64 i) {
    return (volatile u64 *)(PROGRAM_DATA + i * PAGE_BYTES);
}

INLINE void write_all(u64 from, u64 to, u64 mark) {
    for (u64 i = from; i < to; i++)
        page(i)[i % 512] = mark + i;
}

INLINE void check_all(u64 step, u64 from, u64 to, u64 mark) {
    for (u64 i = from; i < to; i++)
        for (u64 w = 0; w < 512; w += i % 2 ? 1 : 7)
            if (page(i)[w] != (w == i % 512 && mark ? mark + i : 0) && w == i % 512)
                call(CALL_CHECK, step, 1, (u64)&page(i)[w], page(i)[w]);
    call(CALL_CHECK, step, 0, 0, 0);
}

/* The address at which reading or writing faults: told by the server, which goes on behind the access. */
INLINE u64 fault_at(u64 address, bool write) {
    u64 got = 0;
    if (write)
        __asm__ volatile("lea 1f(%%rip), %%rbx; mov %%rax, (%1); 1:"
                         : "+a"(got)
                         : "r"(address)
                         : "rbx", "memory");
    else
        __asm__ volatile("lea 1f(%%rip), %%rbx; mov (%1), %%rax; 1:"
                         : "+a"(got)
                         : "r"(address)
                         : "rbx", "memory");
    return got;
}

INLINE u64 time_write(u64 i) {
    u64 t = ticks();
    page(i)[0] = 1;
    return ticks() - t;
}

INLINE u64 time_read(u64 i) {
    u64 t = ticks();
    (void)page(i)[0];
    return ticks() - t;
}

void program(void) {
    u64 anonymous, zero, copy = 0, upgrade = 0;

    check_all(1, 0, 40, 0);    /* zero pages */
    write_all(0, 300, 0x1000); /* frames in place of zero pages, and fresh ones */
    check_all(2, 0, 300, 0x1000);
    page(310)[0] = page(310)[0];
    zero = time_read(311);
    anonymous = time_write(312);
    anonymous = time_write(313);

    volatile u64 *stack = (volatile u64 *)__builtin_frame_address(0);
    for (u64 i = 0; i < 100;
         i++) { /* the stack grows a page at a time: what lies below rsp is the red zone */
        u64 below = PROGRAM_STACK - (i + 2) * PAGE_BYTES;
        __asm__ volatile("mov %%rsp, %%rbx; mov %0, %%rsp; push $7; mov %%rbx, %%rsp" ::"r"(below)
                         : "rbx", "memory");
    }
    (void)stack;
    call(CALL_CHECK, 3, *(volatile u64 *)(PROGRAM_STACK - 50 * PAGE_BYTES - 8) != 7, 0, 0);

    u64 heap = call(CALL_BRK, 0, 0, 0, 0);
    call(CALL_CHECK, 4, heap != PROGRAM_HEAP, heap, 0);
    call(CALL_BRK, heap + 10 * PAGE_BYTES, 0, 0, 0);
    for (u64 i = 0; i < 10; i++)
        *(volatile u64 *)(heap + i * PAGE_BYTES) = i;
    heap = call(CALL_BRK, heap + PAGE_BYTES, 0, 0, 0);
    call(CALL_CHECK, 5, heap != PROGRAM_HEAP + PAGE_BYTES, heap, 0);

    u64 first = call(CALL_FORK, 0, 0, 0, 0);
    if (first == 0) {
        check_all(10, 0, 300, 0x1000);
        copy = time_write(312);
        write_all(0, 200, 0x2000);
        check_all(11, 0, 200, 0x2000);
        check_all(12, 200, 300, 0x1000);
    } else {
        check_all(20, 0, 300, 0x1000);
        write_all(100, 300, 0x3000);
    }
    u64 second = call(CALL_FORK, 0, 0, 0, 0);
    u64 low = first ? 0x1000 : 0x2000, high = first ? 0x3000 : 0x1000;
    check_all(30, 0, 100, low);
    check_all(31, 200, 300, high);
    write_all(0, 300, 0x4000 + second * 0x1000 + first * 0x2000);
    check_all(32, 0, 300, 0x4000 + second * 0x1000 + first * 0x2000);

    if (first && second) { /* the others have ended, or share what they have with no one */
        for (u64 i = 0; i < 20; i++)
            call(CALL_CHECK, 33, 0, 0, 0);
        call(CALL_PROTECT, PROGRAM_DATA, PAGE_BYTES * 10, 1, 0);
        u64 at = fault_at(PROGRAM_DATA + 3 * PAGE_BYTES + 16, true);
        call(CALL_CHECK, 40, at != PROGRAM_DATA + 3 * PAGE_BYTES + 16, at, 0);
        at = fault_at(PROGRAM_NOWHERE, false);
        call(CALL_CHECK, 41, at != PROGRAM_NOWHERE, at, 0);
        call(CALL_PROTECT, PROGRAM_DATA, PAGE_BYTES * 10, 3, 0);
        write_all(0, 10, 0x7000);
        check_all(42, 0, 10, 0x7000);
        call(CALL_UNMAP, PROGRAM_DATA + 100 * PAGE_BYTES, 100 * PAGE_BYTES, 0, 0);
        upgrade = time_write(313);
        call(CALL_TICKS, anonymous, zero, copy, upgrade);
    } else {
        call(CALL_TICKS, anonymous, zero, copy, upgrade);
    }
    for (;;)
        call(CALL_EXIT, 0, 0, 0, 0);
}

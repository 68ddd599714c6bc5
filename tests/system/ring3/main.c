/* SPDX-License-Identifier: MIT */
#include "ring3.h"

static u64 failures;

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

void run(const char *name, test_function *test) {
    int line = test();
    say(line ? "FAIL " : "ok ");
    say(name);
    if (line) {
        say(" line ");
        say_number((u64)line);
        failures++;
    }
    say("\n");
}

static _Noreturn void finish(void) {
    err e = sys_audit();
    say(e == 0 ? "quire: audit: ok\n" : e == -E_NOSYS ? "" : "quire: audit: FAILED\n");
    say("quire: exit ");
    say_number(failures + (e == -E_PROTO));
    say("\n");
    if (sys_ports(BOOT_IOPORT, 0xf4, 4) == 0)
        __asm__ volatile("outl %0, %1" : : "a"(0x10), "Nd"((u16)0xf4));
    for (;;)
        ;
}

__attribute__((used)) static void ring3_main(void) {
    say("hello from root\n");
    test_ipc();
    test_notify();
    test_fault();
    test_alien();
    test_object();
    measure();
    finish();
}

__attribute__((naked)) void _start(void);
void _start(void) {
    __asm__ volatile("xor %ebp, %ebp\n\tcall ring3_main\n\tud2");
}

/* SPDX-License-Identifier: MIT */
#include "probe.h"
#include <string.h>

static u64 failures;

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

/* The kernel's command line `measure`: only the figures. */
static bool only_figures(void) {
    const char *word = ((const struct info_page *)INFO_PAGE)->cmdline;
    while (word && strncmp(word, "measure", 7))
        word = (word = strchr(word, ' ')) ? word + 1 : NULL;
    return word;
}

static void tests(void) {
    table_grow();
    test_ipc();
    test_notify();
    test_deadline();
    test_priority();
    test_fault();
    test_alien();
    test_object();
    test_names();
    test_ranges();
    frames_more();
    probe_begin();
    test_tlb();
    test_short();
    test_limits();
    test_stale();
    test_checked();
    test_conversation();
    test_alone();
    probe_finish();
}

__attribute__((used)) static void ring3_main(void) {
    say("hello from root\n");
    bool all = !only_figures();
    if (all)
        tests();
    measure();
    if (all)
        talk();
    finish();
}

__attribute__((naked)) void _start(void);
void _start(void) {
    __asm__ volatile("xor %ebp, %ebp\n\tcall ring3_main\n\tud2");
}

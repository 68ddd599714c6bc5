/* SPDX-License-Identifier: MIT */
/* execve's strings, out of a program's memory. */
#include <criterion/criterion.h>
#include <string.h>

#include "model/seed.h"
#include "world.h"

/* Strings and their pointers anywhere in the program, across pages and pieces, aligned or not. */
Test(args, copied_from_a_program) {
    enum { STRINGS = 40, LONGEST = 3000 };
    static char string[STRINGS][LONGEST + 1];
    u64 seed = seed_begin(5), pointers = WORLD_BASE + PAGE_BYTES - 100, at = WORLD_BASE + 3 * PAGE_BYTES + 17;
    struct task *t = world_begin();
    for (u32 i = 0; i < STRINGS; i++) {
        u64 n = seed_next(&seed, seed_next(&seed, 4) ? 60 : LONGEST);
        memset(string[i], 'a' + (int)i % 26, n);
        world_write(t->tid, at, string[i], n + 1);
        world_write(t->tid, pointers + i * 8, &at, 8);
        at += n + 1 + seed_next(&seed, 3);
    }
    world_write(t->tid, pointers + STRINGS * 8, &(u64){0}, 8);
    struct args a;
    args_init(&a);
    struct call k = {.task = t, .reply = world_reply(t->tid)};
    cr_assert_eq(args_copy(&k, &a, pointers, true), 0);
    kern_slot_drop(k.reply);
    cr_assert_eq(a.envc, STRINGS);
    const char *s = a.strings;
    for (u32 i = 0; i < STRINGS; s += strlen(s) + 1, i++)
        cr_assert_str_eq(s, string[i]);
    cr_assert_eq(s, a.strings + a.used);
    args_release(&a);
}

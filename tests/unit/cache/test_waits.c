/* SPDX-License-Identifier: MIT */
/* Faults that waited, by key. */
#include <criterion/criterion.h>

#include "waits.h"

Test(waits, are_counted_by_key) {
    static struct waits waits;
    u64 first = 7 | 1ull << 16, second = 8 | 2ull << 16;
    waits_count(&waits, first);
    waits_count(&waits, second);
    waits_count(&waits, first);
    cr_assert_eq(waits_of(&waits, first), 2);
    cr_assert_eq(waits_of(&waits, second), 1);
    cr_assert_eq(waits_of(&waits, 0), 3);
}

Test(waits, a_number_that_is_used_again_begins_anew) {
    static struct waits waits;
    u64 old = 7 | 1ull << 16, new = 7 | 5ull << 16;
    waits_count(&waits, old);
    cr_assert_eq(waits_of(&waits, new), 0, "what its predecessor waited is not its own");
    waits_count(&waits, new);
    cr_assert_eq(waits_of(&waits, new), 1);
    cr_assert_eq(waits_of(&waits, old), 0);
    cr_assert_eq(waits_of(&waits, 0), 2);
}

/* SPDX-License-Identifier: MIT */
/* The formatter against the host's snprintf, over random formats and values. */
#include <criterion/criterion.h>
#include <ipc/fmt.h>
#include <limits.h>
#include <model/seed.h>
#include <stdio.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static void append(char *format, const char *piece) {
    strcat(format, piece);
}

/* A random conversion without its letter: flags, width, precision. */
static void random_spec(u64 *seed, char *format, bool number) {
    char piece[16];
    append(format, "%");
    if (seed_next(seed, 4) == 0)
        append(format, "-");
    if (number && seed_next(seed, 3) == 0)
        append(format, "0");
    if (seed_next(seed, 2)) {
        sprintf(piece, "%d", (int)seed_next(seed, 20) + 1);
        append(format, piece);
    }
    if (seed_next(seed, 4) == 0) {
        sprintf(piece, ".%d", (int)seed_next(seed, 12) + 1);
        append(format, piece);
    }
}

#define SAME(...)                                                                                            \
    do {                                                                                                     \
        size_t m = (size_t)snprintf(theirs, sizeof theirs, __VA_ARGS__);                                     \
        size_t n = fmt_snprintf(ours, sizeof ours, __VA_ARGS__);                                             \
        cr_assert_eq(m, n, "format '%s': %zu, libc %zu ('%s', '%s')", format, n, m, ours, theirs);           \
        cr_assert_str_eq(ours, theirs, "format '%s'", format);                                               \
    } while (0)

/* Flags that a conversion ignores are mistakes to the compiler, and here the point. */
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-security"
Test(fmt, as_libc) {
    static const char *const letters[] = {"d", "u", "x", "X", "o", "ld", "lu", "lx", "zu"};
    u64 seed = seed_begin(0x5eed);
    char ours[200], theirs[200], format[64];
    for (int i = 0; i < 20000; i++) {
        u64 value = seed_next(&seed, 1ull << 50) >> seed_next(&seed, 50);
        strcpy(format, "<");
        u64 kind = seed_next(&seed, ARRAY_LEN(letters) + 1);
        if (kind == ARRAY_LEN(letters)) {
            static const char *const texts[] = {"", "a", "quire", "a rather longer text than any width"};
            random_spec(&seed, format, false);
            append(format, "s>");
            SAME(format, texts[value % ARRAY_LEN(texts)]);
            continue;
        }
        random_spec(&seed, format, true);
        append(format, letters[kind]);
        append(format, ">");
        if (strlen(letters[kind]) == 2)
            SAME(format, value ? value : (u64)LONG_MIN);
        else
            SAME(format, value ? (u32)value : (u32)INT_MIN);
    }
}

Test(fmt, cuts_and_tells_the_whole_length) {
    char small[4];
    cr_assert_eq(fmt_snprintf(small, sizeof small, "%s", "abcdef"), 6);
    cr_assert_str_eq(small, "abc");
    cr_assert_eq(fmt_snprintf(NULL, 0, "%d%%", 12), 3);
    cr_assert_eq(fmt_snprintf(small, 1, "%c", 'x'), 1);
    cr_assert_str_eq(small, "");
}

Test(fmt, stars) {
    char text[32];
    fmt_snprintf(text, sizeof text, "[%*d|%-*s|%.*s]", 4, 7, 3, "a", 2, "xyz");
    cr_assert_str_eq(text, "[   7|a  |xy]");
}

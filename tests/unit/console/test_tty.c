/* SPDX-License-Identifier: MIT */
/* The line discipline: what was typed against what is read and what is shown. */
#include "tty.h"

#include <abi/errors.h>
#include <criterion/criterion.h>
#include <string.h>

static struct fifo out;
static struct tty t;

static void begin(void) {
    memset(&out, 0, sizeof out);
    tty_init(&t, &out);
}

static void type(const char *bytes) {
    while (*bytes)
        tty_input(&t, (u8)*bytes++, 1);
}

static void expect_out_at(int line, const char *expected) {
    char have[FIFO_BYTES + 1] = {0};
    for (u32 i = 0; fifo_used(&out); i++)
        have[i] = (char)fifo_get(&out);
    cr_expect_str_eq(have, expected, "line %d: shown \"%s\"", line, have);
}
#define EXPECT_OUT(expected) expect_out_at(__LINE__, expected)

static void expect_read_at(int line, u32 max, const char *expected) {
    char have[TTY_BYTES + 1] = {0};
    err n = tty_read(&t, have, max, 1);
    cr_expect_eq(n, (err)strlen(expected), "line %d: %lld bytes", line, (long long)n);
    cr_expect_str_eq(have, expected, "line %d: read \"%s\"", line, have);
}
#define EXPECT_READ(max, expected) expect_read_at(__LINE__, max, expected)
#define EXPECT_NONE()              cr_expect_eq(tty_read(&t, (char[100]){0}, 100, 1), -E_AGAIN)

static void set(u32 off, u32 on) {
    struct termios n = t.termios;
    n.c_lflag = (n.c_lflag & ~off) | on;
    cr_assert_eq(tty_setattr(&t, &n, TCSETS), 0);
}

static void set_raw(u8 vmin, u8 vtime) {
    struct termios n = t.termios;
    n.c_lflag &= ~(u32)(ICANON | ECHO | ISIG);
    n.c_iflag = 0;
    n.c_cc[VMIN] = vmin;
    n.c_cc[VTIME] = vtime;
    cr_assert_eq(tty_setattr(&t, &n, TCSETS), 0);
}

TestSuite(tty, .init = begin);

Test(tty, a_line_is_read_when_it_ends) {
    type("ls -l");
    EXPECT_OUT("ls -l");
    EXPECT_NONE();
    cr_expect(!tty_readable(&t));
    type("\r");
    EXPECT_OUT("\r\n");
    cr_expect(tty_readable(&t));
    EXPECT_READ(100, "ls -l\n");
    EXPECT_NONE();
}

Test(tty, a_read_ends_with_its_line) {
    type("one\ntwo\n");
    EXPECT_READ(100, "one\n");
    EXPECT_READ(2, "tw");
    EXPECT_READ(1, "o");
    EXPECT_READ(1, "\n");
    EXPECT_NONE();
}

Test(tty, end_of_file) {
    type("\4");
    EXPECT_READ(100, "");
    EXPECT_NONE();
    type("abc\4");
    EXPECT_READ(100, "abc");
    EXPECT_NONE();
    type("abc\4");
    EXPECT_READ(3, "abc"); /* and the end with it: no end of file for the next reader */
    EXPECT_NONE();
    type("a\n\4");
    EXPECT_READ(100, "a\n");
    EXPECT_READ(100, "");
}

Test(tty, erasing) {
    type("abx\177c\n");
    EXPECT_OUT("abx\b \bc\r\n");
    EXPECT_READ(100, "abc\n");
    type("\177\177x\177\177\n");
    EXPECT_OUT("x\b \b\r\n");
    EXPECT_READ(100, "\n");
    type("done\nab\025cd\n"); /* the line before stays */
    EXPECT_READ(100, "done\n");
    EXPECT_READ(100, "cd\n");
    EXPECT_OUT("done\r\nab\b\b  \b\bcd\r\n");
    type("rm  -rf  / \027\027x\n");
    EXPECT_READ(100, "rm  x\n");
}

Test(tty, erasing_wide_characters) {
    type("a\tb\177\177c");
    EXPECT_OUT("a\tb\b \b\b\b\b\b\b\b\b       \b\b\b\b\b\b\bc");
    type("\025");
    EXPECT_OUT("\b\b  \b\b");
    type("\303\244\177x\n"); /* two bytes, one column */
    EXPECT_OUT("\303\244\b \bx\r\n");
    EXPECT_READ(100, "x\n");
    type("\026\003\177\n"); /* a literal Ctrl-C is two columns wide */
    EXPECT_OUT("^C\b\b  \b\b\r\n");
    EXPECT_READ(100, "\n");
    type("\026\003\n");
    EXPECT_READ(100, "\003\n");
}

Test(tty, a_tab_after_a_prompt) {
    cr_assert_eq(tty_write(&t, "sh$ ", 4), 4);
    type("\t\177");
    EXPECT_OUT("sh$ \t\b\b\b\b    \b\b\b\b");
}

Test(tty, signals) {
    type("half a line\003");
    EXPECT_OUT("^C"); /* what was still to be shown is dropped, as Linux does */
    cr_expect_eq(t.signals, 1ull << SIGINT);
    type("\034\032");
    EXPECT_OUT("^Z");
    cr_expect_eq(t.signals, 1ull << SIGINT | 1ull << SIGQUIT | 1ull << SIGTSTP);
    type("\n");
    EXPECT_READ(100, "\n");
    set(0, NOFLSH);
    type("ab\003c\n");
    EXPECT_READ(100, "abc\n");
    set(ISIG, 0);
    t.signals = 0;
    type("\003\n");
    cr_expect_eq(t.signals, 0);
    EXPECT_READ(100, "\003\n");
}

Test(tty, flow_control) {
    type("\023");
    cr_expect(t.stopped);
    type("\021");
    cr_expect(!t.stopped);
    type("\023\003");
    cr_expect(!t.stopped);
    EXPECT_OUT("^C");
    type("\n");
    EXPECT_READ(100, "\n");
}

Test(tty, echo_can_be_off) {
    set(ECHO, 0);
    type("secret\177\n");
    EXPECT_OUT("");
    EXPECT_READ(100, "secre\n");
    set(0, ECHONL);
    type("secret\n");
    EXPECT_OUT("\r\n");
    set(ECHOE | ECHOKE | ECHOCTL, ECHO);
    EXPECT_READ(100, "secret\n");
    type("ab\177");
    EXPECT_OUT("ab\177");
    type("\025");
    EXPECT_OUT("\025\r\n");
}

Test(tty, carriage_returns) {
    struct termios n = t.termios;
    n.c_iflag = IGNCR;
    cr_assert_eq(tty_setattr(&t, &n, TCSETS), 0);
    type("a\rb\n");
    EXPECT_READ(100, "ab\n");
    n.c_iflag = INLCR;
    n.c_lflag &= ~(u32)ICANON;
    cr_assert_eq(tty_setattr(&t, &n, TCSETS), 0);
    type("a\rb\n");
    EXPECT_READ(100, "a\rb\r");
}

Test(tty, output_processing) {
    cr_expect_eq(tty_write(&t, "a\nb\r\n\tc", 7), 7);
    EXPECT_OUT("a\r\nb\r\r\n\tc");
    struct termios n = t.termios;
    n.c_oflag = OPOST | XTABS | OCRNL | ONLRET;
    cr_assert_eq(tty_setattr(&t, &n, TCSETS), 0);
    t.column = 0;
    cr_expect_eq(tty_write(&t, "ab\tc\rd\n", 7), 7);
    EXPECT_OUT("ab      c\nd\n");
    n.c_oflag = OPOST | ONOCR;
    cr_assert_eq(tty_setattr(&t, &n, TCSETS), 0);
    t.column = 0;
    cr_expect_eq(tty_write(&t, "\rab\r", 4), 4);
    EXPECT_OUT("ab\r");
    n.c_oflag = ONLCR | XTABS; /* without OPOST: nothing */
    cr_assert_eq(tty_setattr(&t, &n, TCSETS), 0);
    cr_expect_eq(tty_write(&t, "a\n\t\r", 4), 4);
    EXPECT_OUT("a\n\t\r");
}

Test(tty, output_takes_what_fits) {
    char many[FIFO_BYTES];
    memset(many, 'x', sizeof many);
    cr_expect_eq(tty_write(&t, many, FIFO_BYTES - 1), FIFO_BYTES - 1);
    cr_expect_eq(tty_write(&t, "\n", 1), 0); /* two bytes, or none */
    cr_expect_eq(tty_write(&t, "ab", 2), 1);
    cr_expect_eq(tty_write(&t, "b", 1), 0);
}

Test(tty, raw_mode_waits_for_vmin) {
    set_raw(3, 0);
    type("\003a");
    EXPECT_OUT("");
    cr_expect_eq(t.signals, 0);
    EXPECT_NONE();
    cr_expect(!tty_readable(&t));
    cr_expect_eq(tty_deadline(&t), 0);
    type("\r\177");
    cr_expect(tty_readable(&t));
    EXPECT_READ(100, "\003a\r\177");
    type("ab");
    EXPECT_READ(2, "ab"); /* never more than the reader asked for */
}

Test(tty, raw_mode_without_waiting) {
    set_raw(0, 0);
    cr_expect(!tty_readable(&t));
    EXPECT_READ(100, "");
    type("q");
    cr_expect(tty_readable(&t));
    EXPECT_READ(100, "q");
}

Test(tty, raw_mode_with_time_alone) {
    char to[10];
    set_raw(0, 5);
    cr_expect_eq(tty_deadline(&t), 0);
    cr_expect_eq(tty_read(&t, to, 10, 1000), -E_AGAIN);
    cr_expect_eq(tty_read(&t, to, 10, 2000), -E_AGAIN);
    u64 deadline = tty_deadline(&t);
    cr_expect_eq(deadline, 1000 + 500000000ull);
    cr_expect(!tty_expire(&t, deadline - 1));
    cr_expect(tty_expire(&t, deadline));
    cr_expect(!tty_expire(&t, deadline + 1), "only once");
    cr_expect_eq(tty_deadline(&t), 0);
    cr_expect_eq(tty_read(&t, to, 10, deadline + 2), 0);
    cr_expect_eq(tty_read(&t, to, 10, deadline + 3), -E_AGAIN);
    tty_input(&t, 'x', deadline + 4);
    cr_expect_eq(tty_read(&t, to, 10, deadline + 5), 1);
}

Test(tty, raw_mode_with_time_between_bytes) {
    char to[10];
    set_raw(5, 1);
    cr_expect_eq(tty_read(&t, to, 10, 1000), -E_AGAIN);
    cr_expect_eq(tty_deadline(&t), 0, "the time runs from the first byte on");
    tty_input(&t, 'a', 5000);
    tty_input(&t, 'b', 9000);
    cr_expect_eq(tty_deadline(&t), 9000 + 100000000ull);
    cr_expect_eq(tty_read(&t, to, 10, 10000), -E_AGAIN);
    cr_expect(tty_expire(&t, 9000 + 100000000ull));
    cr_expect_eq(tty_read(&t, to, 10, 9000 + 100000001ull), 2);
}

Test(tty, changing_mode_keeps_the_input) {
    type("half");
    set(ICANON, 0);
    EXPECT_READ(100, "half");
    type("more");
    set(0, ICANON);
    EXPECT_READ(100, "more");
    type("x\n");
    struct termios n = t.termios;
    cr_assert_eq(tty_setattr(&t, &n, TCSETSF), 0);
    EXPECT_NONE();
    cr_expect_eq(tty_setattr(&t, &n, 0x5401), -E_INVAL);
}

Test(tty, a_full_line_can_be_ended) {
    set(ECHO, 0);
    for (u32 i = 0; i < TTY_BYTES + 10; i++) {
        cr_assert_gt(tty_room(&t), 0);
        tty_input(&t, 'x', 1);
    }
    type("\n");
    cr_expect_eq(tty_room(&t), 0, "the next line has to wait");
    static char line[TTY_BYTES + 10];
    cr_expect_eq(tty_read(&t, line, sizeof line, 1), TTY_BYTES);
    cr_expect_eq(line[TTY_BYTES - 1], '\n');
    cr_expect_gt(tty_room(&t), 0);
}

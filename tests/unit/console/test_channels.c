/* SPDX-License-Identifier: MIT */
/* The channels over model ports, and the host's stream in chunks. */
#include "channels.h"
#include "uart_model.h"

#include <abi/errors.h>
#include <criterion/criterion.h>
#include <model/seed.h>
#include <string.h>

static struct uart_model m;
static struct channels c;

static void begin(enum console_mode mode) {
    uart_model_init(&m, mode == CONSOLE_MODE_TTY ? LAUNCH_COM1 : LAUNCH_COM2);
    channels_init(&c, &m.io, mode);
}

/* The host sends; irqs are taken as they come. Whether linux was told. */
static bool feed(const void *bytes, u32 n) {
    const u8 *b = bytes;
    bool told = false;
    while (n) {
        u32 k = uart_model_feed(&m, b, n);
        b += k;
        n -= k;
        cr_assert(k || m.irq, "stuck");
        if (m.irq) {
            m.irq = false;
            channels_run(&c, 1);
        }
        told |= channels_take_news(&c);
    }
    return told;
}

Test(mode, from_the_command_line) {
    cr_expect_eq(channels_mode(""), CONSOLE_MODE_TTY);
    cr_expect_eq(channels_mode("build/quire.elf mode=cmd trace=all"), CONSOLE_MODE_CMD);
    cr_expect_eq(channels_mode("mode=cmd mode=tty"), CONSOLE_MODE_TTY);
    cr_expect_eq(channels_mode("xmode=cmd mode=cmdx mode= mode"), CONSOLE_MODE_TTY);
    cr_expect_eq(channels_mode("  a  mode=cmd"), CONSOLE_MODE_CMD);
}

Test(channels, of_the_other_mode_are_not_there) {
    char to[4];
    struct termios t;
    begin(CONSOLE_MODE_TTY);
    cr_expect_eq(channel_read(&c, CHANNEL_STDIN, to, 4, 1), -E_NXIO);
    cr_expect_eq(channel_write(&c, CHANNEL_STDOUT, "x", 1, 1), -E_NXIO);
    cr_expect_eq(channel_write(&c, CHANNEL_COUNT, "x", 1, 1), -E_NXIO);
    cr_expect_eq(channel_poll(&c, ~0ull), -E_NXIO);
    begin(CONSOLE_MODE_CMD);
    cr_expect_eq(channel_read(&c, CHANNEL_TTY, to, 4, 1), -E_NXIO);
    cr_expect_eq(channel_write(&c, CHANNEL_TTY, "x", 1, 1), -E_NXIO);
    cr_expect_eq(channel_getattr(&c, CHANNEL_TTY, &t), -E_NXIO);
    cr_expect_eq(channel_getattr(&c, CHANNEL_STDIN, &t), -E_NOTTY);
    cr_expect_eq(channel_read(&c, CHANNEL_STDOUT, to, 4, 1), -E_BADF);
    cr_expect_eq(channel_write(&c, CHANNEL_STDIN, "x", 1, 1), -E_BADF);
    m.absent = true;
    channels_init(&c, &m.io, CONSOLE_MODE_CMD);
    cr_expect_eq(channel_read(&c, CHANNEL_STDIN, to, 4, 1), -E_NXIO);
}

Test(channels, terminal) {
    char to[20];
    begin(CONSOLE_MODE_TTY);
    cr_expect_eq(channel_read(&c, CHANNEL_TTY, to, 20, 1), -E_AGAIN);
    cr_expect_eq(channel_poll(&c, CHANNEL_TTY), POLLOUT);
    cr_expect(!feed("hello", 5));
    cr_expect(feed("\r", 1));
    cr_expect_eq(channel_poll(&c, CHANNEL_TTY), POLLIN | POLLOUT);
    cr_expect_eq(channel_read(&c, CHANNEL_TTY, to, 20, 1), 6);
    cr_expect(memcmp(to, "hello\n", 6) == 0);
    cr_expect_eq(channel_write(&c, CHANNEL_TTY, "ok\n", 3, 1), 3);
    cr_expect(m.sent_n == 11 && memcmp(m.sent, "hello\r\nok\r\n", 11) == 0);
    cr_expect(feed("\003", 1));
    cr_expect_eq(channels_take_signals(&c), 1ull << SIGINT);
    cr_expect_eq(channels_take_signals(&c), 0);
}

Test(channels, a_writer_is_told_of_room) {
    char many[1000] = {0};
    begin(CONSOLE_MODE_TTY);
    memset(many, 'x', sizeof many);
    cr_expect(!feed("\023", 1)); /* the user stops the output */
    err n, total = 0;
    while ((n = channel_write(&c, CHANNEL_TTY, many, sizeof many, 1)) > 0)
        total += n;
    cr_expect_eq(n, -E_AGAIN);
    cr_expect_eq(total, FIFO_BYTES);
    cr_expect_eq(m.sent_n, 0);
    cr_expect_eq(channel_poll(&c, CHANNEL_TTY), 0);
    cr_expect(feed("\021", 1));
    cr_expect_eq(m.sent_n, FIFO_BYTES);
    cr_expect_eq(channel_poll(&c, CHANNEL_TTY), POLLOUT);
}

Test(channels, a_signal_is_seen_by_whatever_takes_its_byte) {
    begin(CONSOLE_MODE_TTY);
    uart_model_feed(&m, (const u8 *)"\003", 1); /* its irq comes later, if at all */
    cr_expect_eq(channel_write(&c, CHANNEL_TTY, "y\n", 2, 1), 2);
    cr_expect(channels_take_news(&c));
    cr_expect_eq(channels_take_signals(&c), 1ull << SIGINT);
}

Test(channels, settings_that_end_a_stop_send_what_waited) {
    struct termios t;
    begin(CONSOLE_MODE_TTY);
    feed("\023", 1);
    cr_expect_eq(channel_write(&c, CHANNEL_TTY, "abc", 3, 1), 3);
    cr_expect_eq(m.sent_n, 0);
    cr_assert_eq(channel_getattr(&c, CHANNEL_TTY, &t), 0);
    t.c_iflag &= ~(u32)IXON;
    cr_assert_eq(channel_setattr(&c, CHANNEL_TTY, &t, TCSETS, 1), 0);
    cr_expect_eq(m.sent_n, 3);
    cr_expect_eq(channel_setattr(&c, CHANNEL_TTY, &t, 1, 1), -E_INVAL);
}

Test(channels, a_timed_read_is_told_when_its_time_is_over) {
    struct termios t;
    char to[4];
    begin(CONSOLE_MODE_TTY);
    cr_assert_eq(channel_getattr(&c, CHANNEL_TTY, &t), 0);
    t.c_lflag &= ~(u32)ICANON;
    t.c_cc[VMIN] = 0;
    t.c_cc[VTIME] = 1;
    cr_assert_eq(channel_setattr(&c, CHANNEL_TTY, &t, TCSETS, 1), 0);
    cr_expect_eq(channels_deadline(&c), 0);
    cr_expect_eq(channel_read(&c, CHANNEL_TTY, to, 4, 50), -E_AGAIN);
    cr_expect(!channels_take_news(&c));
    channels_run(&c, channels_deadline(&c));
    cr_expect(channels_take_news(&c));
    cr_expect_eq(channels_deadline(&c), 0);
    cr_expect_eq(channel_read(&c, CHANNEL_TTY, to, 4, 60), 0);
}

Test(channels, much_typed_ahead_is_not_lost) {
    char text[12000], have[12001];
    u32 sent = 0, got = 0;
    begin(CONSOLE_MODE_TTY);
    for (u32 i = 0; i < sizeof text; i++)
        text[i] = i % 37 == 36 ? '\n' : (char)('a' + i % 26);
    text[sizeof text - 1] = '\n';
    while (got < sizeof text) {
        while (sent < sizeof text) { /* until the port is full */
            u32 n = uart_model_feed(&m, (const u8 *)text + sent, (u32)sizeof text - sent);
            sent += n;
            if (m.irq)
                m.irq = false, channels_run(&c, 1);
            else if (!n)
                break;
        }
        err n = channel_read(&c, CHANNEL_TTY, have + got, 100, 1);
        cr_assert_gt(n, 0);
        got += (u32)n;
    }
    cr_expect(memcmp(text, have, sizeof text) == 0);
}

Test(channels, random_typing_wakes_the_reader) {
    enum { TOTAL = 30000 };
    static u8 text[TOTAL];
    u64 seed = seed_begin(5);
    u32 got = 0;
    bool waiting = false; /* a reader is to be told before it tries again */
    begin(CONSOLE_MODE_TTY);
    for (u32 i = 0; i < TOTAL; i++)
        text[i] = seed_next(&seed, 30) ? (u8)('a' + i % 26) : '\n';
    text[TOTAL - 1] = '\n';
    m.arriving = text;
    while (got < TOTAL) {
        u8 to[200];
        if (m.arriving_n == 0 && !waiting) { /* the next line, most of it while console is at work */
            const u8 *end = memchr(m.arriving, '\n', (size_t)(text + TOTAL - m.arriving));
            m.arriving_n = end ? (u32)(end + 1 - m.arriving) : 0;
        }
        if (m.arriving_n && uart_model_feed(&m, m.arriving, 1)) {
            m.arriving++;
            m.arriving_n--;
        }
        if (seed_next(&seed, 3) == 0) /* a program writes meanwhile; the terminal takes it sooner or later */
            (void)!channel_write(&c, CHANNEL_TTY, "output\n", 7, 1);
        uart_model_block(&m, seed_next(&seed, 4) == 0);
        m.sent_n = 0;
        if (m.irq && seed_next(&seed, 2))
            m.irq = false, channels_run(&c, 1);
        if (channels_take_news(&c))
            waiting = false;
        cr_assert(!waiting || m.arriving_n || m.irq, "a reader waits for ever");
        if (waiting || seed_next(&seed, 3))
            continue;
        err r = channel_read(&c, CHANNEL_TTY, to, 1 + (u32)seed_next(&seed, sizeof to), 1);
        waiting = r == -E_AGAIN;
        cr_assert(r > 0 || waiting);
        if (r > 0)
            cr_assert(memcmp(to, text + got, (size_t)r) == 0);
        got += r > 0 ? (u32)r : 0;
    }
}

Test(channels, output_of_a_command_is_raw) {
    const char bytes[] = "a\n\0\377\r";
    begin(CONSOLE_MODE_CMD);
    cr_expect_eq(channel_write(&c, CHANNEL_STDOUT, bytes, 5, 1), 5);
    cr_expect_eq(channel_write(&c, CHANNEL_STDERR, "e", 1, 1), 1);
    cr_expect_eq(channel_poll(&c, CHANNEL_STDERR), POLLOUT);
    cr_expect(m.stdout_n == 5 && memcmp(m.stdout_bytes, bytes, 5) == 0);
    cr_expect(m.stderr_n == 1 && m.stderr_bytes[0] == 'e');
}

Test(host, chunks) {
    char to[20];
    begin(CONSOLE_MODE_CMD);
    cr_expect_eq(m.sent_n, 1, "the host waits for a byte");
    cr_expect_eq(channel_read(&c, CHANNEL_STDIN, to, 20, 1), -E_AGAIN);
    cr_expect_eq(channel_poll(&c, CHANNEL_STDIN), 0);
    cr_expect(!feed("\3", 1));
    cr_expect(!feed("\0", 1));
    cr_expect_eq(channel_read(&c, CHANNEL_STDIN, to, 20, 1), -E_AGAIN);
    cr_expect(!feed("a\0", 2));
    cr_expect_eq(channel_poll(&c, CHANNEL_STDIN), 0, "not before the whole chunk is there");
    cr_expect(feed("\4\2\0x", 4));
    cr_expect_eq(channel_poll(&c, CHANNEL_STDIN), POLLIN);
    cr_expect_eq(channel_read(&c, CHANNEL_STDIN, to, 2, 1), 2);
    cr_expect_eq(channel_read(&c, CHANNEL_STDIN, to + 2, 20, 1), 1);
    cr_expect(memcmp(to, "a\0\4", 3) == 0);
    cr_expect_eq(channel_read(&c, CHANNEL_STDIN, to, 20, 1), -E_AGAIN);
    cr_expect(feed("y\0\0rest", 7));
    cr_expect_eq(channel_read(&c, CHANNEL_STDIN, to, 20, 1), 2);
    cr_expect(memcmp(to, "xy", 2) == 0);
    cr_expect_eq(channel_poll(&c, CHANNEL_STDIN), POLLIN | POLLHUP);
    cr_expect_eq(channel_read(&c, CHANNEL_STDIN, to, 20, 1), 0);
    cr_expect_eq(channel_read(&c, CHANNEL_STDIN, to, 20, 1), 0, "and again");
}

Test(host, a_wrong_length_ends_it) {
    char to[20];
    begin(CONSOLE_MODE_CMD);
    cr_expect(feed("\1\0a\1\4xyz", 8));
    cr_expect_eq(channel_read(&c, CHANNEL_STDIN, to, 20, 1), 1);
    cr_expect_eq(channel_read(&c, CHANNEL_STDIN, to, 20, 1), -E_PROTO);
}

Test(host, random_chunks) {
    enum { TOTAL = 40000 };
    static u8 wire[TOTAL * 2], data[TOTAL];
    u64 seed = seed_begin(99);
    u32 wire_n = 0, n = 0, sent = 0, got = 0;
    while (n < TOTAL) {
        u32 k = 1 + (u32)seed_next(&seed, seed_next(&seed, 4) ? 4 : LAUNCH_CHUNK_BYTES);
        k = MIN(k, TOTAL - n);
        wire[wire_n++] = (u8)k;
        wire[wire_n++] = (u8)(k >> 8);
        for (; k; k--)
            wire[wire_n++] = data[n++] = (u8)seed_next(&seed, 256);
        if (wire_n + LAUNCH_CHUNK_BYTES + 2 > sizeof wire)
            break;
    }
    wire_n += 2; /* the end: zeroes */
    begin(CONSOLE_MODE_CMD);
    bool waiting = false, ended = false; /* waiting: a reader is to be told before it tries again */
    while (!ended) {
        u32 k = 1 + (u32)seed_next(&seed, 16);
        k = uart_model_feed(&m, wire + sent, MIN(wire_n - sent, k));
        sent += k;
        if (m.irq && seed_next(&seed, 2))
            m.irq = false, channels_run(&c, 1);
        if (channels_take_news(&c))
            waiting = false;
        cr_assert(!waiting || sent < wire_n || m.irq, "a reader waits for ever");
        if (waiting || seed_next(&seed, 3) == 0)
            continue;
        u8 to[500];
        err r = channel_read(&c, CHANNEL_STDIN, to, 1 + (u32)seed_next(&seed, sizeof to), 1);
        waiting = r == -E_AGAIN;
        ended = r == 0;
        cr_assert(r >= 0 || waiting);
        if (r > 0)
            cr_assert(memcmp(to, data + got, (size_t)r) == 0);
        got += r > 0 ? (u32)r : 0;
    }
    cr_assert_eq(got, n);
}

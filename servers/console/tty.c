/* SPDX-License-Identifier: MIT */
/* Input side and settings of the line discipline; output and echo are in tty_out.c. */
#include "tty.h"
#include "tty_out.h"

#include <abi/errors.h>

#define VTIME_NS 100000000ull /* the unit of VTIME: a tenth of a second */

static bool has(u32 flags, u32 bit) {
    return (flags & bit) != 0;
}

/* Whether byte is the control character `which`; 0 there means that it is switched off. */
static bool is_cc(const struct tty *t, u8 byte, int which) {
    return byte && byte == t->termios.c_cc[which];
}

static bool is_canonical(const struct tty *t) {
    return has(t->termios.c_lflag, ICANON);
}

static u32 used(const struct tty *t) {
    return t->head - t->tail;
}

void tty_init(struct tty *t, struct fifo *out) {
    *t = (struct tty){
        .termios =
            {
                .c_iflag = ICRNL | IXON | IUTF8,
                .c_oflag = OPOST | ONLCR,
                .c_cflag = CBAUD_115200 | CS8 | CREAD | HUPCL | CLOCAL,
                .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
                .c_cc =
                    {
                        [VINTR] = 0x03,
                        [VQUIT] = 0x1c,
                        [VERASE] = 0x7f,
                        [VKILL] = 0x15,
                        [VEOF] = 0x04,
                        [VMIN] = 1,
                        [VSTART] = 0x11,
                        [VSTOP] = 0x13,
                        [VSUSP] = 0x1a,
                        [VWERASE] = 0x17,
                        [VLNEXT] = 0x16,
                    },
            },
        .out = out,
    };
}

static void drop_input(struct tty *t) {
    t->tail = t->ready = t->head;
}

/* The last entry is kept for a delimiter, so that a full line can be ended. */
static void put(struct tty *t, u8 byte, enum tty_mark mark) {
    u32 limit = mark == MARK_NONE && is_canonical(t) ? TTY_BYTES - 1 : TTY_BYTES;
    if (used(t) >= limit)
        return;
    if (t->head == t->ready)
        t->line_column = t->column;
    t->data[t->head % TTY_BYTES] = byte;
    t->mark[t->head % TTY_BYTES] = (u8)mark;
    t->head++;
    if (mark != MARK_NONE || !is_canonical(t))
        t->ready = t->head;
}

static bool type_signal(struct tty *t, u8 byte) {
    int signal = is_cc(t, byte, VINTR)   ? SIGINT
                 : is_cc(t, byte, VQUIT) ? SIGQUIT
                 : is_cc(t, byte, VSUSP) ? SIGTSTP
                                         : 0;
    if (!signal)
        return false;
    t->signals |= 1ull << signal;
    if (!has(t->termios.c_lflag, NOFLSH)) {
        drop_input(t);
        fifo_clear(t->out);
    }
    t->stopped = false;
    tty_echo(t, byte);
    return true;
}

static bool type_flow(struct tty *t, u8 byte) {
    if (is_cc(t, byte, VSTART))
        t->stopped = false;
    else if (is_cc(t, byte, VSTOP))
        t->stopped = true;
    else
        return false;
    return true;
}

static bool is_continuation(const struct tty *t, u32 at) {
    return has(t->termios.c_iflag, IUTF8) && (t->data[at % TTY_BYTES] & 0xc0) == 0x80;
}

/* Takes the last character (of one or more bytes) off the line being edited. */
static void erase_one(struct tty *t) {
    u32 at = t->head - 1;
    while (at != t->ready && is_continuation(t, at))
        at--;
    t->head = at;
}

static bool ends_in_blank(const struct tty *t) {
    u8 c = t->data[(t->head - 1) % TTY_BYTES];
    return c == ' ' || c == '\t';
}

/* As most shells: blanks, then everything up to the next blank. */
static void erase_word(struct tty *t) {
    while (t->head != t->ready && ends_in_blank(t))
        erase_one(t);
    while (t->head != t->ready && !ends_in_blank(t))
        erase_one(t);
}

static bool type_editing(struct tty *t, u8 byte) {
    u32 before = t->head;
    if (is_cc(t, byte, VERASE)) {
        if (t->head != t->ready)
            erase_one(t);
    } else if (is_cc(t, byte, VKILL)) {
        t->head = t->ready;
    } else if (is_cc(t, byte, VWERASE) && has(t->termios.c_lflag, IEXTEN)) {
        erase_word(t);
    } else {
        return false;
    }
    if (t->head != before)
        tty_echo_erase(t, byte, before);
    return true;
}

/* A byte in canonical mode that is not to be taken literally. */
static void type_canonical(struct tty *t, u8 byte) {
    if (type_editing(t, byte))
        return;
    if (is_cc(t, byte, VLNEXT) && has(t->termios.c_lflag, IEXTEN)) {
        t->literal = true;
    } else if (is_cc(t, byte, VEOF)) {
        put(t, 0, MARK_EOF);
    } else if (byte == '\n' || is_cc(t, byte, VEOL) || is_cc(t, byte, VEOL2)) {
        tty_echo(t, byte);
        put(t, byte, MARK_END);
    } else {
        put(t, byte, MARK_NONE);
        tty_echo(t, byte);
    }
}

void tty_input(struct tty *t, u8 byte, u64 now) {
    u32 iflag = t->termios.c_iflag;
    t->last_input = now;
    if (has(iflag, ISTRIP))
        byte &= 0x7f;
    if (t->literal) {
        t->literal = false;
        put(t, byte, MARK_NONE);
        tty_echo(t, byte);
        return;
    }
    if (byte == '\r' && has(iflag, IGNCR))
        return;
    if (byte == '\r' && has(iflag, ICRNL))
        byte = '\n';
    else if (byte == '\n' && has(iflag, INLCR))
        byte = '\r';
    if (has(iflag, IXON) && type_flow(t, byte))
        return;
    if (has(t->termios.c_lflag, ISIG) && type_signal(t, byte))
        return;
    if (is_canonical(t)) {
        type_canonical(t, byte);
    } else {
        put(t, byte, MARK_NONE);
        tty_echo(t, byte);
    }
}

u32 tty_room(const struct tty *t) {
    if (!is_canonical(t))
        return TTY_BYTES - used(t);
    return t->ready == t->tail ? TTY_BYTES : TTY_BYTES - 1 - MIN(used(t), TTY_BYTES - 1);
}

/* Up to max bytes, to the end of one line; the end-of-file entry that follows goes with them. */
static err take_line(struct tty *t, u8 *to, u32 max) {
    u32 n = 0;
    while (t->tail != t->ready) {
        u8 mark = t->mark[t->tail % TTY_BYTES];
        if (mark != MARK_EOF && n == max)
            break;
        if (mark != MARK_EOF)
            to[n++] = t->data[t->tail % TTY_BYTES];
        t->tail++;
        if (mark != MARK_NONE)
            break;
    }
    return n;
}

/* Raw bytes; an end of file typed before the switch to raw mode is a 0 byte, as Linux has it. */
static err take_raw(struct tty *t, u8 *to, u32 max) {
    u32 n = 0;
    while (t->tail != t->ready && n < max)
        to[n++] = t->data[t->tail++ % TTY_BYTES];
    return n;
}

u64 tty_deadline(const struct tty *t) {
    u64 patience = t->termios.c_cc[VTIME] * VTIME_NS;
    if (!t->asked || is_canonical(t) || !patience)
        return 0;
    if (t->termios.c_cc[VMIN] == 0)
        return t->asked + patience;
    return t->tail != t->ready ? MAX(t->asked, t->last_input) + patience : 0;
}

bool tty_expire(struct tty *t, u64 now) {
    u64 deadline = tty_deadline(t);
    if (!deadline || now < deadline)
        return false;
    t->asked = 0;
    t->expired = true;
    return true;
}

err tty_read(struct tty *t, void *to, u32 max, u64 now) {
    u32 least = t->termios.c_cc[VMIN], have = t->ready - t->tail;
    bool timed = t->termios.c_cc[VTIME] != 0;
    if (is_canonical(t))
        return have ? take_line(t, to, max) : -E_AGAIN;
    if (have < MIN(MAX(least, timed), max) && !t->expired) {
        t->asked = t->asked ? t->asked : now;
        return -E_AGAIN;
    }
    t->asked = 0;
    t->expired = false;
    return take_raw(t, to, max);
}

bool tty_readable(const struct tty *t) {
    u32 have = t->ready - t->tail;
    if (is_canonical(t) || t->termios.c_cc[VTIME])
        return have > 0 || t->expired;
    return have >= MAX(t->termios.c_cc[VMIN], 1);
}

err tty_setattr(struct tty *t, const struct termios *new, u64 action) {
    if (action != TCSETS && action != TCSETSW && action != TCSETSF)
        return -E_INVAL;
    bool was_canonical = is_canonical(t);
    t->termios = *new;
    if (was_canonical != is_canonical(t)) {
        t->ready = t->head; /* what was being edited may be read as it is */
        t->literal = false;
    }
    if (!has(new->c_iflag, IXON))
        t->stopped = false;
    if (action == TCSETSF)
        drop_input(t);
    t->asked = 0;
    t->expired = false;
    return 0;
}

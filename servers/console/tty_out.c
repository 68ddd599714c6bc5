/* SPDX-License-Identifier: MIT */
#include "tty_out.h"

#define TAB_COLUMNS 8

static bool lflag(const struct tty *t, u32 bit) {
    return (t->termios.c_lflag & bit) != 0;
}

static bool oflag(const struct tty *t, u32 bit) {
    return (t->termios.c_oflag & (OPOST | bit)) == (OPOST | bit);
}

/* How the cursor moves with one byte; UTF-8 continuation bytes do not move it. */
static u32 column_after(const struct tty *t, u32 column, u8 byte) {
    switch (byte) {
    case '\r':
        return 0;
    case '\n':
        return oflag(t, ONLRET) ? 0 : column;
    case '\t':
        return ROUND_DOWN(column, TAB_COLUMNS) + TAB_COLUMNS;
    case '\b':
        return column ? column - 1 : 0;
    default:
        if (byte < ' ' || byte == 0x7f)
            return column;
        return (t->termios.c_iflag & IUTF8) && (byte & 0xc0) == 0x80 ? column : column + 1;
    }
}

static void emit(struct tty *t, u8 byte) {
    t->column = column_after(t, t->column, byte);
    fifo_put(t->out, byte);
}

/* One byte with output processing. False, and nothing changed, if it does not fit. */
static bool put_out(struct tty *t, u8 byte) {
    u32 blanks = TAB_COLUMNS - t->column % TAB_COLUMNS;
    bool expand = byte == '\t' && oflag(t, XTABS);
    bool newline = byte == '\n' && oflag(t, ONLCR);
    if (fifo_room(t->out) < (expand ? blanks : newline ? 2 : 1))
        return false;
    if (byte == '\r' && oflag(t, ONOCR) && t->column == 0)
        return true;
    if (byte == '\r' && oflag(t, OCRNL))
        byte = '\n';
    if (newline)
        emit(t, '\r');
    if (!expand)
        emit(t, byte);
    for (; expand && blanks; blanks--)
        emit(t, ' ');
    return true;
}

u32 tty_write(struct tty *t, const void *from, u32 n) {
    const u8 *bytes = from;
    u32 done = 0;
    while (done < n && put_out(t, bytes[done]))
        done++;
    return done;
}

/* Whether a byte is shown as ^X: two columns wide. */
static bool is_shown_as_control(const struct tty *t, u8 byte) {
    return lflag(t, ECHOCTL) && (byte < ' ' || byte == 0x7f) && byte != '\t' && byte != '\n';
}

void tty_echo(struct tty *t, u8 byte) {
    if (!lflag(t, ECHO) && !(byte == '\n' && lflag(t, ECHONL) && lflag(t, ICANON)))
        return;
    if (is_shown_as_control(t, byte)) {
        put_out(t, '^');
        put_out(t, byte ^ 0x40);
    } else {
        put_out(t, byte);
    }
}

/* The column after the line being edited, up to position `end`. */
static u32 line_end_column(const struct tty *t, u32 end) {
    u32 column = t->line_column;
    for (u32 at = t->ready; at != end; at++) {
        u8 byte = t->data[at % TTY_BYTES];
        column = is_shown_as_control(t, byte) ? column + 2 : column_after(t, column, byte);
    }
    return column;
}

void tty_echo_erase(struct tty *t, u8 byte, u32 before) {
    if (!lflag(t, ECHO))
        return;
    bool kill = byte == t->termios.c_cc[VKILL];
    if (kill ? !lflag(t, ECHOKE) : !lflag(t, ECHOE)) {
        tty_echo(t, byte);
        if (kill && lflag(t, ECHOK))
            put_out(t, '\n');
        return;
    }
    u32 from = line_end_column(t, before), to = line_end_column(t, t->head);
    for (u32 i = to; i < from; i++)
        emit(t, '\b');
    for (u32 i = to; i < from; i++)
        emit(t, ' ');
    for (u32 i = to; i < from; i++)
        emit(t, '\b');
}

/* SPDX-License-Identifier: MIT */
/* The line discipline: what lies between a terminal's bytes and a program's reads and writes (POSIX, "General
 * terminal interface"; as Linux's n_tty where POSIX leaves it open).
 *
 * Received bytes lie in one ring of TTY_BYTES, each with a mark:
 *
 *         tail                 ready                head
 *      ----|--------------------|--------------------|----
 *            may be read           the line that is
 *                                  still being edited
 *
 * In raw mode (ICANON off) ready == head. A delimiter (newline, VEOL, VEOL2) is a byte with MARK_END; VEOF is
 * an entry with MARK_EOF, which ends a line and is not given to the reader. Functions neither wait nor fail
 * but as said. */
#pragma once

#include "fifo.h"
#include "termios.h"

#define TTY_BYTES FIFO_BYTES

enum tty_mark { MARK_NONE, MARK_END, MARK_EOF };

struct tty {
    struct termios termios;
    u32 tail, ready, head; /* positions, counted since the start; they wrap */
    u8 data[TTY_BYTES];
    u8 mark[TTY_BYTES]; /* enum tty_mark */
    struct fifo *out;   /* where output and echo go */
    u32 column;         /* of the cursor, as far as output went through here */
    u32 line_column;    /* of the first byte after `ready` when it was echoed */
    bool literal;       /* VLNEXT was typed: the next byte is data */
    bool stopped;       /* VSTOP was typed: the owner sends nothing until it is false again */
    u64 signals;        /* bit n: signal n was typed and not yet fetched */
    u64 last_input;     /* when the last byte came (ns) */
    u64 asked;          /* when a read found too little (ns); 0: none waits */
    bool expired;       /* VTIME has passed for that read: the next one gets what there is */
};

/* A terminal with Linux's default settings (without VREPRINT and VDISCARD). */
void tty_init(struct tty *t, struct fifo *out);

/* One byte has been received at time now (ns, not 0). */
void tty_input(struct tty *t, u8 byte, u64 now);

/* How many bytes tty_input may be given: while it is 0, the owner leaves bytes where they are. A line that
 * alone fills the ring must be ended or erased: what does not fit is dropped then. */
u32 tty_room(const struct tty *t);

/* Reads as a program would at time `now` (ns, not 0), without waiting: up to max (> 0) bytes. Their number;
 * 0: end of file, or VTIME has passed without a byte; -E_AGAIN: the reader is to wait. */
must_check err tty_read(struct tty *t, void *to, u32 max, u64 now);

/* Whether there is input for a reader (what poll calls readable). */
bool tty_readable(const struct tty *t);

/* When VTIME passes for a read that said -E_AGAIN (ns); 0: never. */
u64 tty_deadline(const struct tty *t);

/* True, once, if that moment has come: the reader is to try again. */
bool tty_expire(struct tty *t, u64 now);

/* A program writes n bytes: those that fit into `out`, with output processing, are taken. Returns how
 * many. */
u32 tty_write(struct tty *t, const void *from, u32 n);

/* tcsetattr; TCSETSF drops unread input. Output needs no waiting for: it is processed when it is written.
 * -E_INVAL: unknown action. */
must_check err tty_setattr(struct tty *t, const struct termios *new, u64 action);

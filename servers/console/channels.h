/* SPDX-License-Identifier: MIT */
/* The channels that console offers, over the hardware behind them:
 *
 *     CHANNEL_TTY     COM1 through the line discipline (mode=tty)
 *     CHANNEL_STDIN   COM2, chunks from the host       (mode=cmd)
 *     CHANNEL_STDOUT  a debug port, byte for byte      (mode=cmd)
 *     CHANNEL_STDERR  a debug port, byte for byte      (mode=cmd)
 *
 * What the host does at the other end is declared in <abi/launch.h>. A channel of the other mode, or whose
 * hardware is missing, answers -E_NXIO. Nothing waits. */
#pragma once

#include "host_stream.h"
#include "tty.h"
#include "uart.h"

#include <abi/launch.h>
#include <proto/console.def>

enum { POLLIN = 1, POLLOUT = 4, POLLHUP = 16 }; /* as Linux */

struct channels {
    const struct port_io *io;
    enum console_mode mode;
    struct tty tty;
    struct uart com1, com2;
    struct host_stream host;
    bool writer_waits; /* a write to the terminal, or a poll, found no room */
    bool news;         /* linux is to be told */
};

/* The mode that the kernel's command line asks for: the last word mode=cmd or mode=tty; tty if there is
 * none. */
enum console_mode channels_mode(const char *cmdline);

void channels_init(struct channels *c, const struct port_io *io, enum console_mode mode);

/* Moves bytes between hardware and channels; to be called after each irq and at channels_deadline. */
void channels_run(struct channels *c, u64 now);

/* True, once, if linux is to be told, because a read, a write or `signals` may now give something that it did
 * not before. To be asked after channels_run and after each call below. */
bool channels_take_news(struct channels *c);

/* When channels_run is to be called if nothing else happens (ns); 0: never. */
u64 channels_deadline(const struct channels *c);

/* Up to max (> 0) bytes: their number; 0: end of file; -E_AGAIN: nothing yet; -E_NXIO; -E_BADF: not a channel
 * to read from; -E_PROTO: the host's stream is broken. */
must_check err channel_read(struct channels *c, u64 channel, void *to, u32 max, u64 now);

/* Takes up to n (> 0) bytes: how many; -E_AGAIN: none; -E_NXIO; -E_BADF: not a channel to write to. */
must_check err channel_write(struct channels *c, u64 channel, const void *from, u32 n, u64 now);

/* POLLxxx bits, or -E_NXIO. */
must_check err channel_poll(struct channels *c, u64 channel);

/* The signals typed since the last call: bit n = signal n. */
u64 channels_take_signals(struct channels *c);

/* The terminal's settings. -E_NOTTY: not a terminal; -E_NXIO; set: also -E_INVAL as tty_setattr. */
must_check err channel_getattr(const struct channels *c, u64 channel, struct termios *to);
must_check err channel_setattr(struct channels *c, u64 channel, const struct termios *new, u64 action,
                               u64 now);

/* SPDX-License-Identifier: MIT */
#include "channels.h"

#include <abi/errors.h>
#include <string.h>

enum { TX_ENOUGH = FIFO_BYTES / 2 }; /* room at which a waiting writer is woken: not for every byte */

enum console_mode channels_mode(const char *cmdline) {
    enum console_mode mode = CONSOLE_MODE_TTY;
    while (*cmdline) {
        const char *end = strchr(cmdline, ' ');
        size_t n = end ? (size_t)(end - cmdline) : strlen(cmdline);
        if (n == 8 && strncmp(cmdline, "mode=cmd", n) == 0)
            mode = CONSOLE_MODE_CMD;
        else if (n == 8 && strncmp(cmdline, "mode=tty", n) == 0)
            mode = CONSOLE_MODE_TTY;
        cmdline += n + (end != NULL);
    }
    return mode;
}

/* 0 if the channel works in this mode. */
static err check(const struct channels *c, u64 channel) {
    switch (channel) {
    case CHANNEL_TTY:
        return c->com1.present ? 0 : -E_NXIO;
    case CHANNEL_STDIN:
        return c->com2.present ? 0 : -E_NXIO;
    case CHANNEL_STDOUT:
    case CHANNEL_STDERR:
        return c->mode == CONSOLE_MODE_CMD ? 0 : -E_NXIO;
    default:
        return -E_NXIO;
    }
}

/* Bytes from COM1 through the line discipline; echo and waiting output back to COM1, unless the user has
 * stopped it. */
static void run_tty(struct channels *c, u64 now) {
    u64 signals = c->tty.signals;
    uart_receive(&c->com1);
    while (fifo_used(&c->com1.rx) && tty_room(&c->tty)) {
        tty_input(&c->tty, (u8)fifo_get(&c->com1.rx), now);
        c->news |= tty_readable(&c->tty);
    }
    c->com1.paused = c->tty.stopped;
    uart_transmit(&c->com1);
    c->news |= c->tty.signals != signals || tty_expire(&c->tty, now);
    if (c->writer_waits && fifo_room(&c->com1.tx) >= TX_ENOUGH) {
        c->writer_waits = false;
        c->news = true;
    }
}

static void run_host(struct channels *c) {
    if (uart_receive(&c->com2))
        c->news |= host_stream_readable(&c->host, &c->com2.rx);
}

void channels_init(struct channels *c, const struct port_io *io, enum console_mode mode) {
    *c = (struct channels){.io = io, .mode = mode};
    tty_init(&c->tty, &c->com1.tx);
    if (mode == CONSOLE_MODE_TTY) {
        uart_init(&c->com1, io, LAUNCH_COM1);
        return;
    }
    uart_init(&c->com2, io, LAUNCH_COM2);
    fifo_put(&c->com2.tx, '\n'); /* the host waits for a byte before it sends anything */
    uart_transmit(&c->com2);
}

void channels_run(struct channels *c, u64 now) {
    if (c->mode == CONSOLE_MODE_TTY)
        run_tty(c, now);
    else
        run_host(c);
}

bool channels_take_news(struct channels *c) {
    bool news = c->news;
    c->news = false;
    return news;
}

u64 channels_deadline(const struct channels *c) {
    return tty_deadline(&c->tty);
}

err channel_read(struct channels *c, u64 channel, void *to, u32 max, u64 now) {
    err e = check(c, channel);
    if (e)
        return e;
    if (channel != CHANNEL_TTY && channel != CHANNEL_STDIN)
        return -E_BADF;
    /* Before: the answer is to be about all that has arrived. After: what had no room comes now, without a
     * new irq. */
    channels_run(c, now);
    e = channel == CHANNEL_TTY ? tty_read(&c->tty, to, max, now)
                               : host_stream_read(&c->host, &c->com2.rx, to, max);
    channels_run(c, now);
    return e;
}

/* A debug port takes every byte at once. */
static u32 write_port(const struct channels *c, u16 port, const void *from, u32 n) {
    const u8 *bytes = from;
    for (u32 i = 0; i < n; i++)
        c->io->out8(c->io->ctx, port, bytes[i]);
    return n;
}

err channel_write(struct channels *c, u64 channel, const void *from, u32 n, u64 now) {
    err e = check(c, channel);
    if (e)
        return e;
    if (channel == CHANNEL_STDIN)
        return -E_BADF;
    if (channel != CHANNEL_TTY)
        return write_port(c, channel == CHANNEL_STDOUT ? LAUNCH_PORT_STDOUT : LAUNCH_PORT_STDERR, from, n);
    u32 taken = tty_write(&c->tty, from, n);
    c->writer_waits = taken < n;
    channels_run(c, now);
    return taken ? (err)taken : -E_AGAIN;
}

err channel_poll(struct channels *c, u64 channel) {
    err e = check(c, channel);
    if (e)
        return e;
    if (channel == CHANNEL_TTY) {
        c->writer_waits |= fifo_room(&c->com1.tx) < TX_ENOUGH;
        return (tty_readable(&c->tty) ? POLLIN : 0) | (c->writer_waits ? 0 : POLLOUT);
    }
    if (channel != CHANNEL_STDIN)
        return POLLOUT;
    bool readable = host_stream_readable(&c->host, &c->com2.rx);
    return (readable ? POLLIN : 0) | (c->host.ended || c->host.broken ? POLLHUP : 0);
}

u64 channels_take_signals(struct channels *c) {
    u64 signals = c->tty.signals;
    c->tty.signals = 0;
    return signals;
}

static err check_terminal(const struct channels *c, u64 channel) {
    err e = check(c, channel);
    return e ? e : channel == CHANNEL_TTY ? 0 : -E_NOTTY;
}

err channel_getattr(const struct channels *c, u64 channel, struct termios *to) {
    err e = check_terminal(c, channel);
    if (!e)
        *to = c->tty.termios;
    return e;
}

err channel_setattr(struct channels *c, u64 channel, const struct termios *new, u64 action, u64 now) {
    err e = check_terminal(c, channel);
    if (!e)
        e = tty_setattr(&c->tty, new, action);
    if (!e)
        channels_run(c, now); /* it may have been stopped, and is not any more */
    return e;
}

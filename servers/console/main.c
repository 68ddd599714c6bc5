/* SPDX-License-Identifier: MIT */
/* console's shell: real ports, irqs 3 and 4, and the calls of linux. One thread, which waits for nothing but
 * its next message; who waits for input waits in linux, which is notified (BIT_CONSOLE). */
#include "channels.h"

#include <ipc/assert.h>
#include <ipc/clock.h>
#include <ipc/log.h>
#include <ipc/port.h>
#include <ipc/server.h>
#include <proto/bits.h>
#include <string.h>

enum {
    COM1_IRQ = 4,
    COM2_IRQ = 3,
    ROWS = 24, /* a serial line does not tell */
    COLUMNS = 80,
};

PROTO_DISPATCH(console, CONSOLE_OPS)

static struct channels channels;

static u8 in8(void *ctx, u16 port) {
    (void)ctx;
    return port_in8(port);
}
static void out8(void *ctx, u16 port, u8 value) {
    (void)ctx;
    port_out8(port, value);
}
static const struct port_io io = {NULL, in8, out8};

static void tell_linux(void) {
    if (channels_take_news(&channels))
        (void)sys_notify(SERVICE(SRV_LINUX), BIT(BIT_CONSOLE)); /* linux may be gone: then nobody waits */
}

err console_on_attach(struct ipc_ctx *c, const struct console_attach_req *req,
                      struct console_attach_rep *rep) {
    (void)c, (void)req;
    rep->mode = channels.mode;
    return 0;
}

err console_on_read(struct ipc_ctx *c, const struct console_read_req *req, struct console_read_rep *rep) {
    if (req->max == 0 || req->max > MSG_TAIL_BYTES)
        return -E_INVAL;
    err n = channel_read(&channels, req->channel, c->tail, (u32)req->max, clock_ns());
    if (n < 0)
        return n;
    rep->bytes = (u64)n;
    c->tail_words = ROUND_UP((u32)n, 8) / 8;
    return 0;
}

err console_on_write(struct ipc_ctx *c, const struct console_write_req *req, struct console_write_rep *rep) {
    if (req->bytes == 0 || req->bytes > MSG_TAIL_BYTES ||
        MSG_REG_WORDS + ROUND_UP(req->bytes, 8) / 8 > c->words)
        return -E_INVAL;
    err n = channel_write(&channels, req->channel, c->tail, (u32)req->bytes, clock_ns());
    if (n < 0)
        return n;
    rep->taken = (u64)n;
    return 0;
}

err console_on_poll(struct ipc_ctx *c, const struct console_poll_req *req, struct console_poll_rep *rep) {
    (void)c;
    err events = channel_poll(&channels, req->channel);
    if (events < 0)
        return events;
    rep->events = (u64)events;
    return 0;
}

err console_on_signals(struct ipc_ctx *c, const struct console_signals_req *req,
                       struct console_signals_rep *rep) {
    (void)c, (void)req;
    rep->signals = channels_take_signals(&channels);
    return 0;
}

err console_on_getattr(struct ipc_ctx *c, const struct console_getattr_req *req,
                       struct console_getattr_rep *rep) {
    (void)rep;
    struct termios t;
    err e = channel_getattr(&channels, req->channel, &t);
    if (e)
        return e;
    memcpy(c->tail, &t, sizeof t);
    c->tail_words = ROUND_UP(sizeof t, 8) / 8;
    return 0;
}

err console_on_setattr(struct ipc_ctx *c, const struct console_setattr_req *req,
                       struct console_setattr_rep *rep) {
    (void)rep;
    struct termios t;
    if (MSG_REG_WORDS + ROUND_UP(sizeof t, 8) / 8 > c->words)
        return -E_INVAL;
    memcpy(&t, c->tail, sizeof t);
    return channel_setattr(&channels, req->channel, &t, req->action, clock_ns());
}

err console_on_winsize(struct ipc_ctx *c, const struct console_winsize_req *req,
                       struct console_winsize_rep *rep) {
    (void)c;
    struct termios t;
    err e = channel_getattr(&channels, req->channel, &t);
    if (e)
        return e;
    rep->rows = ROWS;
    rep->columns = COLUMNS;
    return 0;
}

static err on_call(struct ipc_ctx *c, u64 label, u64 *w) {
    if (c->badge != SRV_LINUX)
        return -E_PERM;
    err e = console_dispatch(c, label, w);
    tell_linux();
    return e;
}

static void on_bits(u64 bits) {
    (void)bits; /* whatever woke us: look at all of it */
    channels_run(&channels, clock_ns());
    tell_linux();
}

static u64 deadline;

static bool before_wait(void) {
    deadline = clock_deadline(channels_deadline(&channels));
    return false;
}

int main(void) {
    static const struct server server = {
        .name = "console",
        .endpoint = SLOT_ENDPOINT,
        .on_call = on_call,
        .on_bits = on_bits,
        .deadline = &deadline,
        .before_wait = before_wait,
    };
    const struct info_page *info = (const struct info_page *)INFO_PAGE;
    enum console_mode mode = channels_mode(info->cmdline);
    bool tty = mode == CONSOLE_MODE_TTY;
    log_name(server.name);
    err e = sys_ports(SLOT_IOPORT, tty ? LAUNCH_COM1 : LAUNCH_COM2, UART_PORTS);
    if (!e && !tty)
        e = sys_ports(SLOT_IOPORT, LAUNCH_PORT_STDOUT, LAUNCH_PORT_STDERR - LAUNCH_PORT_STDOUT + 1);
    if (!e)
        e = sys_irq(SLOT_IRQ, tty ? COM1_IRQ : COM2_IRQ, SLOT_ENDPOINT, tty ? BIT_UART : BIT_STDIN);
    ASSERT(e == 0);
    channels_init(&channels, &io, mode);
    server_run(&server);
}

/* SPDX-License-Identifier: MIT */
#include "uart.h"

enum {
    UART_DATA = 0, /* DLAB: divisor, low */
    UART_IER = 1,  /* DLAB: divisor, high */
    UART_FCR = 2,
    UART_LCR = 3,
    UART_MCR = 4,
    UART_LSR = 5,

    IER_RECEIVE = 0x01,
    IER_TRANSMIT = 0x02,
    /* FIFOs on and empty; an interrupt at 14 bytes, or when a byte has waited for the time of four. (At 1
     * byte QEMU would hand over one byte at a time.) */
    FCR_ON_CLEARED = 0xc7,
    LCR_8N1 = 0x03,
    LCR_DLAB = 0x80,
    MCR_DTR_RTS_IRQ = 0x0b, /* OUT2 lets the interrupt through on a PC */
    LSR_RECEIVED = 0x01,
    LSR_EMPTY = 0x20, /* the transmit FIFO takes FIFO_DEPTH bytes */
    LSR_NOTHING = 0xff,
    FIFO_DEPTH = 16,
};

static u8 reg_in(const struct uart *u, u16 reg) {
    return u->io->in8(u->io->ctx, u->base + reg);
}

static void reg_out(const struct uart *u, u16 reg, u8 value) {
    u->io->out8(u->io->ctx, u->base + reg, value);
}

void uart_init(struct uart *u, const struct port_io *io, u16 base) {
    *u = (struct uart){.io = io, .base = base};
    u->present = reg_in(u, UART_LSR) != LSR_NOTHING;
    if (!u->present)
        return;
    reg_out(u, UART_IER, 0);
    reg_out(u, UART_LCR, LCR_DLAB);
    reg_out(u, UART_DATA, 1); /* 115,200 baud */
    reg_out(u, UART_IER, 0);
    reg_out(u, UART_LCR, LCR_8N1);
    reg_out(u, UART_FCR, FCR_ON_CLEARED);
    reg_out(u, UART_MCR, MCR_DTR_RTS_IRQ);
    u->enabled = IER_RECEIVE;
    reg_out(u, UART_IER, u->enabled);
}

/* Irqs are edges: a cause that is left standing is switched off, and on again when something can be done
 * about it. Then it makes a new edge. */
static void enable(struct uart *u, u8 cause, bool on) {
    u8 enabled = on ? u->enabled | cause : u->enabled & (u8)~cause;
    if (enabled != u->enabled) {
        u->enabled = enabled;
        reg_out(u, UART_IER, enabled);
    }
}

u32 uart_receive(struct uart *u) {
    u32 n = 0;
    if (!u->present)
        return 0;
    while (fifo_room(&u->rx) && (reg_in(u, UART_LSR) & LSR_RECEIVED)) {
        fifo_put(&u->rx, reg_in(u, UART_DATA));
        n++;
    }
    enable(u, IER_RECEIVE, fifo_room(&u->rx));
    return n;
}

void uart_transmit(struct uart *u) {
    if (!u->present)
        return;
    while (!u->paused && fifo_used(&u->tx) && (reg_in(u, UART_LSR) & LSR_EMPTY))
        for (int i = 0; i < FIFO_DEPTH && fifo_used(&u->tx); i++)
            reg_out(u, UART_DATA, (u8)fifo_get(&u->tx));
    enable(u, IER_TRANSMIT, !u->paused && fifo_used(&u->tx));
}

/* SPDX-License-Identifier: MIT */
/* A serial port: 16550 with its FIFOs (PC16550D data sheet), driven by interrupts. Nothing waits: both
 * directions move what can be moved now, within a bound.
 *
 * Interrupts are edges, and reading a byte takes its interrupt back: who calls uart_receive must look at what
 * came. */
#pragma once

#include "fifo.h"

struct port_io {
    void *ctx; /* handed to both */
    u8 (*in8)(void *ctx, u16 port);
    void (*out8)(void *ctx, u16 port, u8 value);
};

enum { UART_PORTS = 8 };

struct uart {
    const struct port_io *io;
    u16 base;
    bool present;
    bool paused; /* transmit nothing for now (XOFF): the owner's; after it is cleared, uart_transmit */
    u8 enabled;  /* interrupt enable register, as last written */
    struct fifo rx, tx;
};

/* Sets the port up: 115,200 8N1, FIFOs on, receive interrupts on. `present` is false if nothing is there;
 * the other functions then do nothing. */
void uart_init(struct uart *u, const struct port_io *io, u16 base);

/* Moves what the hardware has received into rx. To be called after each irq, and after bytes were taken from
 * rx. When rx is full the rest stays in the hardware, which holds the sender back. Returns the number of
 * bytes, at most FIFO_BYTES. */
u32 uart_receive(struct uart *u);

/* Sends from tx as much as the hardware takes. To be called after each irq, and after bytes were put into
 * tx. */
void uart_transmit(struct uart *u);

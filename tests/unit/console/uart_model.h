/* SPDX-License-Identifier: MIT */
/* A 16550 as QEMU has it, with a cable whose other end the test holds; interrupts are edges. One model is one
 * port. */
#pragma once

#include "uart.h"

#include <abi/launch.h>

struct uart_model {
    u16 base;
    bool absent;
    bool blocked; /* the host takes nothing */
    u8 rx[16], ier, lcr, mcr, fcr;
    u32 rx_n, tx_n; /* bytes in the FIFOs */
    u8 tx[16];
    bool line, irq;   /* level of the interrupt line; an edge that was not taken by the test */
    u8 sent[1 << 16]; /* what reached the host */
    u32 sent_n;
    u8 stdout_bytes[4096], stderr_bytes[4096]; /* the debug ports */
    u32 stdout_n, stderr_n;
    const u8 *arriving; /* bytes that come one by one while the driver works, at every third access */
    u32 arriving_n, accesses;
    struct port_io io;
};

void uart_model_init(struct uart_model *m, u16 base);

/* The host sends up to n bytes, as many as the FIFO takes; returns how many. */
u32 uart_model_feed(struct uart_model *m, const u8 *bytes, u32 n);

/* The host takes bytes again, or no longer. */
void uart_model_block(struct uart_model *m, bool blocked);

/* SPDX-License-Identifier: MIT */
#include "uart_model.h"

#include <criterion/criterion.h>
#include <string.h>

static void update_line(struct uart_model *m) {
    bool level = ((m->ier & 1) && m->rx_n) || ((m->ier & 2) && m->tx_n == 0);
    if (level && !m->line && (m->mcr & 8))
        m->irq = true;
    m->line = level;
}

static void drain(struct uart_model *m) {
    if (m->blocked)
        return;
    cr_assert(m->sent_n + m->tx_n <= sizeof m->sent);
    memcpy(m->sent + m->sent_n, m->tx, m->tx_n);
    m->sent_n += m->tx_n;
    m->tx_n = 0;
}

static void arrive(struct uart_model *m) {
    if (m->arriving_n && ++m->accesses % 3 == 0 && uart_model_feed(m, m->arriving, 1)) {
        m->arriving++;
        m->arriving_n--;
    }
}

static u8 in8(void *ctx, u16 port) {
    struct uart_model *m = ctx;
    u8 value = 0xff;
    if (m->absent)
        return value;
    if (port == m->base) {
        cr_assert(m->rx_n > 0, "read from an empty FIFO");
        value = m->rx[0];
        memmove(m->rx, m->rx + 1, --m->rx_n);
    } else if (port == m->base + 5) {
        arrive(m);
        value = (m->rx_n ? 1 : 0) | (m->tx_n ? 0 : 0x60);
    } else {
        cr_assert_fail("in8 from %#x", port);
    }
    update_line(m);
    return value;
}

static void out8(void *ctx, u16 port, u8 value) {
    struct uart_model *m = ctx;
    if (port == LAUNCH_PORT_STDOUT) {
        m->stdout_bytes[m->stdout_n++] = value;
        return;
    }
    if (port == LAUNCH_PORT_STDERR) {
        m->stderr_bytes[m->stderr_n++] = value;
        return;
    }
    switch (port - m->base) {
    case 0:
        if (m->lcr & 0x80) {
            cr_assert_eq(value, 1, "divisor");
            break;
        }
        cr_assert(m->tx_n < 16, "the transmit FIFO overflows");
        m->tx[m->tx_n++] = value;
        m->line = false; /* writing takes the transmit interrupt back */
        drain(m);
        break;
    case 1:
        if (!(m->lcr & 0x80))
            m->ier = value;
        break;
    case 2:
        m->fcr = value;
        break;
    case 3:
        m->lcr = value;
        break;
    case 4:
        m->mcr = value;
        break;
    default:
        cr_assert_fail("out8 to %#x", port);
    }
    update_line(m);
}

void uart_model_init(struct uart_model *m, u16 base) {
    memset(m, 0, sizeof *m);
    m->base = base;
    m->io = (struct port_io){m, in8, out8};
}

u32 uart_model_feed(struct uart_model *m, const u8 *bytes, u32 n) {
    n = MIN(n, 16 - m->rx_n);
    memcpy(m->rx + m->rx_n, bytes, n);
    m->rx_n += n;
    update_line(m);
    return n;
}

void uart_model_block(struct uart_model *m, bool blocked) {
    m->blocked = blocked;
    drain(m);
    update_line(m);
}

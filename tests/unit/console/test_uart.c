/* SPDX-License-Identifier: MIT */
/* The serial driver: set-up, and random traffic both ways in which it runs only when an edge or its owner
 * calls it. */
#include "uart_model.h"

#include <criterion/criterion.h>
#include <model/seed.h>
#include <string.h>

static struct uart_model m;
static struct uart u;

Test(uart, set_up) {
    uart_model_init(&m, LAUNCH_COM1);
    uart_init(&u, &m.io, LAUNCH_COM1);
    cr_assert(u.present);
    cr_assert(m.lcr == 3 && m.fcr == 0xc7 && m.mcr == 0x0b && m.ier == 1);
    m.absent = true;
    uart_init(&u, &m.io, LAUNCH_COM1);
    cr_assert(!u.present);
    fifo_put(&u.tx, 'x');
    cr_assert_eq(uart_receive(&u), 0);
}

static u8 byte_nr(u32 i) {
    return (u8)(i * 31 + (i >> 8));
}

Test(uart, random_traffic_loses_nothing) {
    enum { TOTAL = 60000 };
    u64 seed = seed_begin(7);
    u32 fed = 0, taken = 0, put = 0;
    uart_model_init(&m, LAUNCH_COM2);
    uart_init(&u, &m.io, LAUNCH_COM2);
    for (u32 i = 0; i < 4000000 && (taken < TOTAL || m.sent_n < TOTAL); i++) {
        u8 bytes[16];
        u32 n;
        switch (seed_next(&seed, 6)) {
        case 0:
        case 1: /* the host sends */
            for (n = 0; n < 16 && fed + n < TOTAL; n++)
                bytes[n] = byte_nr(fed + n);
            fed += uart_model_feed(&m, bytes, n);
            break;
        case 2: /* the program reads, rarely so much that the queue always stays short */
            for (n = (u32)seed_next(&seed, 40); n && fifo_used(&u.rx); n--)
                cr_assert_eq(fifo_get(&u.rx), byte_nr(taken++));
            uart_receive(&u);
            break;
        case 3: /* the program writes */
            for (n = (u32)seed_next(&seed, 100); n && put < TOTAL && fifo_put(&u.tx, byte_nr(put)); n--)
                put++;
            u.paused = seed_next(&seed, 20) == 0;
            uart_transmit(&u);
            break;
        case 4:
            uart_model_block(&m, seed_next(&seed, 3) == 0);
            break;
        default:
            if (m.irq) {
                m.irq = false;
                uart_receive(&u);
                uart_transmit(&u);
            }
        }
    }
    cr_assert_eq(taken, TOTAL);
    cr_assert_eq(m.sent_n, TOTAL);
    for (u32 i = 0; i < TOTAL; i++)
        cr_assert_eq(m.sent[i], byte_nr(i));
}

Test(uart, a_full_queue_holds_the_sender_back) {
    uart_model_init(&m, LAUNCH_COM1);
    uart_init(&u, &m.io, LAUNCH_COM1);
    for (u32 i = 0; i < FIFO_BYTES; i++)
        fifo_put(&u.rx, 0);
    cr_assert_eq(uart_model_feed(&m, (const u8 *)"0123456789abcdefgh", 18), 16);
    m.irq = false;
    cr_assert_eq(uart_receive(&u), 0);
    cr_assert_eq(m.ier, 0, "or the line stays up and makes no edge");
    fifo_clear(&u.rx);
    cr_assert_eq(uart_receive(&u), 16);
    cr_assert_eq(m.ier, 1);
}

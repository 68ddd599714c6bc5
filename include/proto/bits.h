/* SPDX-License-Identifier: MIT */
/* Notification bits by endpoint: who sets them, and what they mean. Bit 63 is the endpoint's own deadline. */
#pragma once

#include <abi/syscall.h>

#define BIT(n) (1ull << (n))

enum notify_bit {
    /* Every server, set by frame (and the kernel for COLLECT, where account_bind asked for it). */
    BIT_MEMORY_LOW = 0,  /* below low: give clean memory back */
    BIT_MEMORY_BACK = 1, /* frames are back: retry what is parked */
    BIT_DRAIN = 2,       /* give the magazine back */
    BIT_COLLECT = 3,     /* frames wait on the account's collect list */
    /* By server. */
    BIT_RING = 8,     /* ata, set by cache: requests are queued in the ring */
    BIT_ATA_IRQ = 9,  /* ata: irq 14 */
    BIT_DISK = 8,     /* cache's completion endpoint, set by ata: requests are done */
    BIT_WORK = 9,     /* a worker's own endpoint: wake up */
    BIT_UART = 8,     /* console: irq 4 */
    BIT_STDIN = 9,    /* console: irq 3 */
    BIT_CONSOLE = 8,  /* linux, set by console: input, end of file or a signal character is there */
    BIT_RELEASED = 9, /* linux, set by region: it is to ask which objects are mapped nowhere any more */
};

/* root's endpoint, set by linux: the system is to end. status: 0..255. */
#define ROOT_EXIT(status)      (BIT(0) | (u64)((status)&0xff) << 8)
#define ROOT_EXIT_STATUS(bits) (((bits) >> 8) & 0xff)

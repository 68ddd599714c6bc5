/* SPDX-License-Identifier: MIT */
/* The PIT (8254), channel 0: first the yardstick for the TSC, then a one-shot alarm of at most 54 ms. */
#include "arch/cpu.h"

enum { PIT_CHANNEL0 = 0x40, PIT_COMMAND = 0x43 };
enum { PIT_LATCH0 = 0x00, PIT_ONE_SHOT = 0x30, PIT_RATE = 0x34 };
#define PIT_HZ          1193182ull
#define PIT_MAX         0xffffull
#define CALIBRATE_TICKS 716 /* 0.6 ms */
#define CALIBRATE_TRIES 3

u64 tsc_per_ms;
static u64 armed_for; /* what the PIT is set for, absolute TSC; 0: nothing */

static void pit_load(u8 mode, u16 count) {
    out8(PIT_COMMAND, mode);
    out8(PIT_CHANNEL0, (u8)count);
    out8(PIT_CHANNEL0, (u8)(count >> 8));
}

static u16 pit_read(void) {
    out8(PIT_COMMAND, PIT_LATCH0);
    u8 lo = in8(PIT_CHANNEL0);
    return (u16)(lo | in8(PIT_CHANNEL0) << 8);
}

/* A count and the TSC at which it was read: of a few tries the one that was disturbed least by the host. */
static u16 pit_sample(u64 *tsc) {
    u64 best = ~0ull;
    u16 count = 0;
    for (u32 i = 0; i < 4; i++) {
        u64 before = rdtsc();
        u16 c = pit_read();
        u64 after = rdtsc();
        if (after - before < best) {
            best = after - before;
            count = c;
            *tsc = before + best / 2;
        }
    }
    return count;
}

/* TSC ticks per millisecond, by one try. */
static u64 calibrate(void) {
    u64 t0, t1;
    u16 first = pit_sample(&t0);
    while ((u16)(first - pit_read()) < CALIBRATE_TICKS)
        ;
    u16 ticks = (u16)(first - pit_sample(&t1));
    return (t1 - t0) * PIT_HZ / 1000 / ticks;
}

/* A host that stands still for longer than the counter's 55 ms makes a try come out too large: the smallest
 * counts. */
void timer_init(void) {
    pit_load(PIT_RATE, 0);
    tsc_per_ms = calibrate();
    for (u32 i = 1; i < CALIBRATE_TRIES; i++)
        tsc_per_ms = MIN(tsc_per_ms, calibrate());
    pit_load(PIT_ONE_SHOT, 0);
    timer_set(0);
}

void timer_set(u64 at) {
    if (at == 0) {
        if (armed_for)
            pic_mask(IRQ_TIMER);
        armed_for = 0;
        return;
    }
    u64 now = rdtsc();
    u64 ms_max = PIT_MAX * 1000 / PIT_HZ;
    u64 ahead = at > now ? at - now : 0;
    u64 count = ahead >= ms_max * tsc_per_ms ? PIT_MAX : ahead * PIT_HZ / (tsc_per_ms * 1000);
    if (armed_for == 0)
        pic_unmask(IRQ_TIMER);
    armed_for = at;
    pit_load(PIT_ONE_SHOT, (u16)MAX(count, 1));
}

/* SPDX-License-Identifier: MIT */
/* The PIT (8254), channel 0: first the yardstick for the TSC, then a one-shot alarm of at most 54 ms. */
#include "arch/cpu.h"

enum { PIT_CHANNEL0 = 0x40, PIT_COMMAND = 0x43 };
enum { PIT_LATCH0 = 0x00, PIT_ONE_SHOT = 0x30, PIT_STATUS0 = 0xe2, PIT_OUTPUT = 0x80 };
#define PIT_HZ          1193182ull
#define PIT_MAX         0xffffull
#define CALIBRATE_TICKS 716 /* 0.6 ms */

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

static u16 begun; /* the count at which calibration began, and its TSC */
static u64 begun_tsc;

void timer_begin(void) {
    pit_load(PIT_ONE_SHOT, 0);
    begun = pit_sample(&begun_tsc);
}

/* The counter goes on below 0, but its output stays high then: the host stood still for longer than 55 ms, so
 * once more. */
void timer_init(void) {
    u64 ticks, tsc;
    for (;; timer_begin()) {
        while ((u16)(begun - pit_read()) < CALIBRATE_TICKS)
            ;
        ticks = (u16)(begun - pit_sample(&tsc));
        out8(PIT_COMMAND, PIT_STATUS0);
        if (!(in8(PIT_CHANNEL0) & PIT_OUTPUT))
            break;
    }
    tsc_per_ms = (tsc - begun_tsc) * PIT_HZ / 1000 / ticks;
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

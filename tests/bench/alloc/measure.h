/* SPDX-License-Identifier: MIT */
/* Measuring in a server: RUNS samples of one operation, told as a line "bench NAME warm cold" of the log: the
 * median of all but the first, and the first. */
#pragma once

#include <abi/types.h>
#include <ipc/log.h>

enum { RUNS = 33 };

static u64 samples[RUNS], overhead;
static inline u64 tsc(void) {
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (u64)high << 32 | low;
}

static void sort(u64 *a, u32 n) {
    for (u32 i = 1; i < n; i++)
        for (u32 j = i; j && a[j] < a[j - 1]; j--) {
            u64 t = a[j];
            a[j] = a[j - 1];
            a[j - 1] = t;
        }
}

static void report(const char *name, u64 divisor) {
    u64 cold = samples[0];
    sort(samples + 1, RUNS - 1);
    log_line("bench %s %lu %lu", name, samples[RUNS / 2] / divisor, cold / divisor);
}

#define MEASURE(i, what)                                                                                     \
    do {                                                                                                     \
        u64 t0 = tsc();                                                                                      \
        what;                                                                                                \
        samples[i] = tsc() - t0 - overhead;                                                                  \
    } while (0)

static void find_overhead(void) {
    for (u32 i = 0; i < RUNS; i++)
        MEASURE(i, (void)0);
    sort(samples, RUNS);
    overhead = samples[0];
}

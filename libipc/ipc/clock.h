/* SPDX-License-Identifier: MIT */
/* Time since boot in nanoseconds, from the TSC. */
#pragma once

#include <abi/info.h>
#include <abi/layout.h>

#define NS_PER_MS 1000000ull

/* Two steps each way: the product of a long uptime in ticks would overflow. */
static inline u64 clock_ns_of_tsc(u64 tsc, u64 tsc_per_ms) {
    return tsc / tsc_per_ms * NS_PER_MS + tsc % tsc_per_ms * NS_PER_MS / tsc_per_ms;
}
/* The first tick at which clock_ns_of_tsc gives at least ns. */
static inline u64 clock_tsc_of_ns(u64 ns, u64 tsc_per_ms) {
    return ns / NS_PER_MS * tsc_per_ms + (ns % NS_PER_MS * tsc_per_ms + NS_PER_MS - 1) / NS_PER_MS;
}

static inline u64 clock_ns(void) {
    return clock_ns_of_tsc(__builtin_ia32_rdtsc(), ((const struct info_page *)INFO_PAGE)->tsc_per_ms);
}
/* A moment of clock_ns as a deadline for a wait (absolute TSC); 0 stays 0: never. */
static inline u64 clock_deadline(u64 ns) {
    return ns ? clock_tsc_of_ns(ns, ((const struct info_page *)INFO_PAGE)->tsc_per_ms) : 0;
}

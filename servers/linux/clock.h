/* SPDX-License-Identifier: MIT */
/* Time for programs: TSC ticks to seconds and back. The conversions are pure. */
#pragma once

#include "uapi.h"

#define LINUX_RELEASE "6.1.0-quire"
#define NS_PER_S      1000000000ll

struct timespec64 clock_of_ticks(u64 ticks, u64 ticks_per_ms);
/* Ticks of a span (0 <= nsec < 1e9, sec >= 0), rounded up; very long ones are cut at some centuries. */
u64 clock_to_ticks(const struct timespec64 *span, u64 ticks_per_ms);
bool clock_span_valid(const struct timespec64 *span);
/* The span from `now` to `then`, both valid; 0 if it is over. */
struct timespec64 clock_span_until(const struct timespec64 *then, const struct timespec64 *now);

/* Since boot, and since 1970. */
struct timespec64 clock_monotonic(void);
struct timespec64 clock_realtime(void);

/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include "kern.h"

struct timespec64 clock_of_ticks(u64 ticks, u64 ticks_per_ms) {
    u64 ms = ticks / ticks_per_ms, rest = ticks % ticks_per_ms;
    return (struct timespec64){(i64)(ms / 1000), (i64)(ms % 1000 * 1000000 + rest * 1000000 / ticks_per_ms)};
}

u64 clock_to_ticks(const struct timespec64 *span, u64 ticks_per_ms) {
    const i64 most = 1ll << 33;
    u64 ms = (u64)MIN(span->sec, most) * 1000, ns = (u64)span->nsec;
    return ms * ticks_per_ms + (ns * ticks_per_ms + 999999) / 1000000;
}

bool clock_span_valid(const struct timespec64 *span) {
    return span->sec >= 0 && span->nsec >= 0 && span->nsec < NS_PER_S;
}

struct timespec64 clock_span_until(const struct timespec64 *then, const struct timespec64 *now) {
    bool borrow = then->nsec < now->nsec;
    struct timespec64 span = {then->sec - now->sec - borrow, then->nsec - now->nsec + borrow * NS_PER_S};
    return span.sec < 0 ? (struct timespec64){0} : span;
}

struct timespec64 clock_monotonic(void) {
    return clock_of_ticks(kern_tsc() - kern_boot_tsc(), kern_tsc_per_ms());
}

struct timespec64 clock_realtime(void) {
    struct timespec64 t = clock_monotonic();
    t.sec += (i64)kern_boot_seconds();
    return t;
}

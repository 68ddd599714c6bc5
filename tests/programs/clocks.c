/* SPDX-License-Identifier: MIT */
/* Clocks: monotonic never goes back, sleeps last at least as long as asked; prints the seconds since 1970. */
#include "check.h"
#include <time.h>

static int64_t now_ns(clockid_t clock) {
    struct timespec t;
    CHECK(clock_gettime(clock, &t) == 0 && t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(void) {
    int64_t before = now_ns(CLOCK_MONOTONIC), start = before;
    for (int i = 0; i < 1000; i++) {
        int64_t now = now_ns(CLOCK_MONOTONIC);
        CHECK(now >= before);
        before = now;
    }
    CHECK(before > start);
    for (long ms = 1; ms <= 64; ms *= 4) {
        struct timespec t = {.tv_sec = 0, .tv_nsec = ms * 1000000};
        before = now_ns(CLOCK_MONOTONIC);
        CHECK(nanosleep(&t, NULL) == 0 && now_ns(CLOCK_MONOTONIC) - before >= ms * 1000000);
    }
    printf("%lld\n", (long long)time(NULL));
    return 0;
}

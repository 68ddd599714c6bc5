/* SPDX-License-Identifier: MIT */
/* Measuring under icount: RDTSC advances by one for each guest instruction. A case is one operation,
 * repeated; its first run is the cold figure, the median of the rest the warm one. Address-space switches
 * come from /proc/quire/counters, over all runs, less what reading that file costs. */
#pragma once

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUNS_MAX 2048

static inline uint64_t tsc(void) {
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return (uint64_t)hi << 32 | lo;
}

struct bench {
    const char *name;
    unsigned goal;            /* guest instructions; 0: a figure without a goal */
    unsigned linux_cost;      /* what Linux 6.1 takes; 0: not known */
    unsigned runs;            /* <= RUNS_MAX */
    void (*before)(unsigned); /* once, with the number of runs; not measured; may be NULL */
    void (*run)(unsigned);    /* the operation, i-th run */
    void (*after)(void);      /* once; may be NULL */
    unsigned per;             /* so many operations are in one run; 0: one */
};

static uint64_t bench_samples[RUNS_MAX];

static inline int bench_compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Address-space switches since boot; 0 where the system does not tell (Linux). */
static inline uint64_t bench_switches(void) {
    char text[256];
    int fd = open("/proc/quire/counters", O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    char *at = strstr(text, "switches ");
    return at ? strtoull(at + 9, NULL, 10) : 0;
}

/* What two rdtsc in a row cost. */
static inline uint64_t bench_overhead(void) {
    uint64_t least = ~0ull;
    for (int i = 0; i < 16; i++) {
        uint64_t a = tsc(), b = tsc();
        if (b - a < least)
            least = b - a;
    }
    return least;
}

static inline void bench_report(const struct bench *b, uint64_t cold, uint64_t warm, double switches) {
    char goal[24] = "-", ratio[24] = "-", linux_cost[24] = "-";
    if (b->linux_cost)
        snprintf(linux_cost, sizeof linux_cost, "%u", b->linux_cost);
    if (b->goal) {
        snprintf(goal, sizeof goal, "%u", b->goal);
        snprintf(ratio, sizeof ratio, "%.2f", (double)warm / b->goal);
    }
    printf("%-44s %10llu %10llu %8.1f %10.0f %9s %7s %9s\n", b->name, (unsigned long long)warm,
           (unsigned long long)cold, switches, (double)warm + 150 * switches, goal, ratio, linux_cost);
    fflush(stdout);
}

static inline void bench_one(const struct bench *b) {
    uint64_t overhead = bench_overhead(), per = b->per ? b->per : 1;
    if (b->before)
        b->before(b->runs);
    uint64_t s0 = bench_switches(), s1 = bench_switches();
    for (unsigned i = 0; i < b->runs; i++) {
        uint64_t t0 = tsc();
        b->run(i);
        uint64_t t1 = tsc();
        bench_samples[i] = (t1 - t0 - overhead) / per;
    }
    uint64_t s2 = bench_switches();
    if (b->after)
        b->after();
    uint64_t cold = bench_samples[0];
    qsort(bench_samples + 1, b->runs - 1, sizeof bench_samples[0], bench_compare);
    double switches = ((double)(s2 - s1) - (double)(s1 - s0)) / (double)(b->runs * per);
    bench_report(b, cold, bench_samples[1 + (b->runs - 1) / 2], switches < 0 ? 0 : switches);
}

/* Marks for tests/bench/profile; the comments keep the compiler from making one function of both. */
static __attribute__((noinline)) void profile_begin(void) {
    __asm__ volatile("nop # begin");
}
static __attribute__((noinline)) void profile_end(void) {
    __asm__ volatile("nop # end");
}

#define PROFILE_RUNS 20

/* Half of the runs to warm up, then those that are counted. */
static inline void bench_profile(const struct bench *b) {
    unsigned runs = b->runs < 2 * PROFILE_RUNS ? b->runs : 2 * PROFILE_RUNS;
    if (b->before)
        b->before(runs);
    for (unsigned i = 0; i < runs / 2; i++)
        b->run(i);
    profile_begin();
    for (unsigned i = runs / 2; i < runs; i++)
        b->run(i);
    profile_end();
    if (b->after)
        b->after();
    printf("%u runs of: %s\n", runs - runs / 2, b->name);
}

/* Without arguments: all cases, a line each. With one: only those whose name contains it, for the profile. */
static inline int bench_main(const struct bench *list, unsigned n, int argc, char **argv) {
    if (argc > 1) {
        for (unsigned i = 0; i < n; i++)
            if (strstr(list[i].name, argv[1])) {
                bench_profile(&list[i]);
                return 0;
            }
        fprintf(stderr, "no case contains '%s'\n", argv[1]);
        return 2;
    }
    printf("%-44s %10s %10s %8s %10s %9s %7s %9s\n", "operation (guest instructions)", "warm", "cold",
           "switches", "+150/sw", "goal", "warm/g", "Linux");
    for (unsigned i = 0; i < n; i++)
        bench_one(&list[i]);
    return 0;
}

static inline void bench_check(int ok, const char *what) {
    if (!ok) {
        perror(what);
        exit(1);
    }
}

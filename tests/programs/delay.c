/* SPDX-License-Identifier: MIT */
/* While one process has a long call under way, another one touches new pages all the time: prints how long its
 * faults took at most, in ticks, how many there were, and how long the other's call took. The call gives back
 * 1 GiB of memory or, if an argument other than `all` names one, works on as many regions as there may be, or as a second
 * argument says. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE    4096ul
#define LARGE   (1ul << 30)
#define WRITTEN (64ul << 20)
#define SMALL   (1ul << 20)

static size_t regions = 65000; /* of 65,536 */

static uint64_t tsc(void) {
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return (uint64_t)hi << 32 | lo;
}

static char *map(size_t bytes, int flags) {
    char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return p;
}

struct shared {
    volatile int begun, done;
    volatile uint64_t ticks;
};

/* Every other page may be written, so that each is a region, and each has been touched. */
static char *make_regions(void) {
    volatile char *p = map(regions * PAGE, MAP_PRIVATE);
    for (size_t i = 0; i < regions; i++) {
        if (i % 2 && mprotect((void *)(p + i * PAGE), PAGE, PROT_READ)) {
            perror("mprotect");
            exit(1);
        }
        (void)p[i * PAGE];
    }
    return (char *)p;
}

static void work_on(char *p, const char *call) {
    size_t bytes = regions * PAGE;
    char text[200];
    if (!strcmp(call, "munmap"))
        munmap(p, bytes);
    else if (!strcmp(call, "mmap"))
        mmap(p, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    else if (!strcmp(call, "mprotect"))
        mprotect(p, bytes, PROT_READ);
    else if (!strcmp(call, "madvise"))
        madvise(p, bytes, MADV_DONTNEED);
    else if (!strcmp(call, "munlock"))
        munlock(p, bytes);
    else if (!strcmp(call, "munlockall"))
        munlockall();
    else if (!strcmp(call, "fork") && !fork())
        _exit(0);
    else if (!strcmp(call, "stat"))
        (void)!read(open("/proc/self/statm", O_RDONLY), text, sizeof text);
    else if (!strcmp(call, "exit"))
        _exit(0);
}

static void call_on_regions(struct shared *shared, const char *call) {
    char *p = make_regions();
    shared->begun = 1;
    uint64_t from = tsc();
    if (!strcmp(call, "exit")) {
        if (!fork())
            work_on(p, "exit"); /* the child's end is what is long, and its beginning */
        wait(NULL);
    } else {
        work_on(p, call);
    }
    shared->ticks = tsc() - from;
    shared->done = 1;
    usleep(50000);
    kill(getpid(), SIGKILL);
}

/* All pages are there: the first ones are written, so that their frames go back, the others are the page of
 * zeroes. */
static void give_back(struct shared *shared) {
    volatile char *p = map(LARGE, MAP_PRIVATE);
    for (size_t at = 0; at < LARGE; at += PAGE)
        if (at < WRITTEN)
            p[at] = 1;
        else
            (void)p[at];
    shared->begun = 1;
    uint64_t from = tsc();
    munmap((void *)p, LARGE);
    shared->ticks = tsc() - from;
    shared->done = 1;
    usleep(50000); /* that it ends is not what is measured */
    _exit(0);
}

int main(int argc, char **argv) {
    struct shared *shared = (struct shared *)(void *)map(PAGE, MAP_SHARED);
    uint64_t worst = 0, faults = 0;
    if (argc > 2)
        regions = strtoul(argv[2], NULL, 10);
    if (!fork())
        argc > 1 && strcmp(argv[1], "all") ? call_on_regions(shared, argv[1]) : give_back(shared);
    while (!shared->begun)
        usleep(1000);
    while (!shared->done) {
        volatile char *p = map(SMALL, MAP_PRIVATE);
        for (size_t at = 0; at < SMALL && !shared->done; at += PAGE, faults++) {
            uint64_t from = tsc();
            p[at] = 1;
            uint64_t took = tsc() - from;
            worst = took > worst ? took : worst;
        }
        munmap((void *)p, SMALL);
    }
    wait(NULL);
    printf("worst %llu faults %llu call %llu\n", (unsigned long long)worst, (unsigned long long)faults,
           (unsigned long long)shared->ticks);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* While one process gives 1 GiB of memory back, another one touches new pages all the time: prints how long
 * its faults took at most, in ticks, how many there were, and how long the other's munmap took. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE    4096ul
#define LARGE   (1ul << 30)
#define WRITTEN (64ul << 20)
#define SMALL   (1ul << 20)

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

int main(void) {
    struct shared *shared = (struct shared *)(void *)map(PAGE, MAP_SHARED);
    uint64_t worst = 0, faults = 0;
    if (!fork())
        give_back(shared);
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
    printf("worst %llu faults %llu munmap %llu\n", (unsigned long long)worst, (unsigned long long)faults,
           (unsigned long long)shared->ticks);
    return 0;
}

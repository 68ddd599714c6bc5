/* SPDX-License-Identifier: MIT */
/* Calls over far more memory than there is: others get their turns meanwhile, and the caller can be killed. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <time.h>

#include "check.h"

enum { TURNS = 15, TURN_MS = 10, MOST_MS = 1500 };
#define MUCH (1ul << 40)

static long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void be_greedy(int how) {
    int prot = how == 0 ? PROT_READ : PROT_NONE;
    char *all = mmap(NULL, MUCH, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(all != MAP_FAILED);
    if (how == 0)
        CHECK(mlockall(MCL_CURRENT) == 0);
    else
        madvise(all, MUCH, MADV_WILLNEED);
    pause();
}

int main(void) {
    static const char *const names[] = {"mlockall", "madvise"};
    const struct timespec turn = {.tv_nsec = TURN_MS * 1000000};
    for (int how = 0; how < 2; how++) {
        saying(names[how]);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            be_greedy(how);
        long begin = now_ms();
        for (int i = 0; i < TURNS; i++)
            nanosleep(&turn, NULL);
        CHECK(kill(pid, SIGKILL) == 0 && wait_for(pid) == 128 + SIGKILL);
        CHECK(now_ms() - begin < MOST_MS);
    }
    return 0;
}

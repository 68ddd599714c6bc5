/* SPDX-License-Identifier: MIT */
/* As many threads, then as many processes, as the system gives: the next is refused with EAGAIN,
 * and when they are gone all is as before. usage: many */
#define _GNU_SOURCE
#include "check.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define MOST 20000

static void refused(const char *what, int made) {
    printf("many: %d %s, then errno %d\n", made, what, errno);
    CHECK(made > 100 && made < MOST && errno == EAGAIN);
    fflush(stdout);
}

/* In a process of its own: they go with it. All wait in poll without a time on the same stack page, which
 * none of them writes after the call. */
static void threads(void) {
    long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    int made = 0;
    for (; made < MOST; made++) {
        char *stack = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (stack == MAP_FAILED)
            break;
        long tid;
        __asm__ volatile(
            "syscall\n\ttest %0, %0\n\tjnz 2f\n1:\tmov $34, %%eax\n\tsyscall\n\tjmp 1b\n2:" /* pause */
            : "=a"(tid)
            : "a"(SYS_clone), "D"(flags), "S"(stack + PAGE - 64), "d"(0)
            : "rcx", "r11", "memory");
        if (tid < 0) {
            errno = (int)-tid;
            break;
        }
    }
    refused("threads", made);
}

static void processes(void) {
    static pid_t pid[MOST];
    int made = 0;
    for (; made < MOST && (pid[made] = fork()) >= 0; made++)
        if (pid[made] == 0)
            for (;;)
                pause();
    refused("processes", made);
    for (int i = 0; i < made; i++)
        CHECK(kill(pid[i], SIGKILL) == 0 && wait_for(pid[i]) == 128 + SIGKILL);
}

static void alone(void (*what)(void)) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        what();
        _exit(0);
    }
    CHECK(wait_for(pid) == 0);
}

int main(void) {
    for (int i = 0; i < 2; i++) {
        alone(threads);
        alone(processes);
    }
    saying("many: ok");
    return 0;
}

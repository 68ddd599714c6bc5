/* SPDX-License-Identifier: MIT */
/* A hostile program: children that make random system calls with random arguments, as `random_calls SEED
 * CHILDREN`. Whatever becomes of them, this program and the system go on. Left out is only what asks the
 * system to end, or a signal to somebody else: root may do that. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "check.h"

enum { CALLS = 150, NUMBERS = 470, CHILD_MS = 400 };

static uint64_t state;
static char *edge; /* the last byte of a page behind which nothing is mapped */
static char buffer[4 * PAGE] __attribute__((aligned(4096)));
static pid_t me;

static uint64_t pick(uint64_t n) {
    return (next_random(&state) >> 16) % n;
}

static uint64_t argument(void) {
    static const uint64_t some[] = {0,
                                    1,
                                    2,
                                    0xfff,
                                    0x1000,
                                    ~0ull,
                                    ~0ull >> 1,
                                    1ull << 31,
                                    1ull << 32,
                                    1ull << 47,
                                    (1ull << 47) - 4096,
                                    1ull << 63,
                                    0xffff8000ull << 32,
                                    0x400000,
                                    0x123000,
                                    4096 * 1000};
    switch (pick(8)) {
    case 0:
        return (uintptr_t)edge - pick(3) * 8 + pick(16);
    case 1:
    case 2:
        return (uintptr_t)buffer + pick(sizeof buffer);
    case 3:
    case 4:
        return pick(12); /* a descriptor, a flag, a signal */
    case 5:
        return 1ull << pick(64);
    case 6:
        return next_random(&state) >> pick(64);
    default:
        return some[pick(sizeof some / sizeof *some)];
    }
}

/* Words that are pointers and numbers in turns, and strings that may be paths. */
static void fill_buffer(void) {
    static const char *const words[] = {"/data", "/proc/self/maps", "/nowhere", "/dev/null",
                                        "..",    "/test/hello",     ""};
    for (size_t i = 0; i < sizeof buffer; i += 8) {
        uint64_t w = argument();
        memcpy(buffer + i, &w, 8);
    }
    for (int i = 0; i < 12; i++)
        strcpy(buffer + 64 * pick(sizeof buffer / 64 - 1), words[pick(sizeof words / sizeof *words)]);
}

static int left_out(long number, const uint64_t *a) {
    switch (number) {
    case SYS_reboot:
    case SYS_kill:
    case SYS_tkill:
    case SYS_tgkill:
    case SYS_rt_sigqueueinfo:
    case SYS_rt_tgsigqueueinfo:
        return 1;
    case SYS_ioctl: /* the terminal's process group is the shell's */
    case SYS_fcntl:
        return a[0] < 3;
    default:
        return 0;
    }
}

static void child(uint64_t seed) {
    state = seed;
    me = getpid();
    setpgid(0, 0);
    fill_buffer();
    for (int i = 0; i < CALLS; i++) {
        long number = pick(20) ? (long)pick(NUMBERS) : (long)argument();
        uint64_t a[6];
        for (int k = 0; k < 6; k++)
            a[k] = argument();
        if (left_out(number, a))
            continue;
        syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (getpid() != me) /* it has forked */
            _exit(0);
        if (pick(8) == 0)
            fill_buffer();
    }
    _exit(0);
}

static void see_off(pid_t pid, int *ended, int *died, int *killed) {
    const struct timespec ms = {.tv_nsec = 4000000};
    int status, waited = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        nanosleep(&ms, NULL);
        if (++waited * 4 < CHILD_MS)
            continue;
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
        CHECK(waitpid(pid, &status, 0) == pid);
        ++*killed;
        return;
    }
    *(WIFEXITED(status) ? ended : died) += 1;
    kill(-pid, SIGKILL); /* whom it has left behind */
}

int main(int argc, char **argv) {
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    int children = argc > 2 ? atoi(argv[2]) : 20, ended = 0, died = 0, killed = 0;
    char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED && munmap(pages + PAGE, PAGE) == 0);
    edge = pages + PAGE - 1;
    signal(SIGCHLD, SIG_DFL);
    int nothing = open("/dev/null", O_RDWR), pipes[2];
    CHECK(nothing >= 0 && pipe(pipes) == 0);
    for (int i = 0; i < children; i++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            dup2(nothing, 0);
            dup2(nothing, 1);
            dup2(nothing, 2);
            open("/data/random.bin", O_RDONLY);
            open("/data", O_RDONLY | O_DIRECTORY);
            child((seed << 20) + (uint64_t)i + 1);
        }
        see_off(pid, &ended, &died, &killed);
    }
    printf("%d children: %d ended, %d died of a signal, %d were killed\n", children, ended, died, killed);
    return ended + died + killed == children ? 0 : 1;
}

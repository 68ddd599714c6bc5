/* SPDX-License-Identifier: MIT */
/* Of storm.c: which call takes what, and nearly valid arguments of each kind. */
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "check.h"

enum {
    ARENA_PAGES = 160,
    PIDS = 64, /* of a round, the last ones made */
    DEPTH = 3, /* children of children of children */
    BUFFER = 3 * PAGE,
};
#define ARENA ((char *)0x30000000)

/* Shared by all processes of a round, and by its parent. */
static struct shared {
    pid_t pids[PIDS];
    uint32_t count;
    uint32_t futex[8];
    uint64_t calls;
} * shared;

struct actor {
    uint64_t state;
    int depth, steps;
};
static struct actor self; /* of the process's first thread */
static pid_t me, group;
static char buffer[BUFFER] __attribute__((aligned(4096)));

static uint64_t pick(struct actor *a, uint64_t n) {
    return (next_random(&a->state) >> 16) % n;
}

static void enter_pid(void) {
    me = getpid();
    shared->pids[__atomic_fetch_add(&shared->count, 1, __ATOMIC_RELAXED) % PIDS] = me;
}

/* Arguments, by the letter that stands for them in the table of calls. */

static uint64_t wild(struct actor *a) {
    static const uint64_t some[] = {
        0,          1,          4095,           4096,     ~0ull,      ~0ull >> 1,
        1ull << 31, 1ull << 47, 0x7ffffffff000, 0x400000, 1ull << 63, 0xffff800000000000,
        12,         513};
    return pick(a, 3) ? some[pick(a, sizeof some / sizeof *some)] : next_random(&a->state) >> pick(a, 64);
}

static uint64_t arena_address(struct actor *a) {
    return (uintptr_t)ARENA + pick(a, ARENA_PAGES) * PAGE + (pick(a, 12) ? 0 : pick(a, PAGE));
}

static uint64_t path(struct actor *a) {
    static const char *const some[] = {"/data/random.bin",
                                       "/data/single",
                                       "/etc/passwd",
                                       "/bin/busybox",
                                       "/data/many",
                                       "/proc/self/maps",
                                       "/dev/null",
                                       "/dev/zero",
                                       "/data/links/loop",
                                       "/nowhere",
                                       "..",
                                       "/proc/meminfo",
                                       "/proc/self/fd",
                                       "/data/many/0007",
                                       "",
                                       "/proc/self/stat",
                                       "/test/hello",
                                       "/proc/slabinfo"};
    return pick(a, 40) ? (uintptr_t)some[pick(a, sizeof some / sizeof *some)] : arena_address(a);
}

static pid_t a_process(struct actor *a) {
    pid_t pid = pick(a, 3) ? shared->pids[pick(a, PIDS)] : me;
    return pid > 0 && getpgid(pid) == group ? pid : me;
}

static uint64_t short_time(struct actor *a) { /* both as a timespec and as a timeval: at most 4 ms */
    uint64_t *t = (uint64_t *)(buffer + PAGE + 16 * pick(a, 8));
    t[0] = 0;
    t[1] = pick(a, 3) ? pick(a, 4000) : pick(a, 4000000);
    return (uintptr_t)t;
}

static uint64_t vector(struct actor *a) {
    struct iovec *v = (struct iovec *)(buffer + PAGE + 256 + 16 * pick(a, 8));
    for (int i = 0; i < 4; i++)
        v[i] = (struct iovec){pick(a, 4) ? (void *)(buffer + pick(a, PAGE)) : (void *)arena_address(a),
                              pick(a, 9000)};
    return (uintptr_t)v;
}

static uint64_t descriptors(struct actor *a) {
    struct pollfd *p = (struct pollfd *)(buffer + PAGE + 1024 + 8 * pick(a, 8));
    for (int i = 0; i < 6; i++)
        p[i] = (struct pollfd){.fd = (int)pick(a, 14) - 1, .events = (short)pick(a, 64)};
    return (uintptr_t)p;
}

static uint64_t argument(struct actor *a, char kind) {
    if (pick(a, 30) == 0)
        return wild(a);
    switch (kind) {
    case 'a': /* an address of the arena */
        return arena_address(a);
    case 'l': /* a length of memory */
        return pick(a, 8) ? (1 + pick(a, 24)) * PAGE : pick(a, ARENA_PAGES * PAGE);
    case 'p': /* protection */
        return pick(a, 6) ? PROT_READ | pick(a, 2) * PROT_WRITE : pick(a, 8);
    case 'm': { /* flags of mmap */
        uint64_t kinds = pick(a, 4) ? MAP_PRIVATE : MAP_SHARED;
        return kinds | (pick(a, 3) ? MAP_ANONYMOUS : 0) | (pick(a, 3) ? MAP_FIXED : 0) |
               (pick(a, 16) ? 0 : MAP_GROWSDOWN);
    }
    case 'd': /* a descriptor */
        return pick(a, 14);
    case 'o': /* an offset */
        return pick(a, 4) ? pick(a, 64) * PAGE : pick(a, 1 << 26);
    case 'n':
        return path(a);
    case 'b': /* where bytes go to or come from */
        return pick(a, 4) ? (uintptr_t)buffer + pick(a, PAGE) : arena_address(a);
    case 'c': /* how many */
        return pick(a, 4) ? pick(a, 5000) : pick(a, 70000);
    case 's': /* a signal */
        return pick(a, 65);
    case 't':
        return pick(a, 8) ? short_time(a) : 0;
    case 'v':
        return vector(a);
    case 'f':
        return descriptors(a);
    case 'u':
        return (uintptr_t)&shared->futex[pick(a, 8)];
    case 'h': /* at the current directory, mostly */
        return pick(a, 3) ? (uint64_t)AT_FDCWD : pick(a, 14);
    case 'r': /* flags of mremap */
        return pick(a, 4);
    case 'w': /* a small number */
        return pick(a, 6);
    case 'x': /* milliseconds */
        return pick(a, 5);
    case 'k': /* one bit */
        return 1ull << pick(a, 24);
    case '0':
        return 0;
    default: /* '*' */
        return wild(a);
    }
}

static const struct {
    short number;
    const char *arguments;
} known[] = {
    {SYS_mmap, "alpmdo"},
    {SYS_mmap, "alpmdo"},
    {SYS_mmap, "alpmdo"},
    {SYS_munmap, "al"},
    {SYS_munmap, "al"},
    {SYS_mprotect, "alp"},
    {SYS_mprotect, "alp"},
    {SYS_mremap, "allra"},
    {SYS_mremap, "allra"},
    {SYS_madvise, "alw"},
    {SYS_mincore, "alb"},
    {SYS_mlock, "al"},
    {SYS_munlock, "al"},
    {SYS_mlockall, "w"},
    {SYS_munlockall, ""},
    {SYS_read, "dbc"},
    {SYS_write, "dbc"},
    {SYS_pread64, "dbco"},
    {SYS_readv, "dvw"},
    {SYS_writev, "dvw"},
    {SYS_open, "nk"},
    {SYS_open, "n0"},
    {SYS_openat, "hnk"},
    {SYS_close, "d"},
    {SYS_stat, "nb"},
    {SYS_fstat, "db"},
    {SYS_lstat, "nb"},
    {SYS_newfstatat, "hnbk"},
    {SYS_poll, "fwx"},
    {SYS_ppoll, "fwtbw"},
    {SYS_select, "dbbbt"},
    {SYS_pselect6, "dbbbt0"},
    {SYS_lseek, "dow"},
    {SYS_rt_sigprocmask, "wbbk"},
    {SYS_rt_sigaction, "s0bk"},
    {SYS_rt_sigpending, "bk"},
    {SYS_sigaltstack, "bb"},
    {SYS_access, "nw"},
    {SYS_faccessat, "hnw"},
    {SYS_pipe, "b"},
    {SYS_pipe2, "bk"},
    {SYS_sched_yield, ""},
    {SYS_dup, "d"},
    {SYS_dup2, "dd"},
    {SYS_dup3, "ddk"},
    {SYS_nanosleep, "tb"},
    {SYS_clock_nanosleep, "wwtb"},
    {SYS_getitimer, "wb"},
    {SYS_fcntl, "dwk"},
    {SYS_fcntl, "dww"},
    {SYS_flock, "dw"},
    {SYS_getcwd, "bc"},
    {SYS_chdir, "n"},
    {SYS_fchdir, "d"},
    {SYS_readlink, "nbc"},
    {SYS_readlinkat, "hnbc"},
    {SYS_getdents64, "dbc"},
    {SYS_getrusage, "wb"},
    {SYS_sysinfo, "b"},
    {SYS_times, "b"},
    {SYS_uname, "b"},
    {SYS_gettimeofday, "bb"},
    {SYS_clock_gettime, "wb"},
    {SYS_getrandom, "bcw"},
    {SYS_futex, "uwwtuw"},
    {SYS_futex, "uwwtuw"},
    {SYS_set_tid_address, "u"},
    {SYS_set_robust_list, "bw"},
    {SYS_wait4, "0bw0"},
    {SYS_sendfile, "ddbc"},
    {SYS_fadvise64, "doow"},
    {SYS_prctl, "w****"},
    {SYS_arch_prctl, "*b"},
    {SYS_prlimit64, "0wbb"},
    {SYS_getrlimit, "wb"},
    {SYS_umask, "k"},
    {SYS_brk, "a"},
    {SYS_ioctl, "d*b"},
    {SYS_unlink, "n"},
    {SYS_rename, "nn"},
    {SYS_truncate, "no"},
    {SYS_ftruncate, "do"},
    {SYS_utimensat, "hnbw"},
    {SYS_statfs, "nb"},
    {SYS_fstatfs, "db"},
    {SYS_sched_getaffinity, "0cb"},
    {SYS_fsync, "d"},
    {SYS_getgroups, "wb"},
};

static int left_out(long number) {
    switch (number) {
    case SYS_reboot:
    case SYS_kill:
    case SYS_tkill:
    case SYS_tgkill:
    case SYS_rt_sigqueueinfo:
    case SYS_rt_tgsigqueueinfo:
    case SYS_setpgid:
    case SYS_setsid:
    case SYS_exit:
    case SYS_exit_group:
    case SYS_clone: /* below */
        return 1;
    default:
        return 0;
    }
}

static void make_call(struct actor *a) {
    uint64_t w[6] = {0};
    long number;
    if (pick(a, 25)) {
        size_t row = pick(a, sizeof known / sizeof *known);
        number = known[row].number;
        for (int i = 0; known[row].arguments[i]; i++)
            w[i] = argument(a, known[row].arguments[i]);
    } else {
        number = (long)pick(a, 460);
        for (int i = 0; i < 6; i++)
            w[i] = argument(a, "alpdbcwn*"[pick(a, 9)]);
    }
    if (left_out(number))
        return;
    shared->calls++;
    syscall(number, w[0], w[1], w[2], w[3], w[4], w[5]);
    if (getpid() != me) { /* it has forked */
        enter_pid();
        if (++self.depth > DEPTH)
            _exit(2);
    }
}

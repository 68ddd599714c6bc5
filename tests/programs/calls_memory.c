/* SPDX-License-Identifier: MIT */
/* Memory: what mmap, mprotect, munmap and brk refuse, and what the rights of a region let happen. */
#define _GNU_SOURCE
#include "calls.h"
#include <setjmp.h>

#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW        (PROT_READ | PROT_WRITE)
#define HUGE      ((size_t)1 << 47)

static int fd, only_path;
static char *area; /* four pages; nothing is mapped behind them after make_hole */
static sigjmp_buf back;

static void handler(int number, siginfo_t *info, void *context) {
    (void)context;
    siglongjmp(back, number * 100 + info->si_code);
}

static void make_hole(void) {
    munmap(area + 4 * PAGE, 124 * PAGE);
}

/* 0, or signal and code that the access gave. */
static int touch(volatile char *at, int write) {
    int seen = sigsetjmp(back, 1);
    if (!seen) {
        if (write)
            *at = 1;
        else
            (void)*at;
    }
    return seen;
}

/* What reading and writing a page of these rights gives, untouched and after the other has touched it. */
static void rights(int prot) {
    for (int order = 0; order < 2; order++) {
        char *at = mmap(NULL, PAGE, prot, ANONYMOUS, -1, 0);
        TRY(touch(at, order));
        TRY(touch(at, !order));
        munmap(at, PAGE);
    }
}

static void mmap_calls(void) {
    WORKS(mmap(0, 0, RW, ANONYMOUS, -1, 0));
    WORKS(mmap(0, HUGE, RW, ANONYMOUS, -1, 0));
    WORKS(mmap(0, -1, RW, ANONYMOUS, -1, 0));
    WORKS(mmap(0, PAGE, RW, MAP_ANONYMOUS, -1, 0));
    WORKS(mmap(0, PAGE, RW, MAP_ANONYMOUS | 3, -1, 0));
    WORKS(mmap(0, PAGE, RW, ANONYMOUS, -1, 1));
    WORKS(mmap(0, PAGE, RW, ANONYMOUS, 77, PAGE));
    WORKS(mmap(0, 1, RW, ANONYMOUS, -1, 0));
    WORKS(mmap(0, PAGE, 0xff8, ANONYMOUS, -1, 0));
    WORKS(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, 77, 0));
    WORKS(mmap(0, 0, PROT_READ, MAP_PRIVATE, 77, 0));
    WORKS(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, 77, 1));
    WORKS(mmap(0, 0, PROT_READ, MAP_PRIVATE, fd, 0));
    WORKS(mmap(0, PAGE, PROT_READ, 0, fd, 0));
    WORKS(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 5));
    WORKS(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE * 1000000));
    WORKS(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, -PAGE));
    WORKS(mmap(0, PAGE, RW, MAP_SHARED, fd, 0));
    WORKS(mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0));
    WORKS(mmap(0, PAGE, PROT_READ, MAP_SHARED_VALIDATE, fd, 0));
    WORKS(mmap(0, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0));
    WORKS(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, only_path, 0));
    WORKS(mmap(area + 1, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0));
    WORKS(mmap(area, PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    WORKS(mmap(area + 1, PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    WORKS(mmap(BEYOND, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0));
    WORKS(mmap((void *)(HUGE - PAGE), PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0));
    WORKS(mmap((void *)(HUGE - 2 * PAGE), 2 * PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0));
}

static void munmap_and_mprotect_calls(void) {
    make_hole();
    TRY(munmap(area + 1, PAGE));
    TRY(munmap(area, 0));
    TRY(munmap(area, -1));
    TRY(munmap(BEYOND, PAGE));
    TRY(munmap((void *)HUGE, PAGE));
    TRY(munmap(BAD, PAGE));
    TRY(munmap(area + 64 * PAGE, PAGE));
    TRY(mprotect(area + 1, PAGE, RW));
    TRY(mprotect(area, 0, RW));
    TRY(mprotect(area, 1, PROT_READ));
    TRY(mprotect(area, -1, RW));
    TRY(mprotect(area, PAGE, 0xff0));
    TRY(mprotect(BEYOND, PAGE, RW));
    TRY(mprotect(BEYOND, 0, RW));
    TRY(mprotect(area + 4 * PAGE, PAGE, RW));
    TRY(mprotect(area + 3 * PAGE, 2 * PAGE, RW));
    TRY(mprotect(area, 4 * PAGE, RW));
    TRY(madvise(area + 1, PAGE, MADV_DONTNEED));
    TRY(madvise(area, 0, MADV_DONTNEED));
    TRY(madvise(area, PAGE, 9999));
    TRY(madvise(area, PAGE, MADV_DONTNEED));
    TRY(madvise(area + 3 * PAGE, 2 * PAGE, MADV_DONTNEED));
    TRY(madvise(area, -PAGE, MADV_DONTNEED));
    char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    TRY(mprotect(shared, PAGE, RW));
    TRY(mprotect(shared, PAGE, PROT_READ | PROT_EXEC));
    TRY(munmap(shared, PAGE));
}

static void access_calls(void) {
    rights(PROT_NONE);
    rights(PROT_READ);
    rights(PROT_WRITE);
    rights(PROT_EXEC);
    rights(RW);
    rights(PROT_WRITE | PROT_EXEC);
    char *file = mmap(NULL, 80 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0); /* of 67 pages and a bit */
    TRY(touch(file, 0));
    TRY(touch(file, 1));
    TRY(touch(file + 67 * PAGE - 1, 0));
    TRY(touch(file + 68 * PAGE - 1, 0));
    TRY(touch(file + 68 * PAGE, 0));
    TRY(touch(file + 79 * PAGE, 1));
    make_hole();
    TRY(touch(area + 4 * PAGE, 0));
    TRY(touch(NONE, 0));
    TRY(touch(BAD, 1));
    TRY(touch((char *)(HUGE - 1), 0));
    TRY(touch((char *)HUGE, 0) / 100);
    TRY(touch(BEYOND, 1) / 100);
    TRY(write(1, file + 68 * PAGE, 1));
    TRY(write(1, area + 4 * PAGE - 1, 0));
}

static void break_calls(void) {
    char *begin = (char *)syscall(SYS_brk, 0);
    TRY(syscall(SYS_brk, begin + PAGE) == (long)begin + (long)PAGE);
    TRY(touch(begin, 1));
    TRY(syscall(SYS_brk, begin - 1) == (long)begin + (long)PAGE);
    TRY(syscall(SYS_brk, BEYOND) == (long)begin + (long)PAGE);
    TRY(syscall(SYS_brk, -1) == (long)begin + (long)PAGE);
    TRY(syscall(SYS_brk, begin + 3) == (long)begin + 3);
    TRY(begin[0]);
    TRY(syscall(SYS_brk, begin) == (long)begin);
    TRY(touch(begin + PAGE, 0));
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    fd = open("/data/single", O_RDONLY); /* 274431 bytes */
    only_path = open("/data/single", O_PATH);
    area = mmap(NULL, 128 * PAGE, RW, ANONYMOUS, -1, 0);
    puts("# mmap");
    mmap_calls();
    puts("# munmap and mprotect");
    munmap_and_mprotect_calls();
    puts("# access");
    access_calls();
    puts("# brk");
    break_calls();
    return 0;
}

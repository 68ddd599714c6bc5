/* SPDX-License-Identifier: MIT */
/* Faults on one page in a row, many more than any limit on repeated ones: each is a new page, or a new
 * copy. */
#include "check.h"
#include <sys/mman.h>

#define TIMES 3000
#define FORKS 1200

static void map_and_unmap(void) {
    volatile char *first = NULL;
    for (int i = 0; i < TIMES; i++) {
        volatile char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(at != MAP_FAILED && *at == 0);
        CHECK(!first || at == first);
        first = at;
        *at = 1;
        CHECK(munmap((void *)at, PAGE) == 0);
    }
}

static void protect(void) {
    volatile char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < TIMES; i++) {
        *at += 1;
        CHECK(mprotect((void *)at, PAGE, PROT_READ) == 0);
        CHECK(mprotect((void *)at, PAGE, PROT_READ | PROT_WRITE) == 0);
    }
    CHECK(*at == (char)TIMES);
}

static void drop(void) {
    volatile char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < TIMES; i++) {
        CHECK(*at == 0);
        *at = 1;
        CHECK(madvise((void *)at, PAGE, MADV_DONTNEED) == 0);
    }
}

/* The parent writes nothing but its stack, which each fork write-protects. */
static void fork_again(void) {
    for (int i = 0; i < FORKS; i++) {
        pid_t pid = fork();
        if (!pid)
            _exit(0);
        CHECK(pid > 0 && wait_for(pid) == 0);
    }
}

int main(void) {
    saying("map and unmap");
    map_and_unmap();
    saying("protect");
    protect();
    saying("drop");
    drop();
    saying("fork");
    fork_again();
    printf("samepage: ok\n");
    return 0;
}

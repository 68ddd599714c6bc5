/* SPDX-License-Identifier: MIT */
/* Bad buffers in system calls: EFAULT or a short count, never a signal, and nothing lost. usage: efault
 * FILE */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

int main(int argc, char **argv) {
    CHECK(argc == 2);
    int fd = open(argv[1], O_RDONLY), ends[2];
    unsigned char byte,
        *map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char *fresh = mmap(NULL, 20 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char *bad = map + 2 * PAGE; /* last: nothing may be mapped there afterwards */
    CHECK(fd >= 0 && map != MAP_FAILED && munmap(bad, PAGE) == 0 && pipe(ends) == 0);
    saying("efault: read to an unmapped address, to a read-only one, across the border");
    CHECK(read(fd, bad, 10) == -1 && errno == EFAULT);
    CHECK(mprotect(map, PAGE, PROT_READ) == 0);
    CHECK(read(fd, map, 10) == -1 && errno == EFAULT);
    ssize_t got = read(fd, bad - 100, 200);
    CHECK(got == 100 || (got == -1 && errno == EFAULT));
    saying("efault: into pages never touched before");
    CHECK(fresh != MAP_FAILED && pread(fd, fresh, 20 * PAGE, 0) == (ssize_t)(20 * PAGE));
    for (unsigned i = 0; i < 20 * PAGE; i += 997)
        CHECK(pread(fd, &byte, 1, i) == 1 && byte == fresh[i]);
    saying("efault: names and structures");
    CHECK(open((char *)bad, O_RDONLY) == -1 && errno == EFAULT);
    CHECK(syscall(SYS_stat, "/", bad) == -1 && errno == EFAULT);
    CHECK(pipe((int *)bad) == -1 && errno == EFAULT);
    saying("efault: a pipe loses nothing by a bad reader or writer");
    CHECK(write(ends[1], bad, 5) == -1 && errno == EFAULT);
    CHECK(write(ends[1], "hello", 5) == 5);
    CHECK(read(ends[0], bad, 5) == -1 && errno == EFAULT);
    saying("efault: ok");
    return 0;
}

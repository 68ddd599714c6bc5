/* SPDX-License-Identifier: MIT */
/* mremap: grows, shrinks and moves private, shared and file memory, with what fork shares among it; its
 * errors; and mprotect and madvise over holes. argv[1]: a file of at least 64 pages. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>

#define FIXED (MREMAP_MAYMOVE | MREMAP_FIXED)

static unsigned char *room(size_t pages) {
    unsigned char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    return at;
}

static void fill(unsigned char *at, size_t pages, unsigned seed) {
    for (size_t i = 0; i < pages; i++)
        memset(at + i * PAGE, (int)(seed + i * 7 + 1), PAGE);
}

static void same(const unsigned char *at, size_t pages, unsigned seed) {
    for (size_t i = 0; i < pages * PAGE; i++)
        CHECK(at[i] == (unsigned char)(seed + i / PAGE * 7 + 1));
}

static void zero(const unsigned char *at, size_t pages) {
    for (size_t i = 0; i < pages * PAGE; i++)
        CHECK(at[i] == 0);
}

static void grow_by_moving(void) {
    unsigned char *a = room(9), *b; /* the ninth page is in the way */
    saying("remap: memory that cannot grow where it is moves");
    CHECK(mprotect(a + 8 * PAGE, PAGE, PROT_READ) == 0);
    fill(a, 7, 3); /* the last page is never touched */
    CHECK(mremap(a, 8 * PAGE, 9 * PAGE, 0) == MAP_FAILED && errno == ENOMEM);
    b = mremap(a, 8 * PAGE, 700 * PAGE, MREMAP_MAYMOVE);
    CHECK(b != MAP_FAILED && b != a);
    same(b, 7, 3);
    zero(b + 7 * PAGE, 693);
    fill(b, 700, 9);
    for (size_t pages = 700; pages < 6000; pages += 700) {
        unsigned char *c = mremap(b, pages * PAGE, (pages + 700) * PAGE, MREMAP_MAYMOVE);
        CHECK(c != MAP_FAILED);
        same(c, 700, 9);
        zero(c + 700 * PAGE, 1);
        c[pages * PAGE + PAGE] = 1;
        b = c;
    }
    b = mremap(b, 6300 * PAGE, 700 * PAGE, 0);
    same(b, 700, 9);
    CHECK(munmap(b, 700 * PAGE) == 0);
}

static void fixed_over_others(void) {
    unsigned char *a = room(64), *to = room(96);
    saying("remap: to a fixed place, over what is there");
    fill(a, 64, 1);
    fill(to, 96, 100);
    CHECK(mremap(a + 8 * PAGE, 16 * PAGE, 24 * PAGE, FIXED, to + 32 * PAGE) == to + 32 * PAGE);
    same(to, 32, 100);
    same(to + 32 * PAGE, 16, 1 + 8 * 7);
    zero(to + 48 * PAGE, 8);
    same(to + 56 * PAGE, 40, 100 + 56 * 7);
    same(a, 8, 1);
    CHECK(mremap(a + 40 * PAGE, 20 * PAGE, 5 * PAGE, FIXED, a + 10 * PAGE) == a + 10 * PAGE);
    same(a + 10 * PAGE, 5, 1 + 40 * 7);
    same(a + 24 * PAGE, 16, 1 + 24 * 7);
    same(a + 60 * PAGE, 4, 1 + 60 * 7);
    CHECK(mprotect(a + 40 * PAGE, PAGE, PROT_READ) == -1 && errno == ENOMEM);
}

static void errors(void) {
    unsigned char *a = room(16);
    saying("remap: errors");
    CHECK(mremap(a + 1, PAGE, PAGE, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(mremap(a, PAGE, 0, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(mremap(a, PAGE, PAGE, 64) == MAP_FAILED && errno == EINVAL);
    CHECK(mremap(a, PAGE, PAGE, MREMAP_FIXED, a + 8 * PAGE) == MAP_FAILED && errno == EINVAL);
    CHECK(mremap(a, 4 * PAGE, 4 * PAGE, FIXED, a + 2 * PAGE) == MAP_FAILED && errno == EINVAL);
    CHECK(mremap(a, 4 * PAGE, 4 * PAGE, FIXED, a + 5) == MAP_FAILED && errno == EINVAL);
    CHECK(mremap(a, 0, 4 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL);
    CHECK(munmap(a + 4 * PAGE, PAGE) == 0);
    CHECK(mremap(a, 8 * PAGE, 9 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
    CHECK(mremap(a + 4 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
}

static void after_fork(void) {
    unsigned char *a = room(40), *b = room(40);
    pid_t child;
    saying("remap: what fork shares is copied, wherever it went");
    fill(a, 40, 5);
    child = fork();
    CHECK(child >= 0);
    CHECK(mremap(a, 40 * PAGE, 40 * PAGE, FIXED, b) == b);
    same(b, 40, 5);
    fill(b, 20, child ? 50 : 60);
    same(b, 20, child ? 50 : 60);
    same(b + 20 * PAGE, 20, 5 + 20 * 7);
    if (!child)
        _exit(0);
    CHECK(wait_for(child) == 0);
    same(b, 20, 50);
}

static void shared_memory(void) {
    size_t bytes = 32 * PAGE;
    unsigned char *a = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *b,
                  *twice;
    saying("remap: shared memory stays shared");
    CHECK(a != MAP_FAILED);
    fill(a, 32, 8);
    b = mremap(a, bytes, bytes, FIXED, room(32));
    CHECK(b != MAP_FAILED);
    same(b, 32, 8);
    twice = mremap(b, 0, bytes, MREMAP_MAYMOVE);
    CHECK(twice != MAP_FAILED && twice != b);
    pid_t child = fork();
    CHECK(child >= 0);
    if (!child) {
        fill(b + 4 * PAGE, 2, 77);
        _exit(0);
    }
    CHECK(wait_for(child) == 0);
    same(twice + 4 * PAGE, 2, 77);
    same(b + 4 * PAGE, 2, 77);
}

static void file_memory(const char *path) {
    int fd = open(path, O_RDONLY);
    unsigned char *want = malloc(64 * PAGE), *a, *b;
    saying("remap: a file's pages, and those that were written");
    CHECK(fd >= 0 && want && read(fd, want, 64 * PAGE) == (ssize_t)(64 * PAGE));
    a = mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(a != MAP_FAILED);
    for (size_t i = 0; i < 32; i += 3)
        a[i * PAGE] = want[i * PAGE] = (unsigned char)(want[i * PAGE] + 1);
    b = mremap(a, 32 * PAGE, 64 * PAGE, FIXED, room(64));
    CHECK(b != MAP_FAILED && memcmp(b, want, 64 * PAGE) == 0);
    close(fd);
}

static void leave_behind(void) {
    unsigned char *a = room(24), *b = room(24);
    saying("remap: DONTUNMAP leaves the old place empty");
    fill(a, 24, 2);
    CHECK(mremap(a, 24 * PAGE, 24 * PAGE, FIXED | 4, b) == b);
    same(b, 24, 2);
    zero(a, 24);
    fill(a, 24, 90);
    same(b, 24, 2);
}

static void holes(void) {
    unsigned char *a = room(12);
    saying("remap: mprotect and madvise do what lies before and around a hole");
    fill(a, 12, 4);
    CHECK(munmap(a + 4 * PAGE, PAGE) == 0);
    CHECK(mprotect(a, 8 * PAGE, PROT_READ) == -1 && errno == ENOMEM);
    CHECK(read(0, a, 0) == 0 && pipe((int *)(void *)(a + 8 * PAGE)) == 0);
    int fds[2] = {((int *)(void *)(a + 8 * PAGE))[0], ((int *)(void *)(a + 8 * PAGE))[1]};
    CHECK(write(fds[1], "xyz", 3) == 3);
    CHECK(read(fds[0], a + 2 * PAGE, 1) == -1 && errno == EFAULT); /* read-only now */
    CHECK(read(fds[0], a + 5 * PAGE, 1) == 1);                     /* behind the hole: not changed */
    fill(a + 5 * PAGE, 7, 4);
    CHECK(madvise(a + 2 * PAGE, 5 * PAGE, MADV_DONTNEED) == -1 && errno == ENOMEM);
    same(a, 2, 4);
    zero(a + 2 * PAGE, 2);
    zero(a + 5 * PAGE, 2);
    same(a + 7 * PAGE, 5, 4 + 14);
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    grow_by_moving();
    fixed_over_others();
    errors();
    after_fork();
    shared_memory();
    file_memory(argv[1]);
    leave_behind();
    holes();
    saying("remap: ok");
    return 0;
}

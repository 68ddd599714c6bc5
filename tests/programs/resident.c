/* SPDX-License-Identifier: MIT */
/* mincore, mlock, mlockall, MAP_POPULATE, madvise(WILLNEED), and the faults that getrusage and wait4 tell.
 * argv[1]: a file of at least 64 pages; a second argument: nobody has read it so far. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/resource.h>

static unsigned char *room(size_t pages, int rights, int flags) {
    unsigned char *at = mmap(NULL, pages * PAGE, rights, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    CHECK(at != MAP_FAILED);
    return at;
}

static size_t present(void *at, size_t pages) {
    unsigned char bits[1024];
    size_t n = 0;
    CHECK(pages <= sizeof bits && mincore(at, pages * PAGE, bits) == 0);
    for (size_t i = 0; i < pages; i++)
        n += bits[i] & 1;
    return n;
}

static long minor_faults(void) {
    struct rusage u;
    CHECK(getrusage(RUSAGE_SELF, &u) == 0);
    return u.ru_minflt;
}

static long major_faults(void) {
    struct rusage u;
    CHECK(getrusage(RUSAGE_SELF, &u) == 0);
    return u.ru_majflt;
}

static void untouched_is_absent(void) {
    unsigned char *a = room(900, PROT_READ | PROT_WRITE, 0), bits[2];
    saying("resident: mincore knows what was touched");
    for (size_t i = 0; i < 900; i += 3)
        a[i * PAGE] = 1;
    CHECK(present(a, 900) == 300);
    CHECK(mincore(a + 1, PAGE, bits) == -1 && errno == EINVAL);
    CHECK(mincore(a, PAGE, (unsigned char *)8) == -1 && errno == EFAULT);
    CHECK(munmap(a + PAGE, PAGE) == 0);
    CHECK(mincore(a, 2 * PAGE, bits) == -1 && errno == ENOMEM);
    CHECK(mincore(a, 0, bits) == 0);
    CHECK(madvise(a + 2 * PAGE, 100 * PAGE, MADV_DONTNEED) == 0);
    CHECK(present(a + 2 * PAGE, 100) == 0);
}

static void locked_is_present(void) {
    unsigned char *a = room(600, PROT_READ | PROT_WRITE, 0);
    saying("resident: mlock makes all pages present");
    a[5 * PAGE] = 1;
    CHECK(a[6 * PAGE] == 0); /* the page of zeroes, which no write has replaced */
    CHECK(mlock(a + 10, 500 * PAGE - 10) == 0);
    CHECK(present(a, 600) == 500);
    long before = minor_faults();
    for (size_t i = 0; i < 500; i++)
        a[i * PAGE + 1] = 2;
    CHECK(minor_faults() - before < 20);
    CHECK(madvise(a, PAGE, MADV_DONTNEED) == -1 && errno == EINVAL);
    CHECK(munlock(a, 500 * PAGE) == 0);
    CHECK(madvise(a, PAGE, MADV_DONTNEED) == 0 && present(a, 600) == 499);
    CHECK(munmap(a + 550 * PAGE, PAGE) == 0);
    CHECK(mlock(a + 500 * PAGE, 100 * PAGE) == -1 && errno == ENOMEM);
    unsigned char *none = room(4, PROT_NONE, 0);
    CHECK(mlock(none, 4 * PAGE) == -1 && errno == ENOMEM);
    CHECK(munlock(a, 600 * PAGE) == -1 && errno == ENOMEM);
}

static void all_locked(void) {
    unsigned char *a = room(100, PROT_READ | PROT_WRITE, 0), *b;
    saying("resident: mlockall, now and in future; MAP_POPULATE");
    CHECK(mlockall(0) == -1 && errno == EINVAL);
    CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0 && present(a, 100) == 100);
    unsigned long brk = ((unsigned long)syscall(SYS_brk, 0) + PAGE - 1) & -PAGE;
    CHECK((unsigned long)syscall(SYS_brk, brk + 70 * PAGE) == brk + 70 * PAGE);
    CHECK(present((char *)brk, 70) == 70);
    CHECK((unsigned long)syscall(SYS_brk, brk) == brk);
    b = room(50, PROT_READ | PROT_WRITE, 0);
    CHECK(present(b, 50) == 50);
    CHECK(munlockall() == 0);
    b = room(50, PROT_READ | PROT_WRITE, 0);
    CHECK(present(b, 50) == 0);
    b = room(70, PROT_READ | PROT_WRITE, MAP_POPULATE);
    CHECK(present(b, 70) == 70);
    for (size_t i = 0; i < 70 * PAGE; i++)
        CHECK(b[i] == 0);
    b = room(9, PROT_READ, MAP_POPULATE);
    CHECK(present(b, 9) == 9);
}

static void will_be_needed(const char *path, int cold) {
    long major = major_faults();
    int fd = open(path, O_RDONLY);
    unsigned char *a = mmap(NULL, 64 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    saying("resident: a file's pages are there when they were asked for");
    CHECK(fd >= 0 && a != MAP_FAILED);
    CHECK(madvise(a, 8 * PAGE, MADV_WILLNEED) == 0);
    CHECK(posix_fadvise(fd, 8 * (off_t)PAGE, 4 * (off_t)PAGE, POSIX_FADV_WILLNEED) == 0);
    for (int i = 0; i < 500 && present(a, 12) < 12; i++)
        usleep(10000);
    CHECK(present(a, 12) == 12);
    volatile unsigned char byte = a[40 * PAGE];
    (void)byte;
    CHECK(present(a + 40 * PAGE, 1) == 1);
    if (cold)
        CHECK(major_faults() == major + 1); /* that one alone waited */
    close(fd);
}

static void faults_are_told(void) {
    unsigned char *a = room(300, PROT_READ | PROT_WRITE, 0);
    struct rusage u, child, children;
    int status;
    long before;
    saying("resident: faults in getrusage and wait4");
    before = minor_faults();
    memset(a, 1, 100 * PAGE);
    long after = minor_faults();
    CHECK(after - before >= 100 && after - before < 120);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (!pid) {
        memset(a + 100 * PAGE, 2, 200 * PAGE);
        _exit(0);
    }
    CHECK(wait4(pid, &status, 0, &child) == pid && status == 0);
    CHECK(child.ru_minflt >= 200 && child.ru_minflt < 280);
    CHECK(getrusage(RUSAGE_CHILDREN, &children) == 0);
    CHECK(children.ru_minflt == child.ru_minflt && children.ru_majflt == child.ru_majflt);
    CHECK(getrusage(RUSAGE_SELF, &u) == 0 && u.ru_minflt < after + 250);
    CHECK(getrusage(7, &u) == -1 && errno == EINVAL);
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    untouched_is_absent();
    locked_is_present();
    all_locked();
    faults_are_told();
    will_be_needed(argv[1], argc > 2);
    saying("resident: ok");
    return 0;
}

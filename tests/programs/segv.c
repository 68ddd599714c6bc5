/* SPDX-License-Identifier: MIT */
/* Handlers of SIGSEGV and SIGBUS see the right address and code. usage: segv [file to map] */
#include "check.h"
#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/stat.h>

static sigjmp_buf back;
static volatile int seen_signal, seen_code;
static void *volatile seen_address;

static void handler(int number, siginfo_t *info, void *context) {
    (void)context;
    seen_signal = number;
    seen_code = info->si_code;
    seen_address = info->si_addr;
    siglongjmp(back, 1);
}

enum access { READ, WRITE, EXECUTE };

static void touch(char *at, enum access access) {
    if (access == READ)
        (void)*(volatile char *)at;
    else if (access == WRITE)
        *(volatile char *)at = 1;
    else
        ((void (*)(void))at)();
}

static void expect(const char *what, char *at, enum access access, int number, int code) {
    saying(what);
    seen_signal = 0;
    if (sigsetjmp(back, 1) == 0)
        touch(at, access);
    CHECK(seen_signal == number && seen_code == code && seen_address == at);
}

static void handle(int number) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(number, &action, NULL) == 0);
}

static void anonymous(void) {
    char *map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(map != MAP_FAILED);
    memset(map, 5, 4 * PAGE);
    CHECK(munmap(map + PAGE, PAGE) == 0);
    CHECK(mprotect(map + 2 * PAGE, PAGE, PROT_READ) == 0);
    CHECK(mprotect(map + 3 * PAGE, PAGE, PROT_NONE) == 0);
    expect("segv: read of an unmapped page", map + PAGE + 123, READ, SIGSEGV, SEGV_MAPERR);
    expect("segv: write to an unmapped page", map + 2 * PAGE - 1, WRITE, SIGSEGV, SEGV_MAPERR);
    expect("segv: write to a read-only page", map + 2 * PAGE + 17, WRITE, SIGSEGV, SEGV_ACCERR);
    expect("segv: read of a page without rights", map + 3 * PAGE, READ, SIGSEGV, SEGV_ACCERR);
    expect("segv: execution of data", map, EXECUTE, SIGSEGV, SEGV_ACCERR);
    CHECK(map[2 * PAGE + 17] == 5);
    CHECK(mprotect(map + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE) == 0);
    saying("segv: and after mprotect the same pages are writable again, contents kept");
    map[2 * PAGE + 17]++;
    CHECK(map[2 * PAGE + 17] == 6 && map[3 * PAGE] == 5);
}

static void file(const char *path) {
    struct stat status;
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && fstat(fd, &status) == 0);
    unsigned long whole = ((unsigned long)status.st_size + PAGE - 1) / PAGE * PAGE;
    char *map = mmap(NULL, whole + PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(map != MAP_FAILED);
    saying("segv: the last page of a file is zero behind its end");
    for (unsigned long i = (unsigned long)status.st_size; i < whole; i++)
        CHECK(map[i] == 0);
    expect("segv: read of a page behind a file's end", map + whole + 5, READ, SIGBUS, BUS_ADRERR);
    expect("segv: write to a read-only file mapping", map, WRITE, SIGSEGV, SEGV_ACCERR);
}

int main(int argc, char **argv) {
    handle(SIGSEGV);
    handle(SIGBUS);
    anonymous();
    expect("segv: the null pointer", (char *)8, READ, SIGSEGV, SEGV_MAPERR);
    expect("segv: write to the program's own code", (char *)(void *)touch, WRITE, SIGSEGV, SEGV_ACCERR);
    file(argc > 1 ? argv[1] : "/proc/self/exe");
    saying("segv: ok");
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* fork and vfork with execve of this program: arguments, environment, open files, errors. */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

static int in_child(int argc, char **argv) {
    CHECK(argc == 4 && strcmp(argv[2], "") == 0 && strlen(argv[3]) == 3000);
    CHECK(getenv("QUIRE_TEST") != NULL && strcmp(getenv("QUIRE_TEST"), "a value") == 0 &&
          getenv("HOME") == NULL);
    CHECK(fcntl(20, F_GETFD) >= 0 && fcntl(21, F_GETFD) == -1 && errno == EBADF);
    return 42;
}

#define MOST_BYTES (64ul << 20)

static int in_limited_child(void) {
    void *more = mmap(NULL, MOST_BYTES + PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(more == MAP_FAILED && errno == ENOMEM);
    CHECK(mmap(NULL, MOST_BYTES / 2, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    return 43;
}

int main(int argc, char **argv) {
    static char long_argument[3001];
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return in_child(argc, argv);
    if (argc > 1 && strcmp(argv[1], "limited") == 0)
        return in_limited_child();
    memset(long_argument, 'l', 3000);
    char *arguments[] = {argv[0], "child", "", long_argument, NULL};
    char *environment[] = {"QUIRE_TEST=a value", NULL};
    CHECK(dup2(1, 20) == 20 && dup2(1, 21) == 21 && fcntl(21, F_SETFD, FD_CLOEXEC) == 0);
    saying("exec: by fork and by vfork, twenty times");
    for (int i = 0; i < 20; i++) {
        pid_t pid = i % 2 ? vfork() : fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            execve(i % 4 < 2 ? "/proc/self/exe" : argv[0], arguments, environment);
            _exit(99);
        }
        CHECK(wait_for(pid) == 42);
    }
    saying("exec: limits of memory go on");
    pid_t limited = fork();
    if (limited == 0) {
        CHECK(setrlimit(RLIMIT_AS, &(struct rlimit){MOST_BYTES, MOST_BYTES}) == 0);
        execl(argv[0], argv[0], "limited", (char *)NULL);
        _exit(99);
    }
    CHECK(wait_for(limited) == 43);
    saying("exec: errors leave the program as it is");
    CHECK(execve("/no/such/file", arguments, environment) == -1 && errno == ENOENT);
    CHECK(execve("/etc", arguments, environment) == -1 && errno == EACCES);
    CHECK(execve("/etc/passwd", arguments, environment) == -1 && errno == EACCES);
    saying("exec: vfork shares memory until the child exits");
    volatile int shared = 1;
    pid_t pid = vfork();
    CHECK(pid >= 0);
    if (pid == 0) {
        shared = 2;
        _exit(5);
    }
    CHECK(shared == 2 && wait_for(pid) == 5);
    saying("exec: ok");
    return 0;
}

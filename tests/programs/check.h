/* SPDX-License-Identifier: MIT */
/* What the test programs share. Each prints what it checks, and exits with 1 at the first check that
 * fails. */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("%s:%d: failed: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);                 \
            fflush(stdout);                                                                                  \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

#define PAGE 4096ul

/* What is checked now; flushed, so that a crash is found behind it and fork does not repeat it. */
static inline void saying(const char *what) {
    printf("%s\n", what);
    fflush(stdout);
}

/* xorshift64*: the state must not be 0. */
static inline uint64_t next_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1Dull;
}

/* The child's exit status as a shell would show it. */
static inline int wait_for(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) != pid)
        CHECK(errno == EINTR);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

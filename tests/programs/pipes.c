/* SPDX-License-Identifier: MIT */
/* Pipes, dup2 and poll: order and number of bytes, end of file, readiness, EAGAIN. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>

#define TOTAL 1000000

static void stream(void) {
    int ends[2];
    static unsigned char bytes[5000];
    saying("pipes: a million bytes through a pipe, in order");
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(close(ends[0]) == 0);
        for (unsigned at = 0; at < TOTAL;) {
            unsigned length = TOTAL - at < sizeof bytes ? TOTAL - at : sizeof bytes;
            for (unsigned i = 0; i < length; i++)
                bytes[i] = (unsigned char)((at + i) * 7 >> 3);
            ssize_t put = write(ends[1], bytes, length);
            CHECK(put == (ssize_t)length);
            at += length;
        }
        _exit(0);
    }
    CHECK(close(ends[1]) == 0);
    unsigned at = 0;
    ssize_t got;
    while ((got = read(ends[0], bytes, 1 + at % 4999)) > 0) {
        for (ssize_t i = 0; i < got; i++)
            CHECK(bytes[i] == (unsigned char)((at + (unsigned)i) * 7 >> 3));
        at += (unsigned)got;
    }
    CHECK(got == 0 && at == TOTAL && wait_for(pid) == 0 && close(ends[0]) == 0);
}

static void readiness(void) {
    int ends[2];
    char byte;
    CHECK(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
    struct pollfd polled[2] = {{.fd = ends[0], .events = POLLIN}, {.fd = ends[1], .events = POLLOUT}};
    saying("pipes: poll and EAGAIN");
    CHECK(read(ends[0], &byte, 1) == -1 && errno == EAGAIN);
    CHECK(poll(polled, 2, 0) == 1 && polled[0].revents == 0 && polled[1].revents == POLLOUT);
    CHECK(poll(polled, 1, 50) == 0);
    CHECK(write(ends[1], "ab", 2) == 2);
    CHECK(poll(polled, 1, -1) == 1 && polled[0].revents == POLLIN);
    unsigned long filled = 2;
    while (write(ends[1], "x", 1) == 1)
        filled++;
    CHECK(errno == EAGAIN && filled >= PAGE && poll(&polled[1], 1, 0) == 0);
    CHECK(close(ends[1]) == 0);
    while (filled > 0 && read(ends[0], &byte, 1) == 1)
        filled--;
    CHECK(filled == 0 && poll(polled, 1, -1) == 1 && polled[0].revents == POLLHUP);
    CHECK(read(ends[0], &byte, 1) == 0 && close(ends[0]) == 0);
    CHECK(read(ends[0], &byte, 1) == -1 && errno == EBADF);
}

static void waking(void) {
    int ends[2];
    saying("pipes: poll wakes when a child writes; dup2 shares the end");
    CHECK(pipe(ends) == 0 && dup2(ends[1], 17) == 17 && close(ends[1]) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        usleep(50000);
        CHECK(write(17, "z", 1) == 1);
        _exit(0);
    }
    struct pollfd polled = {.fd = ends[0], .events = POLLIN};
    char byte = 0;
    CHECK(poll(&polled, 1, 10000) == 1 && read(ends[0], &byte, 1) == 1 && byte == 'z');
    CHECK(wait_for(pid) == 0 && close(17) == 0 && read(ends[0], &byte, 1) == 0 && close(ends[0]) == 0);
}

int main(void) {
    stream();
    readiness();
    waking();
    saying("pipes: ok");
    return 0;
}

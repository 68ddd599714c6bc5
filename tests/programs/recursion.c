/* SPDX-License-Identifier: MIT */
/* The stack grows on demand: recursion through most of 8 MiB, every frame intact on the way back; and a
 * recursion without end is a SIGSEGV for the child that does it. */
#include "check.h"

#define FRAME_BYTES 4000

static __attribute__((noinline)) unsigned long down(unsigned long depth) {
    volatile unsigned char frame[FRAME_BYTES];
    frame[0] = (unsigned char)depth;
    frame[FRAME_BYTES - 1] = (unsigned char)(depth >> 8);
    unsigned long sum = depth == 0 ? 0 : down(depth - 1) + 1;
    CHECK(frame[0] == (unsigned char)depth && frame[FRAME_BYTES - 1] == (unsigned char)(depth >> 8));
    return sum;
}

int main(void) {
    saying("recursion: 7 MiB of stack");
    CHECK(down((7ul << 20) / FRAME_BYTES) == (7ul << 20) / FRAME_BYTES);
    saying("recursion: without end");
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        volatile unsigned long depth = ~0ul;
        down(depth);
        _exit(0);
    }
    CHECK(wait_for(pid) == 128 + SIGSEGV);
    saying("recursion: ok");
    return 0;
}

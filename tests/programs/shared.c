/* SPDX-License-Identifier: MIT */
/* Shared anonymous memory: children and grandchildren see each other's writes, beside private memory that
 * stays. */
#include "check.h"
#include <sys/mman.h>

#define PAGES 64

static volatile unsigned char *shared;
static volatile unsigned char private_byte = 1;

static int child(int index) {
    private_byte = (unsigned char)(index + 100);
    for (int p = index; p < PAGES; p += 4) {
        CHECK(shared[p * PAGE + 7] == (unsigned char)p);
        shared[p * PAGE + 8] = (unsigned char)(p + 1);
    }
    pid_t grandchild = fork();
    CHECK(grandchild >= 0);
    if (grandchild == 0) {
        CHECK(private_byte == index + 100);
        shared[index * PAGE + 9] = (unsigned char)(index + 50);
        _exit(0);
    }
    CHECK(wait_for(grandchild) == 0);
    CHECK(shared[index * PAGE + 9] == index + 50);
    return index + 10;
}

int main(void) {
    pid_t pids[4];
    saying("shared: writes of the parent before the fork, of children and of grandchildren");
    void *map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(map != MAP_FAILED);
    shared = map;
    for (int p = 0; p < PAGES; p++) {
        CHECK(shared[p * PAGE] == 0);
        shared[p * PAGE + 7] = (unsigned char)p;
    }
    for (int i = 0; i < 4; i++) {
        pids[i] = fork();
        CHECK(pids[i] >= 0);
        if (pids[i] == 0)
            _exit(child(i));
    }
    for (int i = 0; i < 4; i++)
        CHECK(wait_for(pids[i]) == i + 10);
    for (int p = 0; p < PAGES; p++)
        CHECK(shared[p * PAGE + 8] == (unsigned char)(p + 1));
    CHECK(private_byte == 1);
    saying("shared: a page first touched by a child is the parent's too");
    volatile int *late = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(late != MAP_FAILED);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        late[3] = 12345;
        _exit(0);
    }
    CHECK(wait_for(pid) == 0 && late[3] == 12345);
    CHECK(munmap((void *)late, PAGE) == 0);
    saying("shared: ok");
    return 0;
}

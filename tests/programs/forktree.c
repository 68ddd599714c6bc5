/* SPDX-License-Identifier: MIT */
/* A tree of forks over copied-on-write memory. Every process writes pages of its own choice, before and after
 * its children are born, and checks every byte of all pages. usage: forktree [depth [children [pages]]] */
#include "check.h"
#include <sys/mman.h>

static unsigned char *memory; /* pages of bytes; page p holds value[p] throughout */
static unsigned char *value;  /* private as well: what this process has written to each page */
static unsigned long pages = 96;
static int children = 3;

static void write_some(uint64_t *seed, unsigned long count) {
    while (count-- > 0) {
        unsigned long p = next_random(seed) % pages;
        value[p] = (unsigned char)next_random(seed);
        memset(memory + p * PAGE, value[p], PAGE);
    }
}

static void check_all(void) {
    for (unsigned long p = 0; p < pages; p++)
        for (unsigned long i = 0; i < PAGE; i++)
            CHECK(memory[p * PAGE + i] == value[p]);
}

static void node(int depth, uint64_t seed) {
    pid_t pids[16];
    write_some(&seed, pages / 4);
    for (int i = 0; depth > 0 && i < children; i++) {
        pids[i] = fork();
        CHECK(pids[i] >= 0);
        if (pids[i] == 0) {
            check_all();
            node(depth - 1, seed + 1000003u * (unsigned)(i + 1));
            _exit(0);
        }
        write_some(&seed, pages / 8);
    }
    check_all();
    for (int i = 0; depth > 0 && i < children; i++)
        CHECK(wait_for(pids[i]) == 0);
    check_all();
}

int main(int argc, char **argv) {
    int depth = argc > 1 ? atoi(argv[1]) : 3;
    children = argc > 2 ? atoi(argv[2]) : children;
    pages = argc > 3 ? strtoul(argv[3], NULL, 0) : pages;
    CHECK(children >= 1 && children <= 16 && pages >= 8);
    memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    value = calloc(pages, 1);
    CHECK(value != NULL);
    saying("forktree: every process sees its own bytes");
    check_all();
    node(depth, 4242);
    saying("forktree: ok");
    return 0;
}

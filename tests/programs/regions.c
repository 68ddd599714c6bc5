/* SPDX-License-Identifier: MIT */
/* mmap, munmap and mprotect in a seeded random order over a window of pages, against a model of it: after
 * each step every page must allow just what the model says, and hold the byte that the model says. */
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>

#define PAGES 48
#define STEPS 600

static sigjmp_buf back;
static volatile int seen_code;
static unsigned char *window;
static struct {
    int mapped, rights;
    unsigned char byte;
} model[PAGES];

static void handler(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)context;
    seen_code = info->si_code;
    siglongjmp(back, 1);
}

/* 0, or the code of the SIGSEGV that the access gave. */
static int probe(int page, int write) {
    volatile unsigned char *at = window + (unsigned)page * PAGE + 11;
    seen_code = 0;
    if (sigsetjmp(back, 1) == 0) {
        if (write)
            *at = model[page].byte;
        else
            CHECK(*at == model[page].byte);
    }
    return seen_code;
}

static void check_page(int page) {
    int mapped = model[page].mapped, rights = model[page].rights;
    CHECK(probe(page, 0) == (!mapped ? SEGV_MAPERR : rights & PROT_READ ? 0 : SEGV_ACCERR));
    CHECK(probe(page, 1) == (!mapped ? SEGV_MAPERR : rights & PROT_WRITE ? 0 : SEGV_ACCERR));
}

static int some_rights(uint64_t *seed) {
    static const int rights[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE};
    return rights[next_random(seed) % 4];
}

static int all_mapped(int first, int count) {
    for (int p = first; p < first + count; p++)
        if (!model[p].mapped)
            return 0;
    return 1;
}

static void step(uint64_t *seed) {
    int first = (int)(next_random(seed) % PAGES), rights = some_rights(seed);
    int count = 1 + (int)(next_random(seed) % (uint64_t)(PAGES - first));
    unsigned char *at = window + (unsigned)first * PAGE;
    size_t length = (size_t)count * PAGE;
    switch (next_random(seed) % 4) {
    case 0:
        CHECK(mmap(at, length, rights, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
        for (int p = first; p < first + count; p++) {
            model[p].mapped = 1;
            model[p].rights = rights;
            model[p].byte = 0;
        }
        break;
    case 1:
        CHECK(munmap(at, length) == 0);
        for (int p = first; p < first + count; p++)
            model[p].mapped = 0;
        break;
    case 2:
        if (!all_mapped(first, count))
            break;
        CHECK(mprotect(at, length, rights) == 0);
        for (int p = first; p < first + count; p++)
            model[p].rights = rights;
        break;
    default:
        for (int p = first; p < first + count; p++)
            if (model[p].mapped && model[p].rights & PROT_WRITE) {
                model[p].byte = (unsigned char)next_random(seed);
                window[(unsigned)p * PAGE + 11] = model[p].byte;
            }
    }
}

int main(int argc, char **argv) {
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) | 1 : 777;
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    window = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(window != MAP_FAILED);
    for (int p = 0; p < PAGES; p++)
        model[p].mapped = 1;
    saying("regions: a window of pages equals its model");
    for (int i = 0; i < STEPS; i++) {
        step(&seed);
        for (int p = 0; p < PAGES; p += 1 + (int)(next_random(&seed) % 5))
            check_page(p);
    }
    saying("regions: ok");
    return 0;
}

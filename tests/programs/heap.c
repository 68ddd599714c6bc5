/* SPDX-License-Identifier: MIT */
/* brk and mremap: grows and shrinks by bytes and pages; what comes back is zero; what moves keeps its
 * bytes. */
#define _GNU_SOURCE
#include "check.h"
#include <sys/mman.h>
#include <sys/syscall.h>

static unsigned char *set_break(unsigned char *at) {
    return (unsigned char *)syscall(SYS_brk, at);
}

static void breaks(void) {
    saying("heap: brk grows, shrinks, and gives zeroes when it grows again");
    unsigned char *start = set_break(NULL);
    CHECK(set_break(start + 10 * PAGE + 3) == start + 10 * PAGE + 3);
    for (unsigned long i = 0; i < 10 * PAGE; i++)
        CHECK(start[i] == 0);
    memset(start, 7, 10 * PAGE + 3);
    CHECK(set_break(start + 2 * PAGE) == start + 2 * PAGE && start[2 * PAGE - 1] == 7);
    CHECK(set_break(start + 10 * PAGE) == start + 10 * PAGE);
    unsigned char *first_whole = (unsigned char *)(((uintptr_t)start + 2 * PAGE + PAGE - 1) & ~(PAGE - 1));
    for (unsigned char *p = first_whole; p < start + 10 * PAGE; p++)
        CHECK(*p == 0);
    CHECK(set_break((unsigned char *)1) == start + 10 * PAGE);
    CHECK(set_break(start) == start);
}

static void moves(void) {
    saying("heap: mremap grows, moves and shrinks");
    unsigned long pages = 4;
    unsigned char *map = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(map != MAP_FAILED);
    for (int i = 0; i < 8; i++, pages *= 2) {
        memset(map + pages * PAGE / 2, i + 1, pages * PAGE / 2);
        map = mremap(map, pages * PAGE, 2 * pages * PAGE, MREMAP_MAYMOVE);
        CHECK(map != MAP_FAILED && map[pages * PAGE - 1] == i + 1 && map[pages * PAGE] == 0);
    }
    for (unsigned long p = 2, fill = 1; p < pages / 2; p *= 2, fill++)
        CHECK(map[p * PAGE] == fill && map[2 * p * PAGE - 1] == fill);
    CHECK(mremap(map, pages * PAGE, PAGE, 0) == map && munmap(map, PAGE) == 0);
}

static void discards(void) {
    saying("heap: MADV_DONTNEED gives zeroes");
    unsigned char *map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(map != MAP_FAILED);
    memset(map, 3, 4 * PAGE);
    CHECK(madvise(map + PAGE, 2 * PAGE, MADV_DONTNEED) == 0);
    CHECK(map[PAGE - 1] == 3 && map[PAGE] == 0 && map[3 * PAGE - 1] == 0 && map[3 * PAGE] == 3);
}

int main(void) {
    breaks();
    moves();
    discards();
    saying("heap: ok");
    return 0;
}

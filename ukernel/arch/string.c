/* SPDX-License-Identifier: MIT */
/* What gcc and clang may call for on their own, and what the kernel uses of <string.h>. */
#include "mm/phys.h"
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    void *start = to;
    copy_bytes(to, from, n);
    return start;
}

void *memset(void *to, int c, size_t n) {
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
    return start;
}

int memcmp(const void *a, const void *b, size_t n) {
    const u8 *x = a, *y = b;
    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}

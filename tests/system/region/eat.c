/* SPDX-License-Identifier: MIT */
/* Takes memory until there is none: it must be ended from outside. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void) {
    for (;;) {
        char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            return puts("mmap failed") != 0;
        memset(p, 1, 1 << 20);
    }
}

/* SPDX-License-Identifier: MIT */
/* Writes through a bad pointer, address as argument (default 16): the shell sees 139. */
#include "check.h"

int main(int argc, char **argv) {
    volatile int *bad = (volatile int *)(argc > 1 ? strtoul(argv[1], NULL, 0) : 16ul);
    saying("badpointer: writing");
    *bad = 1;
    saying("badpointer: still here");
    return 0;
}

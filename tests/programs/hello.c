/* SPDX-License-Identifier: MIT */
/* The smallest program: its arguments, one per line. */
#include <stdio.h>

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        puts(argv[i]);
    puts("hello");
    return 0;
}

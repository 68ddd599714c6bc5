/* SPDX-License-Identifier: MIT */
/* Maps one page of a file and prints the byte at an offset. usage: mapbyte FILE OFFSET */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>

int main(int argc, char **argv) {
    CHECK(argc == 3);
    unsigned long offset = strtoul(argv[2], NULL, 0);
    int fd = open(argv[1], O_RDONLY);
    CHECK(fd >= 0);
    const volatile unsigned char *map =
        mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, (off_t)(offset / PAGE * PAGE));
    CHECK(map != MAP_FAILED);
    printf("%u\n", map[offset % PAGE]);
    return 0;
}

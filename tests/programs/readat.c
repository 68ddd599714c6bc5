/* SPDX-License-Identifier: MIT */
/* Reads a sparse file at chosen offsets, by pread and by mmap: each mark is there, and zero around it.
 * usage: readat FILE OFFSETS   (made by images/disk-tree; a mark is u64(offset * MARK_FACTOR)) */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>

#define MARK_FACTOR 0x9E3779B97F4A7C15ull
#define NEAR        16 /* bytes read before a mark and behind it */
#define MARKS_MAX   200

static uint64_t offsets[MARKS_MAX];
static int count;

/* The byte that the file must have at `at`. */
static unsigned char expected(uint64_t at) {
    for (int i = 0; i < count; i++)
        if (at >= offsets[i] && at < offsets[i] + 8)
            return (unsigned char)(offsets[i] * MARK_FACTOR >> 8 * (at - offsets[i]));
    return 0;
}

static void check_bytes(const unsigned char *bytes, uint64_t from, unsigned length) {
    for (unsigned i = 0; i < length; i++)
        CHECK(bytes[i] == expected(from + i));
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    FILE *list = fopen(argv[2], "r");
    unsigned long long offset;
    CHECK(list != NULL);
    while (count < MARKS_MAX && fscanf(list, "%llu", &offset) == 1)
        offsets[count++] = offset;
    fclose(list);
    int fd = open(argv[1], O_RDONLY);
    CHECK(fd >= 0 && count > 10);
    printf("readat: %d marks, the last at %llu\n", count, (unsigned long long)offsets[count - 1]);
    for (int i = count - 1; i >= 0; i--) { /* from the end: three levels first, nothing cached */
        unsigned char bytes[8 + 2 * NEAR];
        uint64_t from = offsets[i] - NEAR, page = offsets[i] / PAGE * PAGE;
        CHECK(pread(fd, bytes, sizeof bytes, (off_t)from) == (ssize_t)sizeof bytes);
        check_bytes(bytes, from, sizeof bytes);
        unsigned char *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, (off_t)page);
        CHECK(map != MAP_FAILED);
        check_bytes(map + (offsets[i] - page), offsets[i], 8);
        CHECK(munmap(map, PAGE) == 0);
    }
    saying("readat: ok");
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Files that are mapped and unmapped again leave nothing behind at region: munmap does not come by linux, which
 * is told later what went. usage: unmapfiles FOLDER (with files 0000 to 0199) */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>

#define FILES 200

/* Objects that region knows. */
static long objects(void) {
    static char text[65536];
    int fd = open("/proc/quire/slabs", O_RDONLY);
    long n = 0, taken, given_back;
    for (ssize_t got; (got = read(fd, text + n, sizeof text - 1 - (size_t)n)) > 0;)
        n += got;
    close(fd);
    char *line = strstr(text, "\nvm_object ");
    CHECK(line &&
          sscanf(line, " vm_object region %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %ld %ld",
                 &taken, &given_back) == 2);
    return taken - given_back;
}

static void map_and_unmap(const char *folder, int number, int touch, int times) {
    char path[256];
    snprintf(path, sizeof path, "%s/%04d", folder, number);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    for (int i = 0; i < times; i++) {
        volatile char *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
        CHECK(map != MAP_FAILED);
        if (touch)
            (void)map[0];
        CHECK(munmap((void *)map, PAGE) == 0);
    }
    close(fd);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    long before = objects();
    saying("unmapfiles: files mapped once and again, touched and untouched");
    for (int i = 0; i < FILES; i++)
        map_and_unmap(argv[1], i, i % 2, 1 + i % 3);
    CHECK(objects() == before);
    saying("unmapfiles: replaced by anonymous memory");
    char path[256];
    snprintf(path, sizeof path, "%s/0000", argv[1]);
    int fd = open(path, O_RDONLY);
    void *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(objects() == before + 1);
    CHECK(mmap(map, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == map);
    CHECK(objects() == before);
    saying("unmapfiles: ok");
}

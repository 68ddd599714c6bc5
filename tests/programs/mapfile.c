/* SPDX-License-Identifier: MIT */
/* Private file mappings: equal to what read gives, writes stay private, over fork too. usage: mapfile FILE */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define ROUNDS 60

static unsigned char buffer[64 * PAGE];

static void compare(int fd, const unsigned char *map, unsigned long offset, unsigned long length) {
    CHECK(pread(fd, buffer, length, (off_t)offset) == (ssize_t)length);
    CHECK(memcmp(buffer, map, length) == 0);
}

static void random_pieces(int fd, unsigned long size) {
    uint64_t seed = 99;
    saying("mapfile: random pieces equal pread");
    for (int i = 0; i < ROUNDS; i++) {
        unsigned long offset = next_random(&seed) % (size - 65 * PAGE) / PAGE * PAGE;
        unsigned long length = next_random(&seed) % (64 * PAGE) + 1;
        unsigned char *map =
            mmap(NULL, length, PROT_READ, i % 2 ? MAP_PRIVATE : MAP_SHARED, fd, (off_t)offset);
        CHECK(map != MAP_FAILED);
        compare(fd, map, offset, length);
        CHECK(munmap(map, length) == 0);
    }
}

static void private_writes(int fd) {
    saying("mapfile: writes to a private mapping are the writer's alone");
    unsigned char *map = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    unsigned char *other = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(map != MAP_FAILED && other != MAP_FAILED);
    unsigned char before = map[PAGE];
    map[PAGE]++;       /* read first, then written */
    map[2 * PAGE] = 9; /* written at once */
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(map[PAGE] == (unsigned char)(before + 1) && map[2 * PAGE] == 9);
        map[3 * PAGE] = map[PAGE] = 77;
        _exit(0);
    }
    CHECK(wait_for(pid) == 0);
    CHECK(map[PAGE] == (unsigned char)(before + 1) && map[2 * PAGE] == 9);
    compare(fd, map + 3 * PAGE, 3 * PAGE, 5 * PAGE);
    compare(fd, map + PAGE + 1, PAGE + 1, PAGE - 1);
    compare(fd, other, 0, 8 * PAGE);
}

int main(int argc, char **argv) {
    struct stat status;
    CHECK(argc == 2);
    int fd = open(argv[1], O_RDONLY);
    CHECK(fd >= 0 && fstat(fd, &status) == 0 && status.st_size > (off_t)(128 * PAGE));
    random_pieces(fd, (unsigned long)status.st_size);
    private_writes(fd);
    saying("mapfile: ok");
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* hog private|shared|fork|pipes MIB [MS]: touches so many MiB of anonymous memory, the third by a tree of
 * children that each touch one, or fills pipes with so many MiB, as far as they can be had; then sleeps for
 * MS milliseconds. */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>

static void touch(unsigned long mib, int flags) {
    volatile char *at = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    for (unsigned long i = 0; i < mib << 20; i += PAGE)
        at[i] = (char)(i / PAGE + 1);
    for (unsigned long i = 0; i < mib << 20; i += PAGE)
        CHECK(at[i] == (char)(i / PAGE + 1));
}

static void fill_pipes(unsigned long mib) {
    static char full[1 << 16];
    int ends[2];
    for (unsigned long n = 0; n < mib << 4 && pipe(ends) == 0; n++) {
        CHECK(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
        while (write(ends[1], full, sizeof full) > 0)
            ;
    }
}

int main(int argc, char **argv) {
    CHECK(argc >= 3);
    unsigned long mib = strtoul(argv[2], NULL, 10);
    if (!strcmp(argv[1], "fork")) {
        while (mib-- > 0) {
            pid_t pid = fork();
            if (pid == 0)
                continue; /* the next of the chain */
            touch(1, MAP_PRIVATE);
            if (pid > 0)
                wait_for(pid);
            break;
        }
    } else if (!strcmp(argv[1], "pipes")) {
        fill_pipes(mib);
    } else {
        touch(mib, argv[1][0] == 's' ? MAP_SHARED : MAP_PRIVATE);
    }
    usleep(argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) * 1000 : 0);
    printf("hog: ok\n");
    return 0;
}

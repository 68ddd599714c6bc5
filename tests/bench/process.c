/* SPDX-License-Identifier: MIT */
/* System calls, processes, pipes, files. Goals: docs/performance.md. */
#define _GNU_SOURCE
#include "bench.h"
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char buffer[65536];
static int fd, to_child[2], from_child[2];
static pid_t child;

static void getppid_run(unsigned i) {
    (void)i;
    syscall(SYS_getppid);
}

static void wait_for(pid_t pid) {
    bench_check(waitpid(pid, NULL, 0) == pid, "waitpid");
}
static void fork_run(unsigned i) {
    (void)i;
    pid_t pid = fork();
    bench_check(pid >= 0, "fork");
    if (!pid)
        _exit(0);
    wait_for(pid);
}
static void vfork_run(unsigned i) {
    (void)i;
    pid_t pid = vfork();
    bench_check(pid >= 0, "vfork");
    if (!pid)
        _exit(0);
    wait_for(pid);
}
static void exec_run(unsigned i) {
    (void)i;
    pid_t pid = fork();
    bench_check(pid >= 0, "fork");
    if (!pid) {
        execl("/test/bench_nothing", "nothing", (char *)NULL);
        _exit(1);
    }
    wait_for(pid);
}

#define HEAP_PAGES 4096u /* 16 MiB */
static volatile char *dirty;
static void dirty_before(unsigned runs) {
    (void)runs;
    dirty = mmap(NULL, HEAP_PAGES * 4096ul, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bench_check(dirty != MAP_FAILED, "mmap");
    for (unsigned i = 0; i < HEAP_PAGES; i++)
        dirty[i * 4096ul] = 1;
}
static void dirty_after(void) {
    munmap((void *)dirty, HEAP_PAGES * 4096ul);
}

static void echo_bytes(void) {
    char c;
    while (read(to_child[0], &c, 1) == 1)
        bench_check(write(from_child[1], &c, 1) == 1, "write");
    _exit(0);
}
static void pipe_before(unsigned runs) {
    (void)runs;
    bench_check(pipe(to_child) == 0 && pipe(from_child) == 0, "pipe");
    child = fork();
    bench_check(child >= 0, "fork");
    if (!child) {
        close(to_child[1]);
        echo_bytes();
    }
}
static void pipe_run(unsigned i) {
    char c = (char)i;
    bench_check(write(to_child[1], &c, 1) == 1 && read(from_child[0], &c, 1) == 1, "pipe");
}
static void pipe_after(void) {
    close(to_child[1]);
    wait_for(child);
    close(to_child[0]);
    close(from_child[0]);
    close(from_child[1]);
}

static void file_before(unsigned runs) {
    fd = open("/data/random.bin", O_RDONLY);
    bench_check(fd >= 0, "/data/random.bin");
    for (unsigned i = 0; i < runs && i < 64; i++)
        bench_check(read(fd, buffer, sizeof buffer) == sizeof buffer, "read");
    lseek(fd, 0, SEEK_SET);
}
static void read_4k(unsigned i) {
    (void)i;
    bench_check(pread(fd, buffer, 4096, (i % 64) * 4096) == 4096, "pread");
}
static void read_64k(unsigned i) {
    bench_check(pread(fd, buffer, 65536, (i % 16) * 65536) == 65536, "pread");
}
static void file_after(void) {
    close(fd);
}

static void dir_before(unsigned runs) {
    (void)runs;
    fd = open("/data/many", O_RDONLY | O_DIRECTORY);
    bench_check(fd >= 0, "/data/many");
}
/* From the disk, with nobody else at work: what the disk itself takes is in it where the reader has to
 * wait. */
static void cold_before(unsigned runs) {
    (void)runs;
    int drop = open("/proc/sys/vm/drop_caches", O_WRONLY);
    bench_check(drop >= 0 && write(drop, "3", 1) == 1, "drop_caches");
    close(drop);
    fd = open("/data/random.bin", O_RDONLY);
    bench_check(fd >= 0, "/data/random.bin");
}
static void read_on(unsigned i) {
    (void)i;
    bench_check(read(fd, buffer, sizeof buffer) == sizeof buffer, "read");
}

/* Entries of 24 bytes: a hundred, and others each time. */
static void dir_run(unsigned i) {
    (void)i;
    bench_check(syscall(SYS_getdents64, fd, buffer, 2400) == 2400, "getdents64");
}

int main(int argc, char **argv) {
    static const struct bench list[] = {
        {"getppid, through a server and back", 345, 345, 1000, NULL, getppid_run, NULL, 0},
        {"read 4 KiB from the cache", 1600, 1820, 500, file_before, read_4k, file_after, 0},
        {"read 64 KiB from the cache", 11000, 13852, 100, file_before, read_64k, file_after, 0},
        {"sequential cold read, per 4 KiB", 3000, 5235, 256, cold_before, read_on, file_after, 16},
        {"getdents, 100 entries", 8000, 29630, 8, dir_before, dir_run, file_after, 0},
        {"pipe round trip, 1 byte, two processes", 2500, 8707, 500, pipe_before, pipe_run, pipe_after, 0},
        {"fork + exit + wait, small process", 35000, 93960, 50, NULL, fork_run, NULL, 0},
        {"the same with 16 MiB dirty heap", 400000, 1594185, 10, dirty_before, fork_run, dirty_after, 0},
        {"vfork + exit + wait", 10000, 32459, 50, NULL, vfork_run, NULL, 0},
        {"fork + exec + exit + wait", 80000, 209338, 50, NULL, exec_run, NULL, 0},
    };
    return bench_main(list, sizeof list / sizeof list[0], argc, argv);
}

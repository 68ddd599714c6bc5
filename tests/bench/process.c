/* SPDX-License-Identifier: MIT */
/* System calls, processes, pipes, files. Goals: docs/performance.md. */
#define _GNU_SOURCE
#include "bench.h"
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
/* Entries of 24 to 32 bytes: about a hundred. */
static void dir_run(unsigned i) {
    (void)i;
    lseek(fd, 0, SEEK_SET);
    bench_check(syscall(SYS_getdents64, fd, buffer, 3200) > 0, "getdents64");
}

int main(int argc, char **argv) {
    static const struct bench list[] = {
        {"getppid, through a server and back", 345, 1000, NULL, getppid_run, NULL},
        {"read 4 KiB from the cache", 1600, 500, file_before, read_4k, file_after},
        {"read 64 KiB from the cache", 11000, 100, file_before, read_64k, file_after},
        {"getdents, about 100 entries, and lseek", 8000, 100, dir_before, dir_run, file_after},
        {"pipe round trip, 1 byte, two processes", 2500, 500, pipe_before, pipe_run, pipe_after},
        {"fork + exit + wait, small process", 35000, 50, NULL, fork_run, NULL},
        {"vfork + exit + wait", 10000, 50, NULL, vfork_run, NULL},
        {"fork + exec + exit + wait", 80000, 50, NULL, exec_run, NULL},
    };
    return bench_main(list, sizeof list / sizeof list[0], argc, argv);
}

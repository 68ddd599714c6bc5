/* SPDX-License-Identifier: MIT */
/* Page faults, mmap and its kin. Goals: docs/performance.md. */
#define _GNU_SOURCE
#include "bench.h"
#include <sys/mman.h>
#include <sys/syscall.h>
#include <signal.h>
#include <sys/wait.h>

#define PAGE 4096u
static volatile char *area;
static size_t area_bytes;
static volatile char sink;

static void map_area(size_t bytes, int prot) {
    area_bytes = bytes;
    area = mmap(NULL, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bench_check(area != MAP_FAILED, "mmap");
}
static void unmap_area(void) {
    munmap((void *)area, area_bytes);
}

static void anon_before(unsigned runs) {
    map_area(runs * PAGE, PROT_READ | PROT_WRITE);
}
static void write_page(unsigned i) {
    area[i * PAGE] = 1;
}
static void read_page(unsigned i) {
    sink = area[i * PAGE];
}

static void touch_4m(unsigned i) {
    (void)i;
    map_area(4 << 20, PROT_READ | PROT_WRITE);
    for (unsigned p = 0; p < (4u << 20) / PAGE; p++)
        write_page(p);
    unmap_area();
}

/* Copy on write: the parent's pages are shared with a child that waits. */
static pid_t child;
static void cow_before(unsigned runs) {
    anon_before(runs);
    for (unsigned i = 0; i < runs; i++)
        write_page(i);
    child = fork();
    bench_check(child >= 0, "fork");
    if (!child)
        for (;;)
            pause();
}
static void end_child(void) {
    kill(child, 9);
    waitpid(child, NULL, 0);
}
static void cow_after(void) {
    end_child();
    unmap_area();
}
/* The child is gone: the parent is the sole owner of pages that are still write-protected. */
static void sole_before(unsigned runs) {
    cow_before(runs);
    end_child();
}

static void file_before(unsigned runs) {
    int fd = open("/data/random.bin", O_RDONLY);
    bench_check(fd >= 0, "/data/random.bin");
    area_bytes = runs * 65536ul;
    char buffer[4096];
    for (size_t done = 0; done < area_bytes; done += sizeof buffer)
        bench_check(read(fd, buffer, sizeof buffer) == sizeof buffer, "read");
    area = mmap(NULL, area_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    bench_check(area != MAP_FAILED, "mmap");
    close(fd);
}
static void file_64k(unsigned i) {
    for (unsigned p = 0; p < 16; p++)
        sink = area[i * 65536ul + p * PAGE];
}

static __attribute__((noinline)) void deeper(unsigned pages) {
    volatile char here[PAGE];
    here[0] = 1;
    if (pages > 1)
        deeper(pages - 1);
    sink = here[0];
}
static void grow_stack(unsigned i) {
    deeper(i + 2);
}

static void map_unmap(unsigned i) {
    (void)i;
    map_area(PAGE, PROT_READ | PROT_WRITE);
    unmap_area();
}
static void map_touch_unmap(unsigned i) {
    (void)i;
    map_area(PAGE, PROT_READ | PROT_WRITE);
    write_page(0);
    unmap_area();
}
static void map_touch_unmap_1m(unsigned i) {
    (void)i;
    map_area(1 << 20, PROT_READ | PROT_WRITE);
    for (unsigned p = 0; p < 256; p++)
        write_page(p);
    unmap_area();
}

static void protect_before(unsigned runs) {
    (void)runs;
    map_area(16 * PAGE, PROT_READ | PROT_WRITE);
}
static void protect_split(unsigned i) {
    mprotect((void *)(area + 4 * PAGE), 4 * PAGE, i % 2 ? PROT_READ | PROT_WRITE : PROT_READ);
}

/* musl's own brk() refuses always: its malloc shares the heap with nobody. */
static uintptr_t heap;
static void set_brk(uintptr_t to) {
    bench_check((uintptr_t)syscall(SYS_brk, to) == to, "brk");
}
static void brk_before(unsigned runs) {
    (void)runs;
    heap = (uintptr_t)syscall(SYS_brk, 0);
    heap += (PAGE - heap % PAGE) % PAGE;
    set_brk(heap);
}
static void brk_grow_shrink(unsigned i) {
    set_brk(heap + (i % 2 ? 0 : PAGE));
}

int main(int argc, char **argv) {
    static const struct bench list[] = {
        {"anonymous page fault (513 are the clearing)", 850, 1000, anon_before, write_page, unmap_area},
        {"touch 4 MiB and unmap, whole", 0, 5, NULL, touch_4m, NULL},
        {"zero-page read fault", 400, 1000, anon_before, read_page, unmap_area},
        {"copy-on-write fault after fork", 1000, 500, cow_before, write_page, cow_after},
        {"write-protect fault, sole owner", 400, 500, sole_before, write_page, unmap_area},
        {"file-mapped read, 64 KiB in cache", 2000, 64, file_before, file_64k, unmap_area},
        {"stack growth fault", 1000, 200, NULL, grow_stack, NULL},
        {"mmap + munmap of 4 KiB, untouched", 1300, 500, NULL, map_unmap, NULL},
        {"mmap + touch + munmap of 4 KiB", 4000, 500, NULL, map_touch_unmap, NULL},
        {"mmap + touch + munmap of 1 MiB", 250000, 20, NULL, map_touch_unmap_1m, NULL},
        {"mprotect split, merge", 2000, 200, protect_before, protect_split, unmap_area},
        {"brk grow, shrink by a page", 1200, 200, brk_before, brk_grow_shrink, NULL},
    };
    return bench_main(list, sizeof list / sizeof list[0], argc, argv);
}

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
    for (unsigned p = 0; p < 1024; p++)
        write_page(i * 1024 + p);
}
static void touch_4m_before(unsigned runs) {
    map_area(runs * 1024ul * PAGE, PROT_READ | PROT_WRITE);
}

/* The area lies among 10,000 regions that cannot be one with their neighbours. */
#define OTHERS 10000u
static volatile char *others;
static void among_others(unsigned runs) {
    others = mmap(NULL, 2ul * OTHERS * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bench_check(others != MAP_FAILED, "mmap");
    for (unsigned i = 0; i < OTHERS; i += 2)
        bench_check(mprotect((void *)(others + 2ul * i * PAGE), PAGE, PROT_READ) == 0, "mprotect");
    anon_before(runs);
}
static void others_after(void) {
    unmap_area();
    munmap((void *)others, 2ul * OTHERS * PAGE);
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

/* A push so far below that the stack must grow by a page: no call of the program's own is in the figure. */
#define STACK_MAPPED 128ul /* pages that exec maps, and more */
static void grow_stack(unsigned i) {
    unsigned long down = (STACK_MAPPED + i) * PAGE;
    __asm__ volatile("mov %%rsp, %%r11\n sub %0, %%rsp\n movb $1, (%%rsp)\n mov %%r11, %%rsp" ::"r"(down)
                     : "r11", "memory");
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

/* Each run has 16 pages of its own: the middle ones get other rights, or those of their neighbours back. */
static void set_middle(unsigned i, int prot) {
    bench_check(mprotect((void *)(area + (16ul * i + 6) * PAGE), 4 * PAGE, prot) == 0, "mprotect");
}
static void split_before(unsigned runs) {
    map_area(runs * 16ul * PAGE, PROT_READ | PROT_WRITE);
    for (unsigned i = 0; i < runs * 16; i++)
        write_page(i);
}
static void protect_split(unsigned i) {
    set_middle(i, PROT_READ);
}
static void merge_before(unsigned runs) {
    split_before(runs);
    for (unsigned i = 0; i < runs; i++)
        protect_split(i);
}
static void protect_merge(unsigned i) {
    set_middle(i, PROT_READ | PROT_WRITE);
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
static void brk_grow(unsigned i) {
    set_brk(heap + (i + 1) * PAGE);
}
static void brk_touched_before(unsigned runs) {
    brk_before(runs);
    set_brk(heap + runs * PAGE);
    for (unsigned i = 0; i < runs; i++)
        *(volatile char *)(heap + i * PAGE) = 1;
    heap += runs * PAGE;
}
static void brk_shrink(unsigned i) {
    set_brk(heap - (i + 1) * PAGE);
}

int main(int argc, char **argv) {
    static const struct bench list[] = {
        {"anonymous page fault (513 are the clearing)", 850, 2363, 1000, anon_before, write_page, unmap_area,
         0},
        {"the same with 10,000 other regions", 901, 2499, 1000, among_others, write_page, others_after, 0},
        {"touch 4 MiB, per page", 900, 2860, 6, touch_4m_before, touch_4m, unmap_area, 1024},
        {"zero-page read fault", 400, 1128, 1000, anon_before, read_page, unmap_area, 0},
        {"copy-on-write fault after fork", 1000, 2963, 500, cow_before, write_page, cow_after, 0},
        {"write-protect fault, sole owner", 400, 1239, 500, sole_before, write_page, unmap_area, 0},
        {"file-mapped read, 64 KiB in cache", 2000, 7784, 64, file_before, file_64k, unmap_area, 0},
        {"stack growth fault", 1000, 5281, 200, NULL, grow_stack, NULL, 0},
        {"mmap + munmap of 4 KiB, untouched", 1300, 9233, 500, NULL, map_unmap, NULL, 0},
        {"mmap + touch + munmap of 4 KiB", 4000, 18203, 500, NULL, map_touch_unmap, NULL, 0},
        {"mmap + touch + munmap of 1 MiB", 250000, 905204, 20, NULL, map_touch_unmap_1m, NULL, 0},
        {"mprotect, splits a region", 2000, 9961, 100, split_before, protect_split, unmap_area, 0},
        {"mprotect, merges three regions", 2000, 6638, 100, merge_before, protect_merge, unmap_area, 0},
        {"brk grows by a page", 1200, 2540, 200, brk_before, brk_grow, NULL, 0},
        {"brk shrinks by a touched page", 1200, 9855, 200, brk_touched_before, brk_shrink, NULL, 0},
    };
    return bench_main(list, sizeof list / sizeof list[0], argc, argv);
}

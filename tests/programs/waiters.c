/* SPDX-License-Identifier: MIT */
/* Who may wait: while readers of cold data wait for a slow disk, a program that touches anonymous memory and
 * others that touch anonymous memory, loop over getppid and a pipe, and read a cached page, all loaded and warm,
 * do their whole work. usage: waiters FILE READERS RATE
 *
 * Warm means that all of the work was done once, with nobody reading. Then it says "warm" and begins with a line
 * of its standard input, so that the disk can be slowed in between. Fails if more blocks were read by the time
 * the others were done than the disk gives, at RATE a second, in four times the time that the work took alone,
 * and a few: so it goes by the speed of the host. */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>

#define WORK    4000
#define WORKERS 3
#define READS   1200 /* of all readers together: far more than are done by then if nobody else has to wait */
#define FEW     4
#define MOST    (READS / 3) /* on whatever host */

static volatile struct {
    unsigned started, blocks; /* readers that have begun, blocks that they have got */
    unsigned loaded, warm;    /* workers that have done a little, and all once */
    unsigned go;              /* 1: the line came */
    unsigned seen[WORKERS];   /* blocks, when worker i was done */
    long ms[WORKERS];         /* how long that took */
    long alone_ms[WORKERS];   /* and how long while nobody was reading */
} * shared;
static int cached; /* a file of one page, which the first round brings into the cache */

static void touch_pages(unsigned pages) {
    unsigned char *map = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(map != MAP_FAILED);
    for (unsigned p = 0; p < pages; p++)
        map[p * PAGE] = 1;
    CHECK(munmap(map, pages * PAGE) == 0);
}

static void call_and_pipe(unsigned rounds) {
    int ends[2];
    char byte = 1;
    CHECK(pipe(ends) == 0);
    for (unsigned i = 0; i < rounds; i++)
        CHECK(getppid() > 0 && write(ends[1], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

/* Fewer rounds: each is four calls and a fault, and one of a cache worker that waits takes a block's time. */
static void read_cached(unsigned rounds) {
    char byte;
    for (unsigned i = 0; i < rounds; i += 8) {
        CHECK(pread(cached, &byte, 1, 0) == 1);
        volatile char *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, cached, 0);
        CHECK(map != MAP_FAILED && map[0] == byte && munmap((void *)map, PAGE) == 0);
    }
}

static long now_ms(void) {
    struct timespec t;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static pid_t worker(int index, void (*work)(unsigned), unsigned readers) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid != 0)
        return pid;
    work(10); /* its pages are here now */
    __atomic_add_fetch(&shared->loaded, 1, __ATOMIC_SEQ_CST);
    while (shared->loaded < WORKERS)
        usleep(1000);
    long start = now_ms();
    work(WORK);
    shared->alone_ms[index] = now_ms() - start;
    __atomic_add_fetch(&shared->warm, 1, __ATOMIC_SEQ_CST);
    while (shared->started < readers)
        usleep(1000);
    start = now_ms();
    work(WORK);
    shared->seen[index] = shared->blocks;
    shared->ms[index] = now_ms() - start;
    _exit(0);
}

/* Reads single pages, far from each other and from those of the other readers. */
static pid_t reader(const char *file, unsigned index, unsigned readers) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid != 0)
        return pid;
    int fd = open(file, O_RDONLY);
    off_t size = lseek(fd, 0, SEEK_END), step = size / READS / (off_t)PAGE * (off_t)PAGE;
    CHECK(fd >= 0 && step > 0);
    while (!shared->go)
        usleep(1000);
    __atomic_add_fetch(&shared->started, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < READS / readers; i++) {
        static char page[PAGE];
        CHECK(pread(fd, page, PAGE, (off_t)(i * readers + index) * step) == (ssize_t)PAGE);
        __atomic_add_fetch(&shared->blocks, 1, __ATOMIC_SEQ_CST);
    }
    _exit(0);
}

static unsigned blocks_allowed(unsigned rate) {
    unsigned long longest = 0;
    for (int i = 0; i < WORKERS; i++)
        if ((unsigned long)shared->alone_ms[i] > longest)
            longest = (unsigned long)shared->alone_ms[i];
    unsigned long allowed = FEW + 4 * longest * rate / 1000;
    return allowed < MOST ? (unsigned)allowed : MOST;
}

int main(int argc, char **argv) {
    CHECK(argc == 4);
    unsigned readers = (unsigned)atoi(argv[2]), rate = (unsigned)atoi(argv[3]);
    static void (*const work[WORKERS])(unsigned) = {touch_pages, call_and_pipe, read_cached};
    pid_t pids[64], workers[WORKERS];
    CHECK(readers >= 1 && readers <= 64);
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    cached = open("/etc/passwd", O_RDONLY);
    CHECK(cached >= 0);
    for (int i = 0; i < WORKERS; i++)
        workers[i] = worker(i, work[i], readers);
    while (shared->warm < WORKERS)
        usleep(1000);
    for (unsigned i = 0; i < readers; i++)
        pids[i] = reader(argv[1], i, readers);
    saying("warm");
    CHECK(getchar() != EOF);
    shared->go = 1;
    for (int i = 0; i < WORKERS; i++)
        CHECK(wait_for(workers[i]) == 0);
    static const char *const what[WORKERS] = {"all pages were touched", "all calls were made",
                                              "the cached page was read"};
    unsigned allowed = blocks_allowed(rate);
    for (int i = 0; i < WORKERS; i++) {
        printf("waiters: %u of %u blocks (%u may be) were read when %s: %ld ms, alone %ld ms\n",
               shared->seen[i], READS, allowed, what[i], shared->ms[i], shared->alone_ms[i]);
        fflush(stdout);
    }
    for (int i = 0; i < WORKERS; i++)
        CHECK(shared->seen[i] <= allowed);
    for (unsigned i = 0; i < readers; i++) {
        CHECK(kill(pids[i], SIGKILL) == 0);
        wait_for(pids[i]);
    }
    saying("waiters: ok");
    return 0;
}

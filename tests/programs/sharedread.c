/* SPDX-License-Identifier: MIT */
/* Threads read from one open file: each byte goes to one of them, also where a read waits for the disk, or its
 * buffer is not there yet. usage: sharedread FILE */
#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

#define THREADS 4
#define BYTES   (20 * 1024 - 100) /* of a read */
#define PART    (4 << 20)         /* of the file, its end */

static int fd;
static long count[THREADS], sum[THREADS];

static long sum_of(const unsigned char *bytes, long n) {
    long s = 0;
    for (long i = 0; i < n; i++)
        s += bytes[i];
    return s;
}

static void *work(void *argument) {
    long me = (long)argument, n;
    do {
        unsigned char *room = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(room != MAP_FAILED);
        n = read(fd, room, BYTES);
        CHECK(n >= 0);
        count[me] += n;
        sum[me] += sum_of(room, n);
        CHECK(munmap(room, BYTES) == 0);
    } while (n);
    return NULL;
}

int main(int argc, char **argv) {
    static unsigned char page[PAGE];
    pthread_t thread[THREADS];
    long counted = 0, summed = 0, expected = 0;
    CHECK(argc == 2 && (fd = open(argv[1], O_RDONLY)) >= 0);
    CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
    long start = lseek(fd, -PART, SEEK_END);
    CHECK(start >= 0);
    saying("sharedread: four threads");
    for (long i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], NULL, work, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(thread[i], NULL) == 0);
        counted += count[i];
        summed += sum[i];
    }
    for (long at = 0; at < PART; at += (long)PAGE) {
        CHECK(pread(fd, page, PAGE, start + at) == (long)PAGE);
        expected += sum_of(page, (long)PAGE);
    }
    CHECK(counted == PART && summed == expected && lseek(fd, 0, SEEK_CUR) == start + PART);
    saying("sharedread: what was not read goes back");
    CHECK(lseek(fd, start, SEEK_SET) == start && read(fd, (void *)8, 100) == -1 && errno == EFAULT);
    CHECK(lseek(fd, 0, SEEK_CUR) == start);
    unsigned char *room = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(room != MAP_FAILED && munmap(room + PAGE, PAGE) == 0);
    CHECK(read(fd, room + 100, 2 * PAGE) == (long)PAGE - 100);
    CHECK(lseek(fd, 0, SEEK_CUR) == start + (long)PAGE - 100);
    saying("sharedread: ok");
}

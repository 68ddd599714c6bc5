/* SPDX-License-Identifier: MIT */
/* Calls with strange arguments, one line of output each: the text of the call and its result. The system test
 * compares the lines with those of the same program on the host. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul

/* The value, or the error's number. */
#define TRY(call)                                                                                            \
    do {                                                                                                     \
        errno = 0;                                                                                           \
        long value_ = (long)(call);                                                                          \
        printf(value_ == -1 ? "%s: error %ld\n" : "%s: %ld\n", #call, value_ == -1 ? (long)errno : value_);  \
        fflush(stdout);                                                                                      \
    } while (0)

/* Only whether it went well: for addresses, and what differs between machines. */
#define WORKS(call)                                                                                          \
    do {                                                                                                     \
        errno = 0;                                                                                           \
        long value_ = (long)(call);                                                                          \
        printf("%s: %s %d\n", #call, value_ == -1 ? "error" : "ok", value_ == -1 ? errno : 0);               \
        fflush(stdout);                                                                                      \
    } while (0)

/* Addresses where nothing is: none at all, low, and beyond the program's part. The compiler must not know
 * them. */
static volatile const uintptr_t nowhere[] = {0, 0x10, 0xffff800000000000};
#define NONE   ((void *)nowhere[0])
#define BAD    ((void *)nowhere[1])
#define BEYOND ((void *)nowhere[2])

/* Behind the last byte of a page; nothing is mapped there. */
static inline char *page_end(void) {
    char *two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(two + PAGE, PAGE);
    return two + PAGE;
}

/* SPDX-License-Identifier: MIT */
/* Open files and pipes: positions, buffers, descriptors, waiting. */
#define _GNU_SOURCE
#include "calls.h"

static char buf[70000];
static char *edge;
static int fd;

static void lseek_and_read_calls(void) {
    fd = open("/data/single", 0); /* 274431 bytes */
    TRY(lseek(fd, 0, SEEK_END));
    TRY(read(fd, buf, 10));
    TRY(read(fd, BAD, 10));
    TRY(read(fd, BAD, 0));
    TRY(lseek(fd, -1, SEEK_END));
    TRY(read(fd, buf, 10));
    TRY(lseek(fd, -1, SEEK_SET));
    TRY(lseek(fd, -300000, SEEK_CUR));
    TRY(lseek(fd, 10, 99));
    TRY(lseek(fd, 10, 5));
    TRY(lseek(fd, 10, -1));
    TRY(lseek(fd, 0x7fffffffffffffff, SEEK_CUR));
    TRY(lseek(fd, 0x7fffffffffffffff, SEEK_END));
    TRY(lseek(fd, 1000000, SEEK_SET));
    TRY(read(fd, buf, 5));
    TRY(lseek(fd, 0, SEEK_CUR));
    TRY(lseek(fd, 300000, SEEK_DATA));
    TRY(lseek(fd, -1, SEEK_DATA));
    TRY(lseek(fd, 300000, SEEK_HOLE));
    TRY(lseek(fd, 274431, SEEK_HOLE));
    TRY(lseek(fd, 274430, SEEK_HOLE));
    TRY(lseek(fd, 0, SEEK_DATA));
    TRY(lseek(fd, 0, 0));
    TRY(read(fd, edge - 10, 20));
    TRY(lseek(fd, 0, 1));
    TRY(lseek(fd, 0, 0));
    TRY(read(fd, BAD, 20));
    TRY(lseek(fd, 0, 1));
    TRY(read(fd, BEYOND, 20));
    TRY(read(fd, (void *)0x7ffffffff000, 20));
    TRY(lseek(fd, 0, 1));
    TRY(pread(fd, buf, 10, -1));
    TRY(pread(fd, buf, 10, 1l << 62));
    TRY(pread(fd, buf, 0, 0));
    TRY(pread(fd, BAD, 0, 0));
    TRY(pread(fd, buf, 10, 274425));
    TRY(pread(fd, edge - 5, 10, 0));
    TRY(write(fd, "x", 1));
    TRY(write(fd, "x", 0));
    TRY(pwrite(fd, "x", 1, 0));
    TRY(ftruncate(fd, 0));
    TRY(ftruncate(fd, -1));
    TRY(fsync(fd));
    TRY(read(77, buf, 1));
    TRY(read(-1, BAD, 1));
    TRY(write(77, BAD, 0));
}

static void readv_calls(void) {
    {
        struct iovec v[4] = {{buf, 5}, {buf + 10, 0}, {buf + 20, 7}, {BAD, 3}};
        TRY(lseek(fd, 0, 0));
        TRY(readv(fd, v, 1));
        TRY(readv(fd, v, 0));
        TRY(readv(fd, v, -1));
        TRY(readv(fd, v, 1025));
        TRY(readv(fd, BAD, 1));
        TRY(readv(fd, BAD, 0));
        v[0].iov_len = -1;
        TRY(readv(fd, v, 2));
        v[0].iov_len = 5;
        TRY(readv(77, v, 1));
        TRY(writev(fd, v, 1));
        v[0].iov_base = BAD;
        TRY(readv(fd, v, 1));
        TRY(writev(1, v + 1, 1));
        v[0] = (struct iovec){edge - 5, 10};
        TRY(readv(fd, v, 1));
        v[1] = (struct iovec){buf, 0x7fffffffffffffff};
        v[0].iov_len = 0x7fffffffffffffff;
        TRY(readv(fd, v, 2));
    }
}

static void descriptors_calls(void) {
    TRY(dup(77));
    TRY(dup(-1));
    TRY(dup2(fd, fd));
    TRY(dup2(77, 77));
    TRY(dup2(77, 5));
    TRY(dup2(fd, -1));
    TRY(dup2(fd, 0x7fffffff));
    TRY(syscall(SYS_dup3, fd, fd, 0));
    TRY(syscall(SYS_dup3, fd, 9, 1));
    TRY(syscall(SYS_dup3, fd, 9, O_CLOEXEC));
    TRY(fcntl(9, F_GETFD));
    TRY(dup2(fd, 9));
    TRY(fcntl(9, F_GETFD));
    TRY(close(9));
    TRY(close(9));
    TRY(close(-1));
    TRY(fcntl(fd, F_DUPFD, 50));
    TRY(fcntl(fd, F_DUPFD, 50));
    TRY(close(50));
    TRY(close(51));
    TRY(fcntl(fd, F_DUPFD, -1));
    TRY(fcntl(fd, F_DUPFD, 1 << 30));
    TRY(fcntl(77, F_GETFD));
    TRY(fcntl(fd, 9999));
    TRY(fcntl(fd, F_SETFD, 3));
    TRY(fcntl(fd, F_GETFD));
    TRY(fcntl(fd, F_SETFD, 0));
    TRY(fcntl(fd, F_SETFL, O_NONBLOCK | O_WRONLY));
    TRY(fcntl(fd, F_GETFL) & (3 | O_NONBLOCK));
    TRY(dup(fd));
    TRY(lseek(fd, 100, 0));
    TRY(lseek(fd + 1, 0, 1));
    TRY(fcntl(fd + 1, F_GETFL) & O_NONBLOCK);
    TRY(close(fd + 1));
    TRY(ioctl(fd, 0x5401, buf));
    TRY(ioctl(fd, 0x5413, 0));
    TRY(ioctl(77, 0x5401, buf));
    TRY(ioctl(fd, 0x12345678, 0));
}

static void pipes_calls(void) {
    int p[2];
    TRY(pipe(NONE));
    TRY(pipe(BAD));
    TRY(pipe((int *)(edge - 4)));
    TRY(pipe2(p, 0x1));
    TRY(pipe2(p, O_NONBLOCK | O_CLOEXEC));
    TRY(p[0]);
    TRY(p[1]);
    TRY(fcntl(p[0], F_GETFD));
    TRY(fcntl(p[0], F_GETFL) & (3 | O_NONBLOCK));
    TRY(fcntl(p[1], F_GETFL) & (3 | O_NONBLOCK));
    TRY(read(p[0], buf, 1));
    TRY(read(p[0], buf, 0));
    TRY(read(p[1], buf, 1));
    TRY(write(p[0], buf, 1));
    TRY(lseek(p[0], 0, 0));
    TRY(pread(p[0], buf, 1, 0));
    TRY(pwrite(p[1], buf, 1, 0));
    TRY(pread(p[0], buf, 1, -1));
    TRY(fsync(p[0]));
    TRY(ftruncate(p[1], 0));
    WORKS(mmap(0, 10, 1, MAP_PRIVATE, p[0], 0));
    TRY(fchdir(p[0]));
    TRY(openat(p[0], "x", 0));
    TRY(fcntl(p[0], F_GETPIPE_SZ));
    TRY(syscall(SYS_getdents64, p[0], buf, 99));
    TRY(syscall(SYS_fadvise64, p[0], 0, 0, 0));
    TRY(write(p[1], buf, 0));
    TRY(write(p[1], buf, 70000));
    TRY(write(p[1], buf, 1));
    {
        int n = 0;
        TRY(ioctl(p[0], 0x541b, &n));
        TRY(n);
        TRY(ioctl(p[0], 0x541b, BAD));
    }
    TRY(poll(&(struct pollfd){p[1], POLLOUT, 0}, 1, 0));
    TRY(read(p[0], buf, 100));
    TRY(poll(&(struct pollfd){p[1], POLLOUT, 0}, 1, 0));
    TRY(read(p[0], buf, 4096 - 100));
    TRY(poll(&(struct pollfd){p[1], POLLOUT, 0}, 1, 0));
    TRY(write(p[1], buf, 4097));
    TRY(write(p[1], buf, 1));
    TRY(read(p[0], edge, 200));
    TRY(read(p[0], buf, 70000));
    TRY(write(p[1], BAD, 20));
    TRY(write(p[1], BEYOND, 20));
    TRY(read(p[0], buf, 100));
    {
        struct iovec v[3] = {{"abc", 3}, {BAD, 2}, {"def", 3}};
        v[1] = (struct iovec){"", 0};
        TRY(writev(p[1], v, 3));
        TRY(read(p[0], buf, 100));
        TRY(writev(p[1], v, 0));
        TRY(writev(p[1], BAD, 1));
    }
    TRY(close(p[1]));
    TRY(read(p[0], buf, 1));
    {
        struct pollfd f = {p[0], POLLIN, 0};
        TRY(poll(&f, 1, 0));
        TRY(f.revents);
    }
    TRY(close(p[0]));
    signal(SIGPIPE, SIG_IGN);
    TRY(pipe(p));
    TRY(close(p[0]));
    TRY(write(p[1], "x", 1));
    TRY(write(p[1], "x", 0));
    TRY(write(p[1], BAD, 1));
    {
        struct pollfd f = {p[1], POLLOUT, 0};
        TRY(poll(&f, 1, 0));
        TRY(f.revents);
    }
    TRY(close(p[1]));
}

static void poll_and_select_calls(void) {
    {
        struct pollfd f[3] = {{fd, POLLIN | POLLOUT, 9}, {-1, POLLIN, 9}, {77, POLLIN, 9}};
        TRY(poll(f, 3, 0));
        TRY(f[0].revents);
        TRY(f[1].revents);
        TRY(f[2].revents);
        TRY(poll(0, 0, 0));
        TRY(poll(BAD, 1, 0));
        TRY(poll(f + 1, 1, 10));
        TRY(poll(f, 2000000, 0));
        f[0].events = 0;
        TRY(poll(f, 1, 10));
        TRY(f[0].revents);
        TRY(syscall(SYS_ppoll, f, 1, &(struct timespec){0, -1}, 0, 8));
        TRY(syscall(SYS_ppoll, f, 1, &(struct timespec){0, 1}, buf, 7));
        TRY(syscall(SYS_ppoll, f, 1, &(struct timespec){-1, 0}, 0, 8));
        TRY(syscall(SYS_ppoll, f, 1, BAD, 0, 8));
    }
    {
        fd_set r, w;
        FD_ZERO(&r);
        FD_ZERO(&w);
        FD_SET(fd, &r);
        FD_SET(fd, &w);
        struct timeval t = {0, 0};
        TRY(select(fd + 1, &r, &w, 0, &t));
        TRY(select(fd, &r, &w, 0, &t));
        TRY(FD_ISSET(fd, &r));
        /* 55 is not open. Not tried: bits from 64 on, which Linux ignores if the process never had such a
         * descriptor, and how it tells depends on its forefathers. */
        FD_SET(55, &r);
        TRY(select(56, &r, 0, 0, &t));
        FD_CLR(55, &r);
        TRY(select(64, &r, 0, 0, &t));
        TRY(select(-1, &r, 0, 0, &t));
        TRY(select(1, BAD, 0, 0, &t));
        TRY(select(0, 0, 0, 0, &t));
        TRY(syscall(SYS_select, 0, 0, 0, 0, &(struct timeval){-1, 0}));
        TRY(syscall(SYS_select, 0, 0, 0, 0, &(struct timeval){0, -1}));
        TRY(syscall(SYS_select, 0, 0, 0, 0, BAD));
    }
}

static void what_would_change_the_disk_calls(void) {
    TRY(mkdir("/x", 0));
    TRY(mkdir("/etc", 0));
    TRY(mkdir("/none/x", 0));
    TRY(mkdir("/etc/passwd/x", 0));
    TRY(mkdir("", 0));
    TRY(mkdir("/", 0));
    TRY(mkdir("/etc/new/", 0));
    TRY(rmdir("/etc"));
    TRY(rmdir("/none"));
    TRY(rmdir("/etc/passwd"));
    TRY(unlink("/etc/passwd"));
    TRY(unlink("/none"));
    TRY(unlink("/etc"));
    TRY(unlink("/none/x"));
    TRY(rename("/etc/passwd", "/x"));
    TRY(rename("/none", "/x"));
    TRY(rename("/none/a", "/x"));
    TRY(link("/etc/passwd", "/x"));
    TRY(link("/etc/passwd", "/etc/group"));
    TRY(symlink("a", "/x"));
    TRY(symlink("a", "/etc/passwd"));
    TRY(symlink("a", "/none/x"));
    TRY(chmod("/etc/passwd", 0));
    TRY(chmod("/none", 0));
    TRY(fchmod(fd, 0));
    TRY(chown("/etc/passwd", 0, 0));
    TRY(chown("/none", 0, 0));
    TRY(fchown(fd, 0, 0));
    TRY(fchown(77, 0, 0));
    TRY(fchmod(77, 0));
    TRY(lchown("/data/links/loop", 0, 0));
    TRY(truncate("/etc/passwd", 0));
    TRY(truncate("/none", 0));
    TRY(utimensat(AT_FDCWD, "/etc/passwd", 0, 0));
    TRY(utimensat(AT_FDCWD, "/none", 0, 0));
    TRY(unlinkat(AT_FDCWD, "/etc", AT_REMOVEDIR));
    TRY(rename("/etc", "/etc/x"));
    TRY(umask(022));
    TRY(umask(07777));
    TRY(umask(022));
    TRY(syscall(SYS_fadvise64, 77, 0, 0, 0));
    TRY(syscall(SYS_fadvise64, fd, 0, -1, 0));
    TRY(isatty(fd));
}

int main(void) {
    edge = page_end();
    puts("# lseek and read");
    lseek_and_read_calls();
    puts("# readv");
    readv_calls();
    puts("# descriptors");
    descriptors_calls();
    puts("# pipes");
    pipes_calls();
    puts("# poll and select");
    poll_and_select_calls();
    puts("# what would change the disk");
    what_would_change_the_disk_calls();
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Names of all kinds, and what is opened, asked or read by them. */
#define _GNU_SOURCE
#include "calls.h"

static char buf[70000], deep[8001], name300[301];
static char *edge;
static int fd;
static struct stat st;

static void open_calls(void) {
    TRY(open("/etc/passwd", O_RDONLY));
    TRY(close(3));
    TRY(open("", O_RDONLY));
    TRY(open(NONE, O_RDONLY));
    TRY(open(BAD, O_RDONLY));
    TRY(open(BEYOND, 0));
    TRY(open("/none", 0));
    TRY(open("/none/x", 0));
    TRY(open("/etc/passwd/", 0));
    TRY(open("/etc/passwd/.", 0));
    TRY(open("/etc/passwd/..", 0));
    TRY(open("/etc/passwd/x", 0));
    TRY(open("/etc/", 0));
    TRY(close(3));
    TRY(open("//etc//./../etc/passwd", 0));
    TRY(close(3));
    TRY(open("/../../..", 0));
    TRY(close(3));
    TRY(open("/etc", O_WRONLY));
    TRY(open("/etc", O_RDWR));
    TRY(open("/etc/passwd", O_WRONLY));
    TRY(open("/etc/passwd", O_RDWR));
    TRY(open("/etc/passwd", O_RDONLY | O_TRUNC));
    TRY(open("/etc/passwd", O_WRONLY | O_TRUNC));
    TRY(open("/etc/passwd", O_DIRECTORY));
    TRY(open("/etc/passwd", O_CREAT, 0644));
    TRY(close(3));
    TRY(open("/etc/passwd", O_CREAT | O_EXCL, 0644));
    TRY(open("/etc", O_CREAT, 0644));
    TRY(open("/etc", O_CREAT | O_EXCL, 0644));
    TRY(open("/etc/none", O_CREAT | O_WRONLY, 0644));
    TRY(open("/etc/none", O_CREAT, 0644));
    TRY(open("/none/none", O_CREAT, 0644));
    TRY(open("/etc/none/", O_CREAT, 0644));
    TRY(open("/etc/passwd/x", O_CREAT, 0644));
    TRY(open("/etc/none/", O_CREAT | O_WRONLY, 0644));
    TRY(open("/etc/passwd", O_EXCL));
    TRY(close(3));
    TRY(open("/data/links/short", O_EXCL));
    TRY(close(3));
    TRY(open("/data/links/short", O_NOFOLLOW));
    TRY(open("/data/links/short", O_NOFOLLOW | O_PATH));
    TRY(close(3));
    TRY(open("/data/links/short", O_CREAT | O_EXCL, 0600));
    TRY(open("/data/links/loop", 0));
    TRY(open("/data/links/loop", O_NOFOLLOW));
    TRY(open("/data/links/loop/", 0));
    TRY(open("/data/links/loop/x", O_CREAT, 0600));
    TRY(open("/data/links/loop", O_CREAT, 0600));
    TRY(open("/data/links/directory", O_NOFOLLOW));
    TRY(open("/data/links/directory", O_NOFOLLOW | O_DIRECTORY));
    TRY(open("/data/links/directory/", O_NOFOLLOW));
    TRY(close(3));
    TRY(open("/data/links/directory/.", O_NOFOLLOW));
    TRY(close(3));
    TRY(open("/data/links/short/", 0));
    TRY(open("/data/links/short/x", 0));
    TRY(open("/data/links/longer-than-the-inode", 0));
    TRY(close(3));
    TRY(open("/data/links/to-long-name", 0));
    TRY(close(3));
    TRY(open(name300, 0));
    TRY(open(deep, 0));
    deep[4096] = 0;
    TRY(open(deep, 0));
    deep[4095] = 0;
    TRY(open(deep, 0));
    TRY(close(3));
    deep[4094] = 0;
    TRY(open(deep, O_DIRECTORY));
    TRY(close(3));
    memcpy(edge - 4, "/etc", 4);
    TRY(open(edge - 4, 0));
    edge[-1] = 0;
    TRY(open(edge - 4, 0));
    memcpy(edge - 5, "/etc", 5);
    TRY(open(edge - 5, 0));
    TRY(close(3));
    TRY(open("/dev/null", O_RDWR | O_TRUNC | O_CREAT, 0644));
    TRY(write(3, "x", 1));
    TRY(read(3, buf, 9));
    TRY(pwrite(3, "x", 1, 5));
    TRY(pread(3, buf, 1, 5));
    TRY(lseek(3, 7, 0));
    TRY(lseek(3, 0, 2));
    TRY(ftruncate(3, 0));
    TRY(write(3, BAD, 10));
    TRY(write(3, BEYOND, 10));
    TRY(close(3));
    TRY(open("/dev/zero", O_RDWR));
    TRY(read(3, buf, 9));
    TRY(read(3, BAD, 9));
    TRY(read(3, edge - 4, 9));
    TRY(write(3, BAD, 9));
    TRY(pread(3, buf, 20, 1l << 40));
    TRY(close(3));
    TRY(open("/dev/null", O_WRONLY));
    TRY(read(3, buf, 1));
    TRY(pread(3, buf, 1, 0));
    TRY(close(3));
    TRY(open("/dev/null", 0));
    TRY(write(3, buf, 1));
    TRY(close(3));
    TRY(open("/etc/passwd", O_PATH));
    TRY(read(3, buf, 1));
    TRY(lseek(3, 0, 0));
    TRY(fstat(3, &st));
    TRY(fcntl(3, F_GETFL) & O_PATH);
    TRY(fchdir(3));
    TRY(dup(3));
    TRY(close(4));
    TRY(pread(3, buf, 1, 0));
    TRY(syscall(SYS_getdents64, 3, buf, 100));
    TRY(poll(&(struct pollfd){3, POLLIN, 0}, 1, 0));
    WORKS(mmap(0, PAGE, 1, MAP_PRIVATE, 3, 0));
    TRY(close(3));
    TRY(open("/etc/none", O_PATH));
    TRY(open("/etc/passwd", O_PATH | O_DIRECTORY));
    TRY(open("/etc/passwd", O_PATH | O_WRONLY | O_CREAT | O_EXCL, 0));
    TRY(close(3));
    TRY(open("/etc/passwd", 0x40000000));
    TRY(close(3));
    TRY(creat("/etc/passwd", 0));
    TRY(creat("/x", 0));
    TRY(open("/etc/passwd", O_APPEND));
    TRY(fcntl(3, F_GETFL) & (3 | O_APPEND));
    TRY(close(3));
}

static void openat_calls(void) {
    fd = open("/data/links", O_DIRECTORY);
    TRY(openat(fd, "x", 0));
    TRY(close(4));
    TRY(openat(fd, "", 0));
    TRY(openat(99, "x", 0));
    TRY(openat(99, "/etc/passwd", 0));
    TRY(close(4));
    TRY(openat(-1, "x", 0));
    TRY(openat(-5, "x", 0));
    TRY(openat(fd, "../..", 0));
    TRY(close(4));
    TRY(openat(fd, "../../../../etc/passwd", 0));
    TRY(openat(4, "x", 0));
    TRY(openat(4, "", 0));
    TRY(openat(4, ".", 0));
    TRY(close(4));
    TRY(openat(99, "", 0));
    TRY(openat(99, BAD, 0));
    TRY(openat(fd, "loop", 0));
    TRY(openat(fd, "new", O_CREAT, 0));
}

static void stat_calls(void) {
    TRY(fstatat(fd, "short", &st, 0));
    TRY(st.st_size);
    TRY(fstatat(fd, "short", &st, AT_SYMLINK_NOFOLLOW));
    TRY(st.st_size);
    TRY(st.st_mode);
    TRY(fstatat(fd, "short/", &st, AT_SYMLINK_NOFOLLOW));
    TRY(fstatat(fd, "directory/", &st, AT_SYMLINK_NOFOLLOW));
    TRY(st.st_mode);
    TRY(fstatat(fd, "", &st, 0));
    TRY(fstatat(fd, "", &st, AT_EMPTY_PATH));
    TRY(st.st_mode);
    TRY(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
    TRY(st.st_mode);
    TRY(fstatat(77, "", &st, AT_EMPTY_PATH));
    TRY(fstatat(fd, "x", &st, 0x10000));
    TRY(fstatat(fd, "x", &st, 1));
    TRY(fstatat(fd, "loop", &st, 0));
    TRY(fstatat(fd, "loop", &st, AT_SYMLINK_NOFOLLOW));
    TRY(syscall(SYS_newfstatat, fd, "x", BAD, 0));
    TRY(syscall(SYS_newfstatat, fd, "none", BAD, 0));
    TRY(syscall(SYS_stat, "/etc/passwd", BAD));
    TRY(syscall(SYS_fstat, 77, BAD));
    TRY(syscall(SYS_stat, "/etc/passwd", edge - 8));
    TRY(fstat(-1, &st));
    TRY(lstat("/data/links/x/", &st));
    TRY(stat("/data/sparse", &st));
    TRY(st.st_size);
    TRY(st.st_nlink);
    TRY(st.st_mtime);
    TRY(stat("/data/links/hard", &st));
    TRY(st.st_nlink);
    TRY(stat("/dev/null", &st));
    TRY(st.st_mode);
    TRY(st.st_rdev);
}

static void access_calls(void) {
    TRY(access("/etc/passwd", 0));
    TRY(access("/etc/passwd", R_OK));
    TRY(access("/etc/passwd", W_OK));
    TRY(access("/etc/passwd", X_OK));
    TRY(access("/etc/passwd", W_OK | X_OK));
    TRY(access("/bin/busybox", X_OK));
    TRY(access("/bin/busybox", 7));
    TRY(access("/etc", X_OK));
    TRY(access("/etc", W_OK));
    TRY(access("/etc/passwd", 8));
    TRY(access("/etc/passwd", -1));
    TRY(access("/none", 8));
    TRY(access("/etc/passwd/", 0));
    TRY(access("/data/links/loop", 0));
    TRY(access("/dev/null", W_OK));
    TRY(access("/dev/null", X_OK));
    TRY(syscall(SYS_faccessat2, fd, "loop", 0, AT_SYMLINK_NOFOLLOW));
    TRY(syscall(SYS_faccessat2, fd, "x", 0, 0x8000));
    TRY(syscall(SYS_faccessat2, fd, "x", 4, AT_EACCESS));
    TRY(syscall(SYS_faccessat2, fd, "x", 16, 0));
}

static void readlink_calls(void) {
    memset(buf, '-', 20);
    TRY(readlink("/data/links/directory", buf, 3));
    TRY(buf[2]);
    TRY(buf[3]);
    TRY(readlink("/data/links/directory", buf, 0));
    TRY(readlink("/data/links/directory", buf, -1));
    TRY(readlink("/data/links/directory", buf, 7));
    TRY(readlink("/data/links/directory", buf, 100));
    TRY(readlink("/data/links/directory/", buf, 100));
    TRY(readlink("/etc/passwd", buf, 100));
    TRY(readlink("/none", buf, 100));
    TRY(readlink("/none", BAD, 100));
    TRY(readlink("/data/links/short", BAD, 100));
    TRY(readlink("/data/links/directory", edge - 3, 100));
    TRY(readlink("/data/links/directory", edge - 3, 3));
    TRY(readlink("", buf, 10));
    TRY(readlinkat(fd, "", buf, 10));
    TRY(readlink("/etc/passwd", BAD, 0));
    TRY(readlink("/data/links/loop", buf, 9));
    TRY(readlink("/data/links/longer-than-the-inode", buf, 999));
    {
        int l = open("/data/links/short", O_PATH | O_NOFOLLOW);
        TRY(fstat(l, &st));
        TRY(st.st_mode);
        close(l);
    }
}

static void directories_calls(void) {
    TRY(chdir("/etc/passwd"));
    TRY(chdir("/none"));
    TRY(chdir(""));
    TRY(chdir(BAD));
    TRY(chdir("/data/links/directory"));
    TRY((long)getcwd(buf, 5));
    TRY(syscall(SYS_getcwd, buf, 100));
    TRY(strcmp(buf, "/data/many"));
    TRY(syscall(SYS_getcwd, buf, 10));
    TRY(syscall(SYS_getcwd, buf, 11));
    TRY(syscall(SYS_getcwd, buf, 0));
    TRY(syscall(SYS_getcwd, BAD, 100));
    TRY(syscall(SYS_getcwd, edge - 3, 100));
    TRY(chdir(".."));
    TRY(syscall(SYS_getcwd, buf, 100));
    TRY(chdir("../../..//"));
    TRY(syscall(SYS_getcwd, buf, 100));
    TRY(fchdir(fd));
    TRY(fchdir(0x7fff));
    TRY(syscall(SYS_getcwd, buf, 100));
    TRY(chdir("loop"));
    TRY(chdir("x"));
    TRY(chdir("/"));
    TRY(syscall(SYS_getdents64, fd, buf, 0));
    TRY(syscall(SYS_getdents64, fd, buf, 10));
    TRY(syscall(SYS_getdents64, fd, buf, 23));
    WORKS(syscall(SYS_getdents64, fd, buf, 300));
    WORKS(syscall(SYS_getdents64, fd, BAD, 300));
    TRY(lseek(fd, 0, 0));
    TRY(syscall(SYS_getdents64, fd, edge, 5000));
    TRY(syscall(SYS_getdents64, fd, BEYOND, 5000));
    {
        long n, t = 0, names = 0;
        while ((n = syscall(SYS_getdents64, fd, buf, 290)) > 0) {
            t += n;
            for (long i = 0; i < n; i += *(unsigned short *)(buf + i + 16))
                names++;
        }
        TRY(n);
        TRY(t);
        TRY(names);
    }
    TRY(syscall(SYS_getdents64, fd, buf, 1000));
    TRY(write(fd, buf, 10));
    TRY(lseek(fd, 0, 0));
    WORKS(syscall(SYS_getdents64, fd, buf, 5000));
    TRY(close(fd));
    TRY(syscall(SYS_getdents64, fd, buf, 100));
    {
        int f = open("/etc/passwd", 0);
        TRY(syscall(SYS_getdents64, f, buf, 100));
        TRY(syscall(SYS_getdents64, f, BAD, 0));
        close(f);
    }
}

int main(void) {
    memset(name300, 'a', 300);
    for (int i = 0; i < 8000; i += 2)
        memcpy(deep + i, "./", 2);
    edge = page_end();
    puts("# open");
    open_calls();
    puts("# openat");
    openat_calls();
    puts("# stat");
    stat_calls();
    puts("# access");
    access_calls();
    puts("# readlink");
    readlink_calls();
    puts("# directories");
    directories_calls();
    return 0;
}

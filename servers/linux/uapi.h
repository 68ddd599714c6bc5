/* SPDX-License-Identifier: MIT */
/* What Linux programs on x86-64 see: numbers and layouts (facts of the ABI; checked by _Static_assert). */
#pragma once

#include <abi/types.h>

/* open flags */
#define O_ACCMODE   3u
#define O_WRONLY    1u
#define O_RDWR      2u
#define O_CREAT     0100u
#define O_EXCL      0200u
#define O_TRUNC     01000u
#define O_APPEND    02000u
#define O_NONBLOCK  04000u
#define O_DIRECTORY 0200000u
#define O_NOFOLLOW  0400000u
#define O_CLOEXEC   02000000u
#define O_PATH      010000000u
#define O_LARGEFILE 0100000u

#define AT_FDCWD            (-100)
#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_REMOVEDIR        0x200u
#define AT_SYMLINK_FOLLOW   0x400u
#define AT_NO_AUTOMOUNT     0x800u
#define AT_EMPTY_PATH       0x1000u
#define AT_STATX_SYNC_TYPE  0x6000u
#define AT_EACCESS          0x200u

#define S_IFMT     0170000u
#define S_IFDIR    0040000u
#define S_IFCHR    0020000u
#define S_IFREG    0100000u
#define S_IFIFO    0010000u
#define S_IFLNK    0120000u
#define S_ISDIR(m) (((m)&S_IFMT) == S_IFDIR)
#define S_ISLNK(m) (((m)&S_IFMT) == S_IFLNK)
#define S_ISREG(m) (((m)&S_IFMT) == S_IFREG)
enum { DT_FIFO = 1, DT_CHR = 2, DT_DIR = 4, DT_REG = 8, DT_LNK = 10 };

#define PATH_BYTES_MAX 4096 /* with the final 0 */
#define NAME_BYTES_MAX 255
#define PIPE_BUF       4096

struct linux_stat {
    u64 st_dev, st_ino, st_nlink;
    u32 st_mode, st_uid, st_gid, pad0;
    u64 st_rdev;
    i64 st_size, st_blksize, st_blocks;
    u64 atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns;
    i64 unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144 && offsetof(struct linux_stat, st_size) == 48, "struct stat");

struct linux_statfs {
    u64 f_type, f_bsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_fsid, f_namelen, f_frsize, f_flags;
    u64 spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs");

struct linux_dirent64 {
    u64 d_ino;
    i64 d_off;
    u16 d_reclen;
    u8 d_type;
    char d_name[];
};
_Static_assert(offsetof(struct linux_dirent64, d_name) == 19, "struct linux_dirent64");

struct timespec64 {
    i64 sec, nsec;
};
struct iovec64 {
    u64 base, bytes;
};
#define IOV_MAX 1024
struct pollfd32 {
    i32 fd;
    i16 events, revents;
};
enum {
    POLLIN = 1,
    POLLPRI = 2,
    POLLOUT = 4,
    POLLERR = 8,
    POLLHUP = 16,
    POLLNVAL = 32,
    POLLRDNORM = 64,
    POLLWRNORM = 256
};

/* memory */
enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum {
    MAP_SHARED = 1,
    MAP_PRIVATE = 2,
    MAP_SHARED_VALIDATE = 3,
    MAP_TYPE = 15,
    MAP_FIXED = 0x10,
    MAP_ANONYMOUS = 0x20,
    MAP_GROWSDOWN = 0x100,
    MAP_LOCKED = 0x2000,
    MAP_POPULATE = 0x8000,
    MAP_STACK = 0x20000
};

/* clone */
#define CLONE_VM             0x100ull
#define CLONE_FS             0x200ull
#define CLONE_FILES          0x400ull
#define CLONE_SIGHAND        0x800ull
#define CLONE_VFORK          0x4000ull
#define CLONE_THREAD         0x10000ull
#define CLONE_SYSVSEM        0x40000ull
#define CLONE_SETTLS         0x80000ull
#define CLONE_PARENT_SETTID  0x100000ull
#define CLONE_CHILD_CLEARTID 0x200000ull
#define CLONE_DETACHED       0x400000ull
#define CLONE_CHILD_SETTID   0x1000000ull
#define CLONE_SIGNAL(flags)  ((u32)((flags)&0xff))

/* wait */
enum { WNOHANG = 1, WUNTRACED = 2, WEXITED = 4, WCONTINUED = 8, WNOWAIT = 0x01000000 };
#define STATUS_EXIT(code) ((u32)((code)&0xff) << 8)
#define STATUS_SIGNAL(s)  ((u32)(s)&0x7f)
#define STATUS_STOPPED(s) ((u32)(s) << 8 | 0x7f)
#define STATUS_CONTINUED  0xffffu

/* signals */
enum {
    SIGHUP = 1,
    SIGINT = 2,
    SIGQUIT = 3,
    SIGILL = 4,
    SIGTRAP = 5,
    SIGABRT = 6,
    SIGBUS = 7,
    SIGFPE = 8,
    SIGKILL = 9,
    SIGUSR1 = 10,
    SIGSEGV = 11,
    SIGUSR2 = 12,
    SIGPIPE = 13,
    SIGALRM = 14,
    SIGTERM = 15,
    SIGCHLD = 17,
    SIGCONT = 18,
    SIGSTOP = 19,
    SIGTSTP = 20,
    SIGTTIN = 21,
    SIGTTOU = 22,
    SIGURG = 23,
    SIGWINCH = 28,
    SIGNALS = 64 /* numbers 1 .. 64 */
};
#define SA_NOCLDSTOP 1ull
#define SA_NOCLDWAIT 2ull
#define SA_SIGINFO   4ull
#define SA_RESTORER  0x04000000ull
#define SA_ONSTACK   0x08000000ull
#define SA_RESTART   0x10000000ull
#define SA_NODEFER   0x40000000ull
#define SA_RESETHAND 0x80000000ull
#define SIG_DFL      0ull
#define SIG_IGN      1ull
enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };
enum { SS_ONSTACK = 1, SS_DISABLE = 2 };
#define SS_AUTODISARM 0x80000000u
#define MINSIGSTKSZ   2048
enum { SI_USER = 0, SI_KERNEL = 0x80, SI_TKILL = -6 };
enum { CLD_EXITED = 1, CLD_KILLED, CLD_DUMPED, CLD_TRAPPED, CLD_STOPPED, CLD_CONTINUED };
enum { SEGV_MAPERR = 1, SEGV_ACCERR = 2, BUS_ADRALN = 1, FPE_INTDIV = 1, ILL_ILLOPN = 2, TRAP_BRKPT = 1 };

struct linux_sigaction {
    u64 handler, flags, restorer, mask;
};
struct linux_siginfo {
    i32 signo, err, code, pad;
    union {
        struct {
            i32 pid;
            u32 uid;
            i32 status;
            i32 pad;
        } child; /* also kill: pid, uid */
        u64 address;
        u64 words[14];
    };
};
_Static_assert(sizeof(struct linux_siginfo) == 128, "siginfo_t");
struct linux_stack {
    u64 sp;
    u32 flags, pad;
    u64 bytes;
};

/* terminals */
enum {
    TCGETS = 0x5401,
    TCSETS = 0x5402,
    TCSETSF = 0x5404,
    TIOCSCTTY = 0x540e,
    TIOCGPGRP = 0x540f,
    TIOCSPGRP = 0x5410,
    TIOCGWINSZ = 0x5413,
    FIONREAD = 0x541b,
    FIONBIO = 0x5421,
    TIOCNOTTY = 0x5422,
    TIOCGSID = 0x5429,
    FIOCLEX = 0x5451,
    FIONCLEX = 0x5450
};
#define TERMIOS_BYTES 36

enum {
    F_DUPFD,
    F_GETFD,
    F_SETFD,
    F_GETFL,
    F_SETFL,
    F_GETLK,
    F_SETLK,
    F_SETLKW,
    F_DUPFD_CLOEXEC = 1030,
    F_GETPIPE_SZ = 1032
};

/* resources */
enum {
    RLIMIT_CPU,
    RLIMIT_FSIZE,
    RLIMIT_DATA,
    RLIMIT_STACK,
    RLIMIT_CORE,
    RLIMIT_RSS,
    RLIMIT_NPROC,
    RLIMIT_NOFILE,
    RLIMIT_MEMLOCK,
    RLIMIT_AS,
    RLIMITS = 16
};
#define RLIM_INFINITY (~0ull)
struct rlimit64 {
    u64 now, max;
};

enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS };
enum { PR_SET_PDEATHSIG = 1, PR_SET_NAME = 15, PR_GET_NAME = 16 };
enum {
    FUTEX_WAIT = 0,
    FUTEX_WAKE = 1,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE = 4,
    FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET = 10,
    FUTEX_CMD = 0x7f,
    FUTEX_CLOCK_REALTIME = 0x100
};

/* the auxiliary vector */
enum {
    AT_NULL,
    AT_PHDR = 3,
    AT_PHENT,
    AT_PHNUM,
    AT_PAGESZ,
    AT_BASE,
    AT_FLAGS,
    AT_ENTRY,
    AT_UID = 11,
    AT_EUID,
    AT_GID,
    AT_EGID,
    AT_PLATFORM,
    AT_HWCAP,
    AT_CLKTCK,
    AT_SECURE = 23,
    AT_RANDOM = 25,
    AT_EXECFN = 31
};

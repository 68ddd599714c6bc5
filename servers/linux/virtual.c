/* SPDX-License-Identifier: MIT */
#include "virtual.h"

#include <string.h>

#include <abi/errors.h>
#include <ipc/fmt.h>

#include "file.h"

struct entry {
    const char *name;
    u32 node, mode;
};
#define DIR_MODE  (S_IFDIR | 0555)
#define LINK_MODE (S_IFLNK | 0777)
#define FILE_MODE (S_IFREG | 0444)
#define CHAR_MODE (S_IFCHR | 0666)

static const struct entry dev_entries[] = {{"null", DEV_NULL, CHAR_MODE},
                                           {"zero", DEV_ZERO, CHAR_MODE},
                                           {"full", DEV_FULL, CHAR_MODE},
                                           {"random", DEV_RANDOM, CHAR_MODE},
                                           {"urandom", DEV_URANDOM, CHAR_MODE},
                                           {"tty", DEV_TTY, CHAR_MODE},
                                           {"console", DEV_CONSOLE, CHAR_MODE},
                                           {"stdin", DEV_STDIN, LINK_MODE},
                                           {"stdout", DEV_STDOUT, LINK_MODE},
                                           {"stderr", DEV_STDERR, LINK_MODE},
                                           {"fd", DEV_FD, LINK_MODE}};
static const struct entry proc_entries[] = {{"self", PROC_SELF, LINK_MODE},
                                            {"meminfo", PROC_MEMINFO, FILE_MODE},
                                            {"mounts", PROC_MOUNTS, FILE_MODE},
                                            {"uptime", PROC_UPTIME, FILE_MODE},
                                            {"loadavg", PROC_LOADAVG, FILE_MODE},
                                            {"version", PROC_VERSION, FILE_MODE},
                                            {"cpuinfo", PROC_CPUINFO, FILE_MODE},
                                            {"slabinfo", PROC_SLABINFO, FILE_MODE},
                                            {"stat", PROC_STAT, FILE_MODE},
                                            {"vmstat", PROC_VMSTAT, FILE_MODE},
                                            {"buddyinfo", PROC_BUDDYINFO, FILE_MODE},
                                            {"zoneinfo", PROC_ZONEINFO, FILE_MODE},
                                            {"filesystems", PROC_FILESYSTEMS, FILE_MODE},
                                            {"quire", PROC_QUIRE, DIR_MODE},
                                            {"sys", PROC_SYS, DIR_MODE}};
static const struct entry quire_entries[] = {{"counters", PROC_QUIRE_COUNTERS, FILE_MODE},
                                             {"frames", PROC_QUIRE_FRAMES, FILE_MODE},
                                             {"slabs", PROC_QUIRE_SLABS, FILE_MODE}};
static const struct entry sys_entries[] = {{"vm", PROC_SYS_VM, DIR_MODE}};
static const struct entry vm_entries[] = {{"drop_caches", PROC_DROP_CACHES, S_IFREG | 0200}};
static const struct entry pid_entries[] = {
    {"stat", PROC_PID_STAT, FILE_MODE},     {"statm", PROC_PID_STATM, FILE_MODE},
    {"status", PROC_PID_STATUS, FILE_MODE}, {"cmdline", PROC_PID_CMDLINE, FILE_MODE},
    {"comm", PROC_PID_COMM, FILE_MODE},     {"maps", PROC_PID_MAPS, FILE_MODE},
    {"exe", PROC_PID_EXE, LINK_MODE},       {"cwd", PROC_PID_CWD, LINK_MODE},
    {"root", PROC_PID_ROOT, LINK_MODE},     {"mounts", PROC_PID_MOUNTS, FILE_MODE},
    {"fd", PROC_PID_FD_DIR, S_IFDIR | 0500}};

struct table {
    const struct entry *entry;
    u32 count;
};
#define TABLE(t)                                                                                             \
    (struct table) {                                                                                         \
        t, ARRAY_LEN(t)                                                                                      \
    }

/* The fixed entries of a directory. */
static struct table entries_of(const struct node *dir) {
    if (dir->fs == FS_DEV)
        return TABLE(dev_entries);
    switch (PROC_NODE(dir->id)) {
    case PROC_DIR:
        return TABLE(proc_entries);
    case PROC_QUIRE:
        return TABLE(quire_entries);
    case PROC_SYS:
        return TABLE(sys_entries);
    case PROC_SYS_VM:
        return TABLE(vm_entries);
    case PROC_PID_DIR:
        return TABLE(pid_entries);
    default:
        return (struct table){NULL, 0};
    }
}

static struct node make(const struct node *dir, const struct entry *e) {
    u64 pid = dir->fs == FS_PROC ? PROC_PID(dir->id) : 0;
    return (struct node){dir->fs, e->mode, PROC_ID(e->node, pid), 0, 0};
}

bool virtual_mount(const char *name, u32 bytes, struct node *found) {
    bool proc = bytes == 4 && !memcmp(name, "proc", 4), dev = bytes == 3 && !memcmp(name, "dev", 3);
    if (proc || dev)
        *found = (struct node){proc ? FS_PROC : FS_DEV, DIR_MODE, 0, 0, 0};
    return proc || dev;
}

static u64 number_of(const char *name, u32 bytes) {
    u64 n = 0;
    for (u32 i = 0; i < bytes; i++) {
        if (name[i] < '0' || name[i] > '9' || bytes > 7)
            return ~0ull;
        n = n * 10 + (u64)(name[i] - '0');
    }
    return n;
}

static struct node fd_node(u32 pid, u64 fd) {
    return (struct node){FS_PROC, S_IFLNK | 0700, PROC_FD_ID(pid, fd), 0, 0};
}

/* ".." of a directory that is not the top one. */
static struct node parent_of(const struct node *dir) {
    enum proc_node up = PROC_DIR;
    if (PROC_NODE(dir->id) == PROC_SYS_VM)
        up = PROC_SYS;
    if (PROC_NODE(dir->id) == PROC_PID_FD_DIR)
        up = PROC_PID_DIR;
    return (struct node){FS_PROC, DIR_MODE, PROC_ID(up, up == PROC_PID_DIR ? PROC_PID(dir->id) : 0), 0, 0};
}

err virtual_lookup(const struct tasks *t, const struct node *dir, const char *name, u32 bytes,
                   struct node *found) {
    if (bytes == 2 && !memcmp(name, "..", 2)) {
        *found = parent_of(dir);
        return 0;
    }
    struct table table = entries_of(dir);
    for (u32 i = 0; i < table.count; i++) {
        if (strlen(table.entry[i].name) == bytes && !memcmp(table.entry[i].name, name, bytes)) {
            *found = make(dir, &table.entry[i]);
            return 0;
        }
    }
    if (dir->fs != FS_PROC)
        return -E_NOENT;
    u64 n = number_of(name, bytes);
    if (PROC_NODE(dir->id) == PROC_DIR && process_find(t, n)) {
        *found = (struct node){FS_PROC, DIR_MODE, PROC_ID(PROC_PID_DIR, n), 0, 0};
        return 0;
    }
    const struct process *p = process_find(t, PROC_PID(dir->id));
    if (PROC_NODE(dir->id) == PROC_PID_FD_DIR && p && p->files && files_get(p->files, n)) {
        *found = fd_node(p->pid, n);
        return 0;
    }
    return -E_NOENT;
}

static err copy_path(char *to, const char *path) {
    if (!path)
        return -E_NOENT;
    strcpy(to, path);
    return 0;
}

static err fd_path(const struct process *p, u64 fd, char *to) {
    const struct file *f = p->files ? files_get(p->files, fd) : NULL;
    if (!f)
        return -E_NOENT;
    if (f->path)
        return copy_path(to, f->path);
    fmt_snprintf(to, PATH_BYTES_MAX, "pipe:[%llu]", f->pipe ? (unsigned long long)f->pipe->inode : 0);
    return 0;
}

err virtual_readlink(const struct tasks *t, const struct process *p, const struct node *link, char *to) {
    if (link->fs == FS_DEV) {
        if (link->id == DEV_FD)
            return copy_path(to, "/proc/self/fd");
        fmt_snprintf(to, PATH_BYTES_MAX, "/proc/self/fd/%u", (u32)(link->id - DEV_STDIN));
        return 0;
    }
    if (PROC_NODE(link->id) == PROC_SELF) {
        fmt_snprintf(to, PATH_BYTES_MAX, "%u", p->pid);
        return 0;
    }
    const struct process *of = process_find(t, PROC_PID(link->id));
    if (!of)
        return -E_NOENT;
    switch (PROC_NODE(link->id)) {
    case PROC_PID_EXE:
        return copy_path(to, of->mm ? of->mm->exe : NULL);
    case PROC_PID_CWD:
        return copy_path(to, of->fs ? of->fs->cwd_path : NULL);
    case PROC_PID_ROOT:
        return copy_path(to, "/");
    case PROC_FD:
        return fd_path(of, PROC_FD_NR(link->id), to);
    default:
        return -E_INVAL;
    }
}

/* Positions: 0 and 1 the dots, then the fixed entries, then (from NUMBERS on) numbers: pids or
 * descriptors. */
#define NUMBERS 1000

static bool numbered_entry(const struct tasks *t, const struct node *dir, u64 from, char *name,
                           struct node *entry, u64 *next) {
    u64 n = ~0ull;
    if (PROC_NODE(dir->id) == PROC_DIR) {
        const struct process *p;
        TAILQ_FOREACH(p, &t->processes, all) {
            if (p->pid >= from && p->pid < n)
                n = p->pid;
        }
        *entry = (struct node){FS_PROC, DIR_MODE, PROC_ID(PROC_PID_DIR, n), 0, 0};
    } else if (PROC_NODE(dir->id) == PROC_PID_FD_DIR) {
        const struct process *p = process_find(t, PROC_PID(dir->id));
        if (p && p->files)
            n = (u64)files_next(p->files, from, false);
        *entry = fd_node(PROC_PID(dir->id), n);
    }
    if (n == ~0ull)
        return false;
    fmt_snprintf(name, NAME_BYTES_MAX, "%llu", (unsigned long long)n);
    *next = NUMBERS + n + 1;
    return true;
}

bool virtual_entry(const struct tasks *t, const struct node *dir, u64 position, char *name,
                   struct node *entry, u64 *next) {
    if (position < 2) {
        strcpy(name, position ? ".." : ".");
        *entry = *dir;
        *next = position + 1;
        return true;
    }
    struct table table = entries_of(dir);
    if (position - 2 < table.count) {
        strcpy(name, table.entry[position - 2].name);
        *entry = make(dir, &table.entry[position - 2]);
        *next = position + 1;
        return true;
    }
    return dir->fs == FS_PROC && numbered_entry(t, dir, MAX(position, NUMBERS) - NUMBERS, name, entry, next);
}

/* SPDX-License-Identifier: MIT */
/* The virtual directories /proc and /dev: names, modes, links, listing. Pure over the table of tasks;
 * contents of files of /proc are made in proc_text.c.
 *
 * A node's id: FS_DEV: enum dev_node. FS_PROC: enum proc_node | pid << 16, or for PROC_FD | fd << 40. */
#pragma once

#include "task.h"

enum dev_node {
    DEV_DIR,
    DEV_NULL,
    DEV_ZERO,
    DEV_FULL,
    DEV_RANDOM,
    DEV_URANDOM,
    DEV_TTY,
    DEV_CONSOLE,
    DEV_STDIN,
    DEV_STDOUT,
    DEV_STDERR,
    DEV_FD
};
enum proc_node {
    PROC_DIR,
    PROC_SELF,
    PROC_MEMINFO,
    PROC_MOUNTS,
    PROC_UPTIME,
    PROC_LOADAVG,
    PROC_VERSION,
    PROC_CPUINFO,
    PROC_SLABINFO,
    PROC_STAT,
    PROC_VMSTAT,
    PROC_BUDDYINFO,
    PROC_ZONEINFO,
    PROC_FILESYSTEMS,
    PROC_QUIRE,
    PROC_QUIRE_COUNTERS,
    PROC_QUIRE_FRAMES,
    PROC_QUIRE_SLABS,
    PROC_SYS,
    PROC_SYS_VM,
    PROC_DROP_CACHES,
    PROC_PID_DIR,
    PROC_PID_STAT,
    PROC_PID_STATM,
    PROC_PID_STATUS,
    PROC_PID_CMDLINE,
    PROC_PID_COMM,
    PROC_PID_MAPS,
    PROC_PID_EXE,
    PROC_PID_CWD,
    PROC_PID_ROOT,
    PROC_PID_MOUNTS,
    PROC_PID_FD_DIR,
    PROC_FD
};
#define PROC_ID(node, pid)  ((u64)(node) | (u64)(pid) << 16)
#define PROC_NODE(id)       ((enum proc_node)((id)&0xffff))
#define PROC_PID(id)        ((u32)((id) >> 16 & 0xffffff))
#define PROC_FD_ID(pid, fd) (PROC_ID(PROC_FD, pid) | (u64)(fd) << 40)
#define PROC_FD_NR(id)      ((id) >> 40)

/* "proc" or "dev" in the root directory. */
bool virtual_mount(const char *name, u32 bytes, struct node *found);
static inline bool virtual_is_top(const struct node *n) {
    return !n->id && n->fs != FS_DISK;
}
err virtual_lookup(const struct tasks *t, const struct node *dir, const char *name, u32 bytes,
                   struct node *found) must_check;
/* p: who asks ("self"). to: PATH_BYTES_MAX bytes. */
err virtual_readlink(const struct tasks *t, const struct process *p, const struct node *link,
                     char *to) must_check;
/* Entry number `position` of a directory: its name (of at most NAME_BYTES_MAX bytes) and node. False: no
 * more. */
bool virtual_entry(const struct tasks *t, const struct node *dir, u64 position, char *name,
                   struct node *entry, u64 *next);

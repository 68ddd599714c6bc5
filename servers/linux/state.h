/* SPDX-License-Identifier: MIT */
/* The server's state, one structure, and what the parts of the shell call of each other. */
#pragma once

#include <ipc/slab.h>
#include "file.h"

#define WORKERS 8 /* threads of this server */

struct tty {
    u32 session, group;                   /* whose terminal; the foreground group. 0: none */
    struct wait_queue readable, writable; /* also of the channels of command mode */
};

struct state {
    struct tasks tasks;
    struct wait_queue run; /* kept calls whose handlers are to run again */
    struct timers timers;
    struct wait_queue pollers; /* tasks in poll, select and the like: woken by every change */
    struct wait_queue futexes;
    struct wait_queue asleep; /* nothing but time or a signal wakes these */
    struct wait_queue jobs;   /* calls that may wait for the disk, while too few workers are idle */
    u32 waiting_workers;      /* in a handler that may wait for the disk */
    struct tty tty;
    struct node root; /* of the disk; mode 0: no disk */
    struct kmem_cache *task_cache, *process_cache, *mm_cache, *files_cache, *fs_cache, *sighand_cache,
        *filp_cache, *sigqueue_cache, *pipe_cache;
    u64 first_program_tsc; /* when the first program was started */
    u64 calls, unknown_calls;
    u64 unknown_seen[SYSCALLS_LINUX / 64];
    u64 next_inode; /* of pipes */
    u64 random;
    u64 forks;
};
extern struct state state;

/* thread.c: memory descriptors, tasks. */
struct mm *mm_create(void); /* a new, empty one, one user. NULL: no memory */
/* A copy, one user. NULL, and in *why -E_NOMEM, or -E_AGAIN if there are too many. May wait. */
struct mm *mm_fork(struct mm *from, err *why);
/* One user less; the last one takes it down, and p (may be NULL) has had its faults. May wait. */
void mm_put(struct mm *mm, struct process *p);
/* A new task (not entered) with its thread object in mm (whose users are not counted here). NULL: no
 * memory. */
struct task *task_create(struct mm *mm, u32 tid);
/* The end of a task; busy ones end when their handler is done. */
void task_kill(struct task *t);
/* At once: not busy any more. */
void task_bury(struct task *t);
/* Drops what the task waits for. */
void task_drop_waits(struct task *t);
struct process *process_create(u32 pid);
void process_free(struct process *p);
void sigpending_release(struct sigpending *p);
void files_put(struct files *t);
void fs_put(struct fs *fs);
void sighand_put(struct sighand *h);
void exec_image_free(struct exec_image *image);

/* exit.c */
void process_exit(struct process *p, u32 status);
void process_finish(struct process *p);
/* p's parent is to know that it ended, stopped or went on (code: CLD_xxx). */
void notify_parent(struct process *p, int code, u32 status);
void process_reap(struct process *p);
/* Process 1 has been sent a signal. */
void init_obey(int signal);

/* exec.c: a new program in p's place (task: p's only or first task, its thread object is replaced). */
err exec_start(struct task *t, struct args *a, struct path_walk *w) must_check;

/* send.c, deliver.c */
/* A SIGALRM has been taken: an alarm with an interval begins again only now, as Linux has it, so that the
 * shortest one cannot keep this server busy. */
void alarm_taken(struct process *p);
bool signal_is_pending(const struct task *t);
void signal_task(struct task *t, int signal, const struct linux_siginfo *info);
void signal_process(struct process *p, int signal, const struct linux_siginfo *info);
void signal_group(u32 pgid, int signal, const struct linux_siginfo *info);
void signal_force(struct task *t, int signal, const struct linux_siginfo *info);
extern const struct linux_siginfo
    no_such_address; /* SIGSEGV's for a handler or a return beyond user memory */
void signal_discard(struct process *p, sigset set);
void signal_recheck(struct task *t); /* the blocked set has changed */
i64 deliver(struct call *k);
/* All that is to be done before a task's next user instruction. */
i64 resume(struct call *k);

/* dispatch.c */
void complete(struct call *k, i64 result);    /* a call or exception whose right to answer was kept */
void answer_kept(struct task *t, i64 result); /* a call that waits, without its handler's running again */
void wake(struct wait_queue *q);              /* and the pollers */
void task_wait_wake(struct task *t);
void call_timer_expired(struct timer *t);

/* vfs.c: paths. May wait. */
struct path_walk *walk_buffer(void);
/* Copies a path from the program and walks it; dirfd as Linux. */
i64 walk_user(struct call *k, i64 dirfd, u64 path, u32 flags, bool *last_missing);
/* The path in w->name, from the process's directory. */
err walk_from(struct process *p, struct path_walk *w, u32 flags, bool *last_missing);
void node_get(const struct node *n);
void node_put(const struct node *n);
char *string_copy(const char *s);
i64 node_readlink(struct process *p, const struct node *link, char *to); /* to: PATH_BYTES_MAX bytes */

/* sys_futex.c: wakes at most that many who wait for a word of mm; how many. */
u32 futex_wake(const struct mm *mm, u64 address, u32 most);

/* objects.c: which objects are mapped, and by what name. */
/* Before region.mmap: takes a reference, or over one of the caller's (unless it fails). */
enum object_source { OBJECT_SHARED_OURS, OBJECT_FILE_OURS, OBJECT_FILE };
err object_map(u64 object, const char *path, u64 inode, enum object_source source);
void object_mapped(u64 object, bool first);
void object_unmapped(const u64 *released, u64 n);
/* The same for those that region could not name in an answer. May wait. */
void objects_released(void);
struct object_name {
    const char *path;
    u64 inode;
    bool on_disk;
};
struct object_name object_name(u64 object);

/* sys_resident.c: mmap's last part, if its pages are to be present: the address, or (with verdict FAULTING)
 * the call comes again and is to go on with mmap_populate_on. */
i64 mmap_populate(struct call *k, u64 address);
i64 mmap_populate_on(struct call *k);
/* The same for a brk that has succeeded; k->progress is the page to go on with. */
i64 heap_populate(struct call *k, u64 from);

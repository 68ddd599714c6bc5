/* SPDX-License-Identifier: MIT */
/* Tasks (threads), processes, groups, sessions: the tables and the tree. The functions here are pure over
 * <ipc/slab.h>; what is done to kernel objects is in thread.c, fork.c, exec.c, exit.c.
 *
 * A task's number is its tag in all messages and its place in the table of tasks. A process is a group of
 * tasks; its number is that of its first. States of a process:
 *
 *   ALIVE --exit--> EXITING --last task gone--> ZOMBIE --waited for--> (freed)
 *     |  ^
 *   stop continue      (a flag of ALIVE: `stopped`)
 */
#pragma once

#include <abi/fault.h>
#include <abi/types.h>
#include <ipc/queue.h>

#include "args.h"
#include "files.h"
#include "path.h"
#include "signals.h"
#include "waitqueue.h"

#define PID_LIMIT  4096u /* numbers 1 .. PID_LIMIT - 1; also the most tasks at a time */
#define COMM_BYTES 16

/* A program's memory, as far as linux knows it. Shared after vfork. */
struct mm {
    u32 users;                       /* processes */
    u32 number;                      /* region's, and the badge of its messages */
    u32 space;                       /* slot: COPY, CONTROL */
    u64 arg_start, arg_end, env_end; /* for /proc/PID/cmdline */
    char *exe;                       /* path, of kmalloc; NULL: none */
    bool lock_future;                /* mlockall(MCL_FUTURE) */
};

struct fs {
    u32 refs;
    u32 umask;
    struct node cwd; /* a reference */
    char *cwd_path;  /* canonical, of kmalloc */
};

/* A call that waits for its answer: what its handler needs to be run again. */
struct kept_call {
    u32 reply; /* slot; 0: none is kept */
    u16 number;
    u64 progress;
    u64 w[6];
};

enum task_restart {
    RESTART_NONE,
    RESTART_CALL,  /* sent again unless a handler without SA_RESTART runs */
    RESTART_NOHAND /* sent again only if no handler runs */
};

/* What is written into a program's memory before its first instruction. */
struct exec_write {
    u64 address, bytes;
    const char *from; /* NULL: zeroes */
};
#define EXEC_WRITES_MAX 9
struct exec_image {
    struct stack_image stack;
    struct exec_write write[EXEC_WRITES_MAX];
    u32 writes;
};

struct task {
    u32 tid;
    u32 thread;        /* slot of the thread object; 0: none */
    pfn frame;         /* where that object lives */
    bool busy;         /* a worker runs a handler for it */
    bool ending;       /* killed while busy: the worker buries it */
    bool restore_mask; /* saved_mask is to be put back after the next delivery */
    u8 restart;        /* enum task_restart, of the call just answered -EINTR */
    u16 restart_number;
    struct process *process;
    TAILQ_ENTRY(task) sibling; /* in the process's list */
    struct waiter waiter;
    struct timer timer; /* of a waiting call with a time limit */
    struct kept_call call;
    u32 stopped_reply; /* the exception that waits for SIGCONT; 0: none */
    sigset blocked, saved_mask;
    sigset awaited; /* by rt_sigtimedwait */
    struct sigpending pending;
    struct linux_stack altstack;
    u64 set_child_tid, clear_child_tid; /* addresses; 0: none. set: until it has been written */
    struct exec_image *image;           /* until it has been written */
    u64 futex;                          /* address waited on */
    u64 turn;                           /* when a long call began, or went on after a pause (TSC) */
    char comm[COMM_BYTES];
};

/* Faults: those that waited for the disk are major. */
struct fault_counts {
    u64 minor, major;
};

enum process_state { PROCESS_ALIVE, PROCESS_EXITING, PROCESS_ZOMBIE };

struct process {
    u32 pid;
    u32 pgid, sid;
    u8 state; /* enum process_state */
    bool stopped, stop_reported, continued;
    bool execed;    /* since its fork */
    u8 exit_signal; /* sent to the parent; 0: none */
    i8 nice;        /* told, and without effect: programs take turns alike */
    u32 status;     /* as wait4 tells it; valid when EXITING or later */
    u32 stop_signal;
    struct process *parent;
    TAILQ_ENTRY(process) all;
    TAILQ_ENTRY(process) sibling; /* in the parent's children */
    TAILQ_HEAD(process_list, process) children;
    TAILQ_HEAD(task_list, task) tasks;
    u32 task_count;
    struct mm *mm;
    struct files *files;
    struct fs *fs;
    struct sighand *sighand;
    struct sigpending pending;          /* of the whole process */
    struct wait_queue children_changed; /* tasks in wait4 */
    struct wait_queue vfork_done;       /* the parent of a vfork */
    bool vfork;                         /* it uses its parent's memory until exec or exit */
    struct timer alarm;
    u64 alarm_interval, alarm_due; /* ticks; 0: once; when it comes, or came last */
    struct rlimit64 rlimit[RLIMITS];
    struct fault_counts faults;       /* of the descriptors that it had before its present one */
    struct fault_counts child_faults; /* of children that were waited for, and of theirs */
    u64 start_tsc;
};

struct tasks {
    struct task *task[PID_LIMIT];
    u32 last; /* number given last */
    u32 count;
    TAILQ_HEAD(, process) processes;
    struct process *init;  /* number 1: nobody's program, see task.c:init_enter */
    struct process *first; /* the shell: the run ends with it */
};

void tasks_init(struct tasks *t);
static inline struct task *task_find(const struct tasks *t, u64 tid) {
    return tid < PID_LIMIT ? t->task[tid] : NULL;
}
/* The process of that number; zombies too. NULL: none. */
struct process *process_find(const struct tasks *t, u64 pid);
/* A number that is no task, process, group or session: the next after the last one given. 0: none. */
u32 pid_alloc(struct tasks *t);
/* Enters process 1: it has neither tasks nor memory, orphans become its children, and what it is sent goes to
 * init_obey (exit.c). */
void init_enter(struct tasks *t, struct process *p);
/* Enters an initialised process with its parent, or a task with its process. */
void process_enter(struct tasks *t, struct process *p, struct process *parent);
void task_enter(struct tasks *t, struct task *task, struct process *p);
/* Takes a task out of its process and of the table (but a process keeps its number until it is reaped). */
void task_leave(struct tasks *t, struct task *task);
/* The children of one that ends go to init. */
void process_orphan(struct tasks *t, struct process *p);
/* Takes a zombie out of all lists; the caller frees it. */
void process_leave(struct tasks *t, struct process *p);

/* The choice of wait4 and waitid among p's children: which > 0: that pid, -1: any, 0: the caller's group,
 * < -1: group -which. options: WEXITED, WUNTRACED, WCONTINUED say what is waited for. */
enum wait_verdict { WAIT_NO_CHILD, WAIT_NONE_YET, WAIT_FOUND };
enum wait_verdict wait_select(const struct process *p, i64 which, u32 options, struct process **child,
                              u32 *status);
/* Is there a process of that group in that session (sid 0: any)? */
bool group_exists(const struct tasks *t, u32 pgid, u32 sid);
/* setpgid's rules. 0 or -E_SRCH, -E_PERM, -E_ACCES, -E_INVAL; on success the group is changed. */
err process_setpgid(struct tasks *t, struct process *caller, u64 pid, u64 pgid) must_check;
/* setsid: the new session, or -E_PERM. */
err process_setsid(struct tasks *t, struct process *p) must_check;

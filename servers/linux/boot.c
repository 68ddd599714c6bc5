/* SPDX-License-Identifier: MIT */
/* From nothing to the first program. */
#include "boot.h"

#include <string.h>

#include <abi/layout.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <proto/cache.def>
#include <proto/console.def>
#include <proto/region.def>

#include "kern.h"
#include "state.h"

struct state state;

static err make_caches(void) {
    const struct {
        struct kmem_cache **cache;
        const char *name;
        u64 size;
    } make[] = {{&state.task_cache, "task_struct", sizeof(struct task)},
                {&state.process_cache, "signal_cache", sizeof(struct process)},
                {&state.mm_cache, "linux_mm", sizeof(struct mm)},
                {&state.files_cache, "files_cache", sizeof(struct files)},
                {&state.fs_cache, "fs_cache", sizeof(struct fs)},
                {&state.sighand_cache, "sighand_cache", sizeof(struct sighand)},
                {&state.filp_cache, "filp", sizeof(struct file)},
                {&state.sigqueue_cache, "sigqueue", sizeof(struct sigqueue)},
                {&state.pipe_cache, "pipe", sizeof(struct pipe)}};
    for (u32 i = 0; i < ARRAY_LEN(make); i++) {
        *make[i].cache = kmem_cache_create(make[i].name, make[i].size, 0, 0, NULL, NULL);
        if (!*make[i].cache)
            return -E_NOMEM;
    }
    return 0;
}

static void init_state(void) {
    tasks_init(&state.tasks);
    timers_init(&state.timers);
    struct wait_queue *const queue[] = {&state.run,  &state.pollers,      &state.futexes,     &state.asleep,
                                        &state.jobs, &state.tty.readable, &state.tty.writable};
    for (u32 i = 0; i < ARRAY_LEN(queue); i++)
        wait_queue_init(queue[i]);
    state.random = kern_tsc();
}

static err mount_root(void) {
    struct cache_mount_rep rep;
    err e = cache_mount(SERVICE(SRV_CACHE), &(struct cache_mount_req){0}, 0, &rep);
    if (e < 0)
        log_raw("quire: fail: no root file system: %s", err_name(e));
    else
        state.root = (struct node){FS_DISK, S_IFDIR | 0755, rep.root, 0, 0};
    return e < 0 ? e : 0;
}

static err attach(u64 *mode) {
    struct console_attach_rep console = {0};
    struct region_attach_rep region;
    ipc_next_send_cap(SLOT_ENDPOINT);
    err e = region_attach(SERVICE(SRV_REGION), &(struct region_attach_req){0}, &region);
    if (e >= 0)
        e = console_attach(SERVICE(SRV_CONSOLE), &(struct console_attach_req){0}, &console);
    *mode = console.mode;
    return e < 0 ? e : 0;
}

/* 0, 1 and 2: the terminal, or the host's three streams. */
static err open_streams(struct process *p, bool tty) {
    for (u32 fd = 0; fd < 3; fd++) {
        static const char *const names[3] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
        u32 flags = tty ? O_RDWR : fd ? O_WRONLY : 0;
        struct file *f =
            tty_open(tty ? CHANNEL_TTY : CHANNEL_STDIN + fd, tty ? "/dev/tty" : names[fd], flags);
        err e = f ? files_add(p->files, f, 0, FILES_MAX, false) : -E_NOMEM;
        if (e < 0)
            return e;
    }
    return 0;
}

static void set_limits(struct process *p) {
    for (u32 i = 0; i < RLIMITS; i++)
        p->rlimit[i] = (struct rlimit64){RLIM_INFINITY, RLIM_INFINITY};
    p->rlimit[RLIMIT_STACK].now = 8ull << 20;
    p->rlimit[RLIMIT_CORE].now = 0;
    p->rlimit[RLIMIT_NOFILE] = (struct rlimit64){FILES_MAX, FILES_MAX};
    p->rlimit[RLIMIT_NPROC] = (struct rlimit64){PID_LIMIT, PID_LIMIT};
}

static bool make_init(void) {
    struct process *p = process_create(pid_alloc(&state.tasks));
    if (!p)
        return false;
    set_limits(p);
    init_enter(&state.tasks, p);
    return true;
}

static struct process *make_first(bool tty) {
    struct process *p = process_create(pid_alloc(&state.tasks));
    struct task *t = kmem_cache_alloc(state.task_cache, GFP_KERNEL);
    if (!p || !t)
        return NULL;
    p->files = kmem_cache_alloc(state.files_cache, GFP_KERNEL);
    p->fs = kmem_cache_alloc(state.fs_cache, GFP_KERNEL);
    p->sighand = kmem_cache_alloc(state.sighand_cache, GFP_KERNEL);
    if (!p->files || !p->fs || !p->sighand || files_init(p->files) < 0)
        return NULL;
    *p->fs = (struct fs){.refs = 1, .umask = 022, .cwd = state.root, .cwd_path = string_copy("/")};
    node_get(&p->fs->cwd);
    *p->sighand = (struct sighand){.refs = 1};
    p->pgid = p->sid = p->pid;
    set_limits(p);
    process_enter(&state.tasks, p, state.tasks.init);
    state.tasks.first = p;
    *t = (struct task){.tid = p->pid, .altstack.flags = SS_DISABLE, .timer.expired = call_timer_expired};
    task_enter(&state.tasks, t, p);
    if (tty)
        state.tty.session = state.tty.group = p->pid;
    return p->fs->cwd_path && open_streams(p, tty) >= 0 ? p : NULL;
}

static err make_args(struct args *a, const char *command, bool tty) {
    const char *const tail[] = {command ? "-c" : NULL, command};
    const char *const env[] = {"PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/root", "PWD=/",
                               tty ? "TERM=vt102" : "TERM=dumb"};
    err e = args_add(a, command ? "/bin/sh" : "-sh", false);
    for (u32 i = 0; i < ARRAY_LEN(tail) && e >= 0 && tail[i]; i++)
        e = args_add(a, tail[i], false);
    for (u32 i = 0; i < ARRAY_LEN(env) && e >= 0; i++)
        e = args_add(a, env[i], true);
    return e;
}

static err start_first(const char *command, bool tty) {
    struct path_walk *w = walk_buffer();
    struct args a;
    struct process *p = make_init() ? make_first(tty) : NULL;
    if (!p)
        return -E_NOMEM;
    args_init(&a);
    err e = make_args(&a, command, tty);
    strcpy(w->name, "/bin/sh");
    if (e >= 0)
        e = exec_start(TAILQ_FIRST(&p->tasks), &a, w);
    args_release(&a);
    state.first_program_tsc = kern_tsc();
    if (e < 0)
        log_raw("quire: fail: /bin/sh cannot be started: %s", err_name(e));
    return e;
}

err boot(const char *command) {
    u64 mode = CONSOLE_MODE_TTY;
    init_state();
    err e = make_caches();
    if (!e)
        e = attach(&mode);
    if (!e)
        e = mount_root();
    else
        log_raw("quire: fail: linux cannot start: %s", err_name(e));
    bool tty = mode == CONSOLE_MODE_TTY;
    return e ? e : start_first(tty ? NULL : command ? command : ":", tty);
}

void console_changed(void) {
    struct console_signals_rep rep;
    err e = console_signals(SERVICE(SRV_CONSOLE), &(struct console_signals_req){0}, &rep);
    wake(&state.tty.readable);
    wake(&state.tty.writable);
    if (e < 0 || !state.tty.group)
        return;
    static const int typed[] = {SIGINT, SIGQUIT, SIGTSTP};
    struct linux_siginfo info = {.code = SI_KERNEL};
    for (u32 i = 0; i < ARRAY_LEN(typed); i++) {
        if (rep.signals >> typed[i] & 1)
            signal_group(state.tty.group, typed[i], &info);
    }
}

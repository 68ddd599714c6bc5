/* SPDX-License-Identifier: MIT */
#include "proc_text.h"

#include <string.h>

#include <abi/layout.h>
#include <ipc/fmt.h>
#include <ipc/server.h>
#include <proto/cache.def>
#include <proto/frame.def>
#include <proto/region.def>
#include <proto/slab.def>

#include "clock.h"
#include "kern.h"
#include "proc_frames.h"
#include "proc_slabs.h"
#include "state.h"
#include "usage.h"
#include "virtual.h"

typedef unsigned long long ull;
#define KIB(pages) ((ull)(pages)*4)

static struct frame_memory_rep frames(void) {
    struct frame_memory_rep m = {0};
    err e = frame_memory(SERVICE(SRV_FRAME), &(struct frame_memory_req){0}, &m);
    (void)e; /* zeroes then */
    return m;
}

static struct cache_memory_rep cached(void) {
    struct cache_memory_rep m = {0};
    err e = cache_memory(SERVICE(SRV_CACHE), &(struct cache_memory_req){0}, &m);
    (void)e;
    return m;
}

static void meminfo(struct text *t) {
    struct frame_memory_rep f = frames();
    struct cache_memory_rep c = cached();
    struct region_stat r = memory_of(0);
    u64 slabs = slab_pages(), file = c.cached > c.mapped + c.shmem ? c.cached - c.mapped - c.shmem : 0;
    u64 available = f.free - MIN(f.min, f.free) + file + c.buffers; /* programs get none below min */
    const struct {
        const char *name;
        u64 pages;
    } row[] = {{"MemTotal", f.total},
               {"MemFree", f.free},
               {"MemAvailable", MIN(available, f.total)},
               {"Buffers", c.buffers},
               {"Cached", c.cached},
               {"SwapCached", 0},
               {"SwapTotal", 0},
               {"SwapFree", 0},
               {"Dirty", c.dirty},
               {"AnonPages", r.anonymous_pages},
               {"Mapped", c.mapped},
               {"Shmem", c.shmem},
               {"Slab", slabs},
               {"SReclaimable", 0},
               {"SUnreclaim", slabs},
               {"PageTables", r.table_pages},
               {"Magazines", f.magazines}};
    for (u32 i = 0; i < ARRAY_LEN(row); i++) {
        char name[20];
        fmt_snprintf(name, sizeof name, "%s:", row[i].name);
        text_printf(t, "%-15s %8llu kB\n", name, KIB(row[i].pages));
    }
}

static char letter_of(const struct process *p) {
    const struct task *t = TAILQ_FIRST(&p->tasks);
    if (p->state != PROCESS_ALIVE)
        return 'Z';
    if (p->stopped)
        return 'T';
    return !t || t->call.reply ? 'S' : 'R';
}

static u32 parent_of(const struct process *p) {
    return p->parent ? p->parent->pid : 0; /* process 1 has none */
}

static const char *name_of(const struct process *p, const struct task *task) {
    return task ? task->comm : p == state.tasks.init ? "init" : "";
}

static u32 counted(char letter) {
    const struct process *p;
    u32 n = 0;
    TAILQ_FOREACH(p, &state.tasks.processes, all)
    n += letter_of(p) == letter;
    return n;
}

static void stat_of_system(struct text *t) {
    struct timespec64 up = clock_monotonic();
    ull ticks = (ull)up.sec * 100 + (ull)up.nsec / 10000000;
    text_printf(t, "cpu  %llu 0 0 0 0 0 0 0 0 0\ncpu0 %llu 0 0 0 0 0 0 0 0 0\n", ticks, ticks);
    text_printf(t, "intr 0\nctxt %llu\nbtime %llu\n", (ull)kern_switches(), (ull)kern_boot_seconds());
    text_printf(t, "processes %llu\nprocs_running %u\nprocs_blocked 0\n", (ull)state.forks, counted('R'));
}

static void vmstat(struct text *t) {
    struct cache_memory_rep c = cached();
    struct region_stat r = memory_of(0);
    text_printf(t, "nr_free_pages %llu\nnr_mapped %llu\nnr_file_pages %llu\nnr_anon_pages %llu\n",
                (ull)frames().free, (ull)c.mapped, (ull)c.cached, (ull)r.anonymous_pages);
    text_printf(t, "pgpgin %llu\npgpgout 0\npswpin 0\npswpout 0\npgfault %llu\npgmajfault %llu\n",
                KIB(c.pages_in), (ull)r.faults, (ull)fault_counts(r.faults, r.fault_key).major);
}

static void cpuinfo(struct text *t) {
    text_printf(t,
                "processor\t: 0\nvendor_id\t: QEMU\nmodel name\t: x86-64 under QEMU\ncpu MHz\t\t: %llu.000\n"
                "flags\t\t: fpu tsc cx8 cmov mmx fxsr sse sse2 syscall nx lm\n\n",
                (ull)kern_tsc_per_ms() / 1000);
}

static void counters(struct text *t) {
    text_printf(t, "calls %llu\nunknown_calls %llu\nforks %llu\ntasks %u\nswitches %llu\nboot_ticks %llu\n",
                (ull)state.calls, (ull)state.unknown_calls, (ull)state.forks, state.tasks.count,
                (ull)kern_switches(), (ull)state.first_program_tsc);
}

static void pid_stat(struct text *t, const struct process *p, const struct task *task, struct region_stat r) {
    struct fault_counts f = p->faults;
    if (p->mm)
        fault_counts_add(&f, fault_counts(r.faults, r.fault_key));
    ull start = (kern_tsc() > p->start_tsc ? (p->start_tsc - kern_boot_tsc()) : 0) / (kern_tsc_per_ms() * 10);
    text_printf(t, "%u (%s) %c %u %u %u 1024 %i 0 ", p->pid, name_of(p, task), letter_of(p), parent_of(p),
                p->pgid, p->sid, state.tty.group ? (i32)state.tty.group : -1);
    text_printf(t, "%llu %llu %llu %llu 0 0 0 0 %i %i %u 0 %llu %llu %llu ", (ull)f.minor,
                (ull)p->child_faults.minor, (ull)f.major, (ull)p->child_faults.major, 20 + p->nice, p->nice,
                p->task_count, start, (ull)r.total_pages * PAGE_BYTES, (ull)r.rss_pages);
    text_printf(
        t, "18446744073709551615 0 0 0 0 0 %llu %llu 0 %llu 0 0 0 17 0 0 0 0 0 0 0 0 0 %llu %llu 0 0 %u\n",
        (ull)(p->pending.set & 0x7fffffff), task ? (ull)(task->blocked & 0x7fffffff) : 0, 0ull,
        p->mm ? (ull)p->mm->arg_start : 0, p->mm ? (ull)p->mm->arg_end : 0, p->status);
}

static void pid_status(struct text *t, const struct process *p, const struct task *task,
                       struct region_stat r) {
    static const char *const names[128] = {
        ['R'] = "R (running)", ['S'] = "S (sleeping)", ['T'] = "T (stopped)", ['Z'] = "Z (zombie)"};
    text_printf(t, "Name:\t%s\nState:\t%s\nTgid:\t%u\nPid:\t%u\nPPid:\t%u\n", name_of(p, task),
                names[(u8)letter_of(p) & 127], p->pid, p->pid, parent_of(p));
    text_printf(t, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
    text_printf(t,
                "VmSize:\t%8llu kB\nVmLck:\t%8llu kB\nVmRSS:\t%8llu kB\nVmData:\t%8llu kB\nVmStk:\t%8llu "
                "kB\nVmExe:\t%8llu kB\n",
                KIB(r.total_pages), KIB(r.locked_pages), KIB(r.rss_pages), KIB(r.data_pages),
                KIB(r.stack_pages), KIB(r.text_pages));
    text_printf(t, "VmPTE:\t%8llu kB\nThreads:\t%u\n", KIB(r.table_pages), p->task_count);
}

static void pid_statm(struct text *t, struct region_stat r) {
    text_printf(t, "%llu %llu %llu %llu 0 %llu 0\n", (ull)r.total_pages, (ull)r.rss_pages,
                (ull)r.shared_pages, (ull)r.text_pages, (ull)(r.data_pages + r.stack_pages));
}

/* The strings as the program may have changed them meanwhile. */
static void pid_cmdline(struct text *t, const struct process *p) {
    char bytes[256];
    u64 stopped;
    for (u64 at = p->mm ? p->mm->arg_start : 0; p->mm && at < p->mm->arg_end;) {
        u64 n = MIN(p->mm->arg_end - at, sizeof bytes);
        if (kern_copy_in(p->mm->space, bytes, at, n, &stopped) < n)
            break;
        text_add(t, bytes, n);
        at += n;
    }
}

static void one_map(struct text *t, const struct region_map *m) {
    char line[128];
    u64 name = m->flags >> 16;
    struct object_name of = m->object ? object_name(m->object) : (struct object_name){.path = ""};
    int n = (int)fmt_snprintf(
        line, sizeof line, "%08llx-%08llx %c%c%c%c %08llx %s %llu ", (ull)m->start, (ull)m->end,
        m->flags & PROT_READ ? 'r' : '-', m->flags & PROT_WRITE ? 'w' : '-', m->flags & PROT_EXEC ? 'x' : '-',
        m->flags >> 8 & MAP_SHARED ? 's' : 'p', m->object ? (ull)(m->index * PAGE_BYTES) : 0,
        of.on_disk  ? "03:00"
        : m->object ? "00:01"
                    : "00:00",
        (ull)of.inode);
    const char *what = name == REGION_HEAP ? "[heap]" : name == REGION_STACK ? "[stack]" : of.path;
    text_add(t, line, (u64)n);
    for (; *what && n < 73; n++)
        text_add(t, " ", 1);
    text_add(t, what, strlen(what));
    text_add(t, "\n", 1);
}

static void pid_maps(struct text *t, u64 mm) {
    struct region_map map[MSG_TAIL_BYTES / sizeof(struct region_map)];
    struct region_maps_rep rep = {0};
    vaddr from = 0;
    do {
        if (!mm || region_maps(SERVICE(SRV_REGION), &(struct region_maps_req){mm, from}, 0, &rep) < 0)
            return;
        u64 n = MIN(rep.count, ARRAY_LEN(map));
        memcpy(map, ipc_tail(), n * sizeof *map);
        for (u64 i = 0; i < n; i++)
            one_map(t, &map[i]);
        from = rep.next;
    } while (from);
}

static void loadavg(struct text *t) {
    text_printf(t, "0.00 0.00 0.00 %u/%u %u\n", MAX(counted('R'), 1u), state.tasks.count, state.tasks.last);
}

static void uptime(struct text *t) {
    struct timespec64 up = clock_monotonic();
    text_printf(t, "%llu.%02llu 0.00\n", (ull)up.sec, (ull)up.nsec / 10000000);
}

static bool system_text(struct text *t, enum proc_node node) {
    switch (node) {
    case PROC_MEMINFO:
        return meminfo(t), true;
    case PROC_PID_MOUNTS:
    case PROC_MOUNTS:
        text_printf(t, "/dev/root / ext2 ro 0 0\nproc /proc proc rw 0 0\ndev /dev devtmpfs rw 0 0\n");
        return true;
    case PROC_UPTIME:
        return uptime(t), true;
    case PROC_LOADAVG:
        return loadavg(t), true;
    case PROC_VERSION:
        text_printf(t, "Linux version %s (Quire)\n", LINUX_RELEASE);
        return true;
    case PROC_CPUINFO:
        return cpuinfo(t), true;
    case PROC_SLABINFO:
        return proc_slabinfo(t), true;
    case PROC_STAT:
        return stat_of_system(t), true;
    case PROC_VMSTAT:
        return vmstat(t), true;
    case PROC_BUDDYINFO:
        return proc_buddyinfo(t), true;
    case PROC_ZONEINFO:
        return proc_zoneinfo(t), true;
    case PROC_QUIRE_FRAMES:
        return proc_frames(t), true;
    case PROC_QUIRE_SLABS:
        return proc_slabs(t), true;
    case PROC_FILESYSTEMS:
        text_printf(t, "nodev\tproc\nnodev\tdevtmpfs\n\text2\n");
        return true;
    case PROC_QUIRE_COUNTERS:
        return counters(t), true;
    default:
        return false;
    }
}

static err process_text(struct text *t, enum proc_node node, u64 pid) {
    const struct process *p = process_find(&state.tasks, pid);
    u32 mm = p && p->mm ? p->mm->number : 0;
    struct region_stat r = mm ? memory_of(mm) : (struct region_stat){0};
    p = process_find(&state.tasks, pid); /* it may have gone meanwhile */
    if (!p)
        return -E_NOENT;
    const struct task *task = TAILQ_FIRST(&p->tasks);
    switch (node) {
    case PROC_PID_STAT:
        return pid_stat(t, p, task, r), 0;
    case PROC_PID_STATM:
        return pid_statm(t, r), 0;
    case PROC_PID_STATUS:
        return pid_status(t, p, task, r), 0;
    case PROC_PID_CMDLINE:
        return pid_cmdline(t, p), 0;
    case PROC_PID_COMM:
        return text_printf(t, "%s\n", name_of(p, task)), 0;
    case PROC_PID_MAPS:
        return pid_maps(t, mm), 0;
    default:
        return -E_INVAL;
    }
}

err proc_text(struct text *t, u64 id) {
    if (!system_text(t, PROC_NODE(id))) {
        err e = process_text(t, PROC_NODE(id), PROC_PID(id));
        if (e < 0)
            return e;
    }
    return t->failed && !t->n ? -E_NOMEM : 0;
}

void drop_caches(u64 what) {
    err e = 0;
    if (what & 1)
        e = cache_drop(SERVICE(SRV_CACHE), &(struct cache_drop_req){what}, &(struct cache_drop_rep){0});
    if (what & 2)
        e = slab_shrink(SERVICE(SRV_SLAB), &(struct slab_shrink_req){0}, &(struct slab_shrink_rep){0});
    e = frame_drain(SERVICE(SRV_FRAME), &(struct frame_drain_req){0}, &(struct frame_drain_rep){0});
    (void)e; /* what could not be given back stays where it is */
    kern_drain();
}

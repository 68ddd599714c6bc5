/* SPDX-License-Identifier: MIT */
/* What memory a process uses, and how many faults it and its children have had. region counts faults by
 * memory descriptor, and cache those of them that waited for the disk; a process may have had several
 * descriptors, as each exec makes a new one, so what the earlier ones had is kept in it. */
#include "usage.h"

#include <string.h>

#include <abi/layout.h>
#include <ipc/server.h>
#include <proto/cache.def>
#include <proto/region.def>

#include "sys.h"

struct rusage {
    u64 user[2], system[2]; /* CPU times: not counted */
    u64 maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd, msgrcv, nsignals, nvcsw,
        nivcsw;
};
_Static_assert(sizeof(struct rusage) == 144 && offsetof(struct rusage, minflt) == 64, "Linux's");

enum { RUSAGE_SELF = 0, RUSAGE_CHILDREN = -1, RUSAGE_THREAD = 1 };

struct region_stat memory_of(u64 mm) {
    struct region_stat_rep rep;
    struct region_stat st = {0};
    if (region_stat(SERVICE(SRV_REGION), &(struct region_stat_req){mm}, 0, &rep) >= 0)
        memcpy(&st, ipc_tail(), sizeof st);
    return st;
}

struct fault_counts fault_counts(u64 faults, u64 key) {
    struct cache_waits_rep rep = {0};
    err e = cache_waits(SERVICE(SRV_CACHE), &(struct cache_waits_req){key}, &rep);
    u64 major = e < 0 ? 0 : MIN(rep.faults, faults);
    return (struct fault_counts){faults - major, major};
}

void fault_counts_add(struct fault_counts *to, struct fault_counts more) {
    to->minor += more.minor;
    to->major += more.major;
}

struct fault_counts process_faults(const struct process *p) {
    struct fault_counts sum = p->faults;
    if (p->mm) {
        struct region_stat r = memory_of(p->mm->number);
        fault_counts_add(&sum, fault_counts(r.faults, r.fault_key));
    }
    return sum;
}

i64 rusage_out(struct call *k, u64 to, struct fault_counts f) {
    struct rusage usage = {.minflt = f.minor, .majflt = f.major};
    return copy_out(k, to, &usage, sizeof usage);
}

i64 linux_getrusage(struct call *k) {
    const struct process *p = k->task->process;
    switch ((i32)k->w[0]) {
    case RUSAGE_SELF:
    case RUSAGE_THREAD: /* threads are not told apart */
        return rusage_out(k, k->w[1], process_faults(p));
    case RUSAGE_CHILDREN:
        return rusage_out(k, k->w[1], p->child_faults);
    default:
        return -E_INVAL;
    }
}

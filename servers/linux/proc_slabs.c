/* SPDX-License-Identifier: MIT */
#include "proc_slabs.h"

#include <string.h>

#include <abi/layout.h>
#include <ipc/server.h>
#include <proto/slab.def>

typedef unsigned long long ull;

/* The next cache at or after *at, by name, size and geometry; false: no more. */
static bool next_info(u64 *at, struct slab_info *info) {
    struct slab_info_rep rep;
    if (slab_info(SERVICE(SRV_SLAB), &(struct slab_info_req){*at}, 0, &rep) < 0)
        return false;
    memcpy(info, ipc_tail(), sizeof *info);
    *at = rep.next;
    return true;
}

u64 slab_pages(void) {
    struct slab_info info;
    u64 pages = 0;
    for (u64 at = 0; next_info(&at, &info);)
        pages += info.slabs * info.pages_per_slab;
    return pages;
}

void proc_slabinfo(struct text *t) {
    struct slab_info info;
    text_printf(t, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> "
                   "<objperslab> <pagesperslab> "
                   ": tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> "
                   "<sharedavail>\n");
    for (u64 at = 0; next_info(&at, &info);)
        text_printf(t, "%-17s %6llu %6llu %6llu %4llu %4llu : tunables 0 0 0 : slabdata %6llu %6llu 0\n",
                    (char *)info.name, (ull)info.active_objects, (ull)info.objects, (ull)info.size,
                    (ull)info.objects_per_slab, (ull)info.pages_per_slab, (ull)info.active_slabs,
                    (ull)info.slabs);
}

void proc_slabs(struct text *t) {
    static const char *const server[SRV_COUNT] = {[SRV_REGION] = "region",
                                                  [SRV_CACHE] = "cache",
                                                  [SRV_ATA] = "ata",
                                                  [SRV_LINUX] = "linux",
                                                  [SRV_CONSOLE] = "console"};
    struct slab_stat_rep rep;
    struct slab_stat s;
    text_printf(t, "# name server size flags stride order objects left_over colours colour_bytes off_slab "
                   "slabs grown released failures taken given_back high refused\n");
    for (u64 at = 0; slab_stat(SERVICE(SRV_SLAB), &(struct slab_stat_req){at}, 0, &rep) >= 0; at = rep.next) {
        memcpy(&s, ipc_tail(), sizeof s);
        const char *who = s.client < SRV_COUNT ? server[s.client] : NULL;
        text_printf(t, "%-17s %-7s %6llu %5llx %6llu %llu %3llu %5llu %3llu %3llu %llu", (char *)s.name,
                    who ? who : "?", (ull)s.size, (ull)s.flags, (ull)s.stride, (ull)s.order,
                    (ull)s.objects_per_slab, (ull)s.left_over, (ull)s.colours, (ull)s.colour_bytes,
                    (ull)s.off_slab);
        text_printf(t, " %5llu %6llu %6llu %llu %8llu %8llu %6llu %llu\n", (ull)s.slabs, (ull)s.grown,
                    (ull)s.released, (ull)s.failures, (ull)s.taken, (ull)s.given_back, (ull)s.high,
                    (ull)s.refused);
    }
}

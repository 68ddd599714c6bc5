/* SPDX-License-Identifier: MIT */
/* Memory and faults of processes; see usage.c. */
#pragma once

#include <proto/region.def>

#include "call.h"

/* The counters of a descriptor; 0: the sums over all. Zeroes if there is none. May wait for region. */
struct region_stat memory_of(u64 mm);
/* So many faults, parted by whether they waited for the disk; key: as in struct region_stat. May wait for
 * cache. */
struct fault_counts fault_counts(u64 faults, u64 key);
void fault_counts_add(struct fault_counts *to, struct fault_counts more);
/* A process's since it was made. May wait for both. */
struct fault_counts process_faults(const struct process *p);
/* struct rusage into the program's memory; as copy_out. */
i64 rusage_out(struct call *k, u64 to, struct fault_counts f);

/* SPDX-License-Identifier: MIT */
/* The files of /proc that tell of slabs (docs/slab.md). */
#pragma once

#include "text.h"

/* Pages in slabs, of all servers. */
u64 slab_pages(void) must_check;
/* /proc/slabinfo, version 2.1: a line for each cache, with totals over servers. */
void proc_slabinfo(struct text *t);
/* /proc/quire/slabs: all that is known of each cache of each server. */
void proc_slabs(struct text *t);

/* SPDX-License-Identifier: MIT */
/* A small machine for the tests of mm/: an array is physical memory; the TLB of the space in CR3 is a table
 * that invlpg clears; notifications are counted. */
#pragma once

#include "mm/pt.h"

enum {
    WORLD_FRAMES = 640,
    FIRST_FREE = 2 /* frame 0 is reserved, frame 1 kept for the pages that tests fill by hand */
};

extern u64 notified; /* endpoint_ref_notify was called so often */
extern u64 word_area[AREA_WORDS];

/* A fresh machine: all frames but 0 and 1 are account 2's DATA with a content of their own; accounts 1, 2 and
 * 3 are open. */
void world_init(void);

/* Take an idle frame of account 2 for a new space with `tables` fed tables. */
struct space *world_space(u8 account, u64 tables);

/* The first word of a frame's page stands for its content. */
u64 content(pfn n);
void set_content(pfn n, u64 value);

/* Frame n of account 2 given to `account`. */
void own(pfn n, u8 account);

/* The processor loads the space. Then user accesses go through the TLB. */
void world_enter(struct space *s);

/* A user access in the loaded space: false if it faults. Sets the accessed and dirty bits as the processor
 * does. */
bool world_access(vaddr va, enum access access);

/* Does the TLB allow more than the page tables do, or name another frame? */
bool world_tlb_is_stale(void);

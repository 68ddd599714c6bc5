/* SPDX-License-Identifier: MIT */
/* The flat model that test_random.c compares mm/ with: one array of entries per space, one record per frame.
 * Counts, tables and pools follow from the entries, by search. */
#pragma once

#include "world.h"

enum { SPACES = 4, PAGES = 28 };
extern const vaddr pages[PAGES]; /* ascending */

struct model_frame {
    u8 account, kind, pins, flags;
    u64 content;
};

struct model {
    struct space *space;
    u8 account;
    u64 entry[PAGES];
    u64 tables; /* fed */
    struct {
        u64 entry, epoch;
    } view;            /* what the pager was shown */
    u32 view_page;     /* PAGES: no fault is open */
    bool epoch_passed; /* since the view */
};
extern struct model m[SPACES];
extern struct model_frame f[WORLD_FRAMES];

/* A repeatable sequence. */
extern u64 seed;
u64 rnd(u64 n);

/* Mappings of a frame; is it without any, and without pins, and not queued; is it the account's DATA. */
void counts(pfn n, u32 *own_count, u32 *shares);
bool idle(pfn n);
bool is_data(pfn n, u8 account);

/* Tables in the tree, the top one included; are there enough to enter page p. */
u64 tree(const struct model *x);
bool tables_for(struct model *x, u32 p);

/* Entries, as the x86-64 manual has them. */
u64 bits_of(u64 rights);
u64 entry_of(pfn n, u64 rights);

/* The entry's accessed and dirty bits go to its frame. */
void note_bits(u64 e);

/* Remove an entry: its frame is queued if its shares fell to 0 (unless it had its last mapping here and the
 * caller is told). */
void model_remove(struct model *x, u32 p, bool keep_from_queue);
void model_enter(struct model *x, u32 p, pfn n, u64 rights);

/* May the frame be mapped once more in the space? */
bool room(const struct model *x, pfn n);

/* Everything is as the model has it, the audit is content, and the TLB not stale. */
void compare(u32 step, const char *op);

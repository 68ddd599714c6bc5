/* SPDX-License-Identifier: MIT */
/* Page tables of one space: finding and making entries, counting mappings, walking a range. Inside mm/ only.
 *
 * A table in a tree counts its entries that are not zero in frame.next (the top table: those of the user
 * half); but for the top one no table in a tree is empty: the last entry's removal returns it to the pool. */
#pragma once

#include "arch/cpu.h"
#include "mm/mm.h"

#define PTE_ADDRESS        0x000ffffffffff000ull
#define PTE_TABLE          (PTE_PRESENT | PTE_WRITE | PTE_USER)
#define PTE_HARVEST        (PTE_ACCESSED | PTE_DIRTY)
#define TABLE_SLOTS        512
#define LEVELS             4 /* level 0: leaf tables; level 3: the top table */
#define LEVEL_SHIFT(level) (PAGE_SHIFT + 9 * (level))

static inline u64 *pt_table(u64 entry) {
    return phys_to_virt(entry & PTE_ADDRESS);
}

static inline u64 pt_index(vaddr va, unsigned level) {
    return va >> LEVEL_SHIFT(level) & (TABLE_SLOTS - 1);
}

/* The frame table entry of the table that holds the page-table entry. */
static inline struct frame *pt_holder(const u64 *entry) {
    return &frame_table[virt_to_frame(entry)];
}

static inline struct frame *pt_frame(u64 entry) {
    return &frame_table[PTE_FRAME(entry)];
}

/* The leaf entry of a user address; NULL if there is no table for it. */
u64 *pt_leaf(const struct space *s, vaddr va);

/* The same; makes tables from the pool. NULL if the pool is too small, and then nothing has changed. The
 * caller enters something (or calls pt_prune), so that no empty table stays. */
u64 *pt_leaf_make(struct space *s, vaddr va);

/* The leaf table of va may have become empty: return it, and the tables above that become empty by it, to the
 * pool. */
void pt_prune(struct space *s, vaddr va);

/* Flush one page if the space's tables are in CR3. */
static inline void pt_flush(const struct space *s, vaddr va) {
    if (arch_current_space() == s)
        arch_invlpg(va);
}

/* Would the rights be W and X in a space that may not hold such pages? */
static inline bool pt_breaks_wx(const struct space *s, u64 rights) {
    return (rights & MAP_WRITE) && (rights & MAP_EXEC) && !(s->flags & SPACE_WX);
}

/* PRESENT and the bits of READ, WRITE, EXEC. */
u64 pt_bits(u64 rights);

/* An entry for frame n with rights (WRITE implies MAYWRITE). */
u64 pt_entry(pfn n, u64 rights);

/* Add the entry's accessed and dirty bits to its frame. */
static inline void pt_harvest(u64 entry) {
    u8 flags = (u8)((entry & PTE_ACCESSED ? FRAME_ACCESSED : 0) | (entry & PTE_DIRTY ? FRAME_DIRTY : 0));
    frame_set(pt_frame(entry), flags);
}

/* Can one more mapping of f in s be counted? Then pt_count counts it. */
bool pt_can_count(const struct space *s, const struct frame *f);
void pt_count(const struct space *s, struct frame *f);

/* Count one mapping less; true if `shares` fell to 0 by it. */
must_check bool pt_uncount(const struct space *s, struct frame *f);

/* Writable for others from now on, or at any time: no longer known to be zero. */
static inline void pt_note_writer(u64 entry) {
    if (entry & PTE_MAYWRITE)
        frame_clear(pt_frame(entry), FRAME_ZEROED);
}

/* A walk over the entries of a range. */
struct walk {
    struct space *space;
    vaddr at, end; /* not yet visited */
    u64 *entry;    /* of `at`; NULL: the table is not yet looked up */
    u64 left;      /* entries that may still be visited, of any level */
};

/* Begin a walk of [first, first + pages); 0 or -E_INVAL (not page-aligned, not within [lo, hi)). */
must_check err walk_begin(struct walk *w, struct space *s, vaddr first, u64 pages, vaddr lo, vaddr hi);

/* The next entry that is not zero, and its address. NULL: at the end (at == end) or out of visits (at < end).
 */
u64 *walk_next(struct walk *w, vaddr *va);

/* Go on behind the current leaf table: it is gone. */
void walk_leave_table(struct walk *w);

/* How the walk ended, `next` being w->at or the address where the caller stopped it. */
static inline struct range_result walk_result(const struct walk *w, u32 records) {
    return (struct range_result){.next = (i64)w->at, .records = records, .stop = STOP_BOUND};
}

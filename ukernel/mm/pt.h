/* SPDX-License-Identifier: MIT */
/* Page tables of one space: finding and making entries, counting mappings, walking a range. For mm/, and for
 * faults.
 *
 * A table in a tree counts its entries that are not zero in frame.next (the top table: those of the user
 * half); but for the top one no table in a tree is empty: the last entry's removal returns it to the pool. */
#pragma once

#include "arch/cpu.h"
#include "arch/log.h"
#include "mm/mm.h"

#define PTE_ADDRESS        0x000ffffffffff000ull
#define PTE_TABLE          (PTE_PRESENT | PTE_WRITE | PTE_USER)
#define PTE_HARVEST        (PTE_ACCESSED | PTE_DIRTY)
#define TABLE_SLOTS        512
#define LEVELS             4 /* level 0: leaf tables; level 3: the top table */
#define LEVEL_SHIFT(level) (PAGE_SHIFT + 9 * (level))

static inline u64 *pt_table(u64 entry) {
    return phys_to_virt(entry & ~PAGE_MASK); /* tables' entries have no bits above the address */
}

static inline u64 pt_index(vaddr va, unsigned level) {
    return va >> LEVEL_SHIFT(level) & (TABLE_SLOTS - 1);
}

static inline void pool_count(struct space *s, i32 change) {
    s->pool_count += (u32)change;
    s->pool_level = (u8)MIN(s->pool_count, 255u);
}

/* The pool: first in, first out. Not empty for pool_pop. */
static inline void pool_push(struct space *s, struct frame *f) {
    u32 *last = s->pool ? &frame_table[s->pool_last].next : &s->pool;
    *last = s->pool_last = (u32)(f - frame_table);
    f->next = 0;
    pool_count(s, 1);
}
static inline struct frame *pool_pop(struct space *s) {
    struct frame *f = &frame_table[s->pool];
    s->pool = f->next;
    f->next = 0;
    pool_count(s, -1);
    return f;
}

/* The frame table entry of the table that holds the page-table entry. */
static inline struct frame *pt_holder(const u64 *entry) {
    return &frame_table[virt_to_frame(entry)];
}

static inline struct frame *pt_frame(u64 entry) {
    return &frame_table[PTE_FRAME(entry)];
}

/* The leaf entry of a user address; NULL if there is no table for it. */
static inline u64 *pt_leaf(const struct space *s, vaddr va) {
    if (!s->top)
        return NULL;
    u64 entry =
        ((u64 *)phys_to_virt(s->top))[pt_index(va, 3)]; /* a loop of three: faults and copies need it short */
    if (!entry || !(entry = pt_table(entry)[pt_index(va, 2)]) || !(entry = pt_table(entry)[pt_index(va, 1)]))
        return NULL;
    return &pt_table(entry)[pt_index(va, 0)];
}

/* The same, and the table is s->near from now on. */
u64 *pt_leaf_far(struct space *s, vaddr va);
static inline __attribute__((always_inline)) u64 *pt_leaf_near(struct space *s, vaddr va) {
    u64 at = va - s->near.first;
    return __builtin_expect(at < s->near.bytes, 1) ? s->near.entries + (at >> PAGE_SHIFT)
                                                   : pt_leaf_far(s, va);
}

/* Does the entry now allow the access (enum access)? Then the fault was already resolved. */
static inline bool mm_allows(u64 entry, u64 access) {
    u64 need = PTE_PRESENT | PTE_USER | (access == ACCESS_WRITE ? PTE_WRITE : 0);
    return (entry & need) == need && !(access == ACCESS_EXEC && entry & PTE_NX);
}

/* The leaf entry, its table near; makes tables from the pool. NULL if the pool is too small, and then nothing has changed.
 * The caller enters something (or calls pt_prune), so that no empty table stays. */
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

/* An entry without its frame, by rights (at most MAP_ALL). WRITE implies MAYWRITE. */
extern const u64 pt_bits_of[MAP_ALL + 1];
static inline u64 pt_bits(u64 rights) {
    return pt_bits_of[rights];
}

/* Add the entry's accessed and dirty bits to its frame. */
static inline void pt_harvest(struct frame *f, u64 entry) {
    _Static_assert(PTE_ACCESSED >> 4 == FRAME_ACCESSED && PTE_DIRTY >> 6 == FRAME_DIRTY, "shifts");
    frame_set(f, (u8)((entry & PTE_ACCESSED) >> 4 | (entry & PTE_DIRTY) >> 6));
}

/* Is a mapping of f in s one of its owner's? */
static inline bool pt_is_own(const struct space *s, const struct frame *f) {
    return s->account == f->account; /* frames of account 0 are not mapped */
}

/* Count one mapping of f in s more; false if the count is full. */
must_check static inline bool pt_count(const struct space *s, struct frame *f) {
    bool own = pt_is_own(s, f), full = own ? !++f->own : !++f->shares;
    if (__builtin_expect(full, 0)) {
        f->own -= own;
        f->shares -= !own;
    }
    return !full;
}

/* Prepare the page of a frame that is not to stay as it is; false if that can't be. */
static inline bool pt_fill(struct frame *f, void *page, enum fault_op op, u64 current) {
    if (f->shares || f->tag >> 16 || (op == FILL_COPY && !(current & PTE_PRESENT)))
        return false;
    if (op == FILL_COPY) {
        copy_bytes(page, frame_to_virt(PTE_FRAME(current)), PAGE_BYTES);
        frame_set(pt_frame(current), FRAME_ACCESSED);
        frame_clear(f, FRAME_ZEROED);
    } else if (!frame_has(f, FRAME_ZEROED)) {
        page_clear(page);
        frame_set(f, FRAME_ZEROED);
    }
    return true;
}

/* map of one frame of `account`, or an answer to a fault that was shown an entry of 0: if the table is near,
 * nothing is in the way, and nothing but data is asked for. False: nothing has happened. */
must_check static inline __attribute__((always_inline)) bool pt_map_near(struct space *s, u8 account,
                                                                         u64 address, pfn n, bool zero) {
    u64 at = address - s->near.first, rights = address & PAGE_MASK;
    if (at >= s->near.bytes || address & (PAGE_MASK ^ (MAP_ALL & ~MAP_EXEC)) || n >= frame_count)
        return false;
    u64 *entry = s->near.entries + (at >> PAGE_SHIFT);
    struct frame *f = &frame_table[n];
    if (*entry || (f->tag & 0xfff) != frame_idle_tag(account, KIND_DATA, 0) ||
        (zero && !pt_fill(f, frame_to_virt(n), FILL_ZERO, 0)) || !pt_count(s, f))
        return false;
    u64 bits = pt_bits(rights);
    *entry = n << PAGE_SHIFT | bits;
    if (__builtin_expect((bits & PTE_MAYWRITE) != 0, 1))
        frame_clear(f, FRAME_ZEROED);
    s->near.holder->next++;
    return true;
}

/* Count one mapping less; true if `shares` fell to 0 by it. */
must_check static inline bool pt_uncount(const struct space *s, struct frame *f) {
    if (pt_is_own(s, f)) {
        ASSERT(f->own);
        f->own--;
        return false;
    }
    ASSERT(f->shares);
    return --f->shares == 0;
}

/* A walk over a range, in runs: neighbouring entries of one leaf table. Work on an entry costs several times
 * a look at it, so what is removed or repeated is charged as another visit; passing over tables that are
 * absent costs less, and is charged as an eighth. The longest call stays below 30,000 instructions. */
#define RUN_ENTRIES_MAX    256
#define ABSENT_FOR_A_VISIT 8
struct walk {
    struct space *space;
    vaddr at, end; /* not yet visited */
    u64 left;      /* visits that may still be made */
};

struct run {
    u64 *entry; /* the first one */
    vaddr va;   /* of the first one */
    u64 count;
};

/* A range call: a walk that leaves records. */
struct range {
    struct walk walk;
    u64 *area;
    u32 records;
    u32 worked;     /* entries of the last run that were removed or repeated */
    enum stop stop; /* why the last run was left before its end */
};

/* Begin with [first, first + pages); 0 or -E_INVAL (not page-aligned, not within [lo, hi)). */
must_check err range_begin(struct range *r, struct space *s, vaddr first, u64 pages, vaddr lo, vaddr hi,
                           u64 *area);

/* Do a step for each run, up to the end or as far as one call goes. A step returns how many entries it has
 * done: if not all of them, the call stops behind these. */
typedef u64 range_step(struct range *, const struct run *);
struct range_result range_go(struct range *r, range_step *step);

/* The same for the end of a space: all entries go, and nobody but the collect lists hears of it. */
void walk_take_down(struct walk *w);

static inline void range_record(struct range *r, vaddr va, enum record_kind kind, u64 value) {
    r->area[2 * r->records] = va | kind;
    r->area[2 * r->records++ + 1] = value;
}

static inline struct range_result range_refused(err e) {
    return (struct range_result){.next = e};
}

/* `removed` entries of the run have become zero. */
static inline void run_removed(struct space *s, const struct run *r, u32 removed) {
    struct frame *table = pt_holder(r->entry);
    table->next -= removed;
    if (!table->next)
        pt_prune(s, r->va);
}

/* SPDX-License-Identifier: MIT */
/* The calls on page tables, with decoded arguments. None of them touches threads or waits; each visits at
 * most RANGE_VISITS_MAX entries at any level. Page tables are the only truth about mappings.
 *
 * Common rules. Addresses are checked here: page-aligned, USER_FIRST <= lo <= hi <= USER_END and inside the
 * window, else -E_INVAL. A list call returns how many items were done, counted from the first; if the very
 * first is refused, its error. Rights are MAP_xxx. No READ, WRITE or EXEC: the page is kept but not
 * accessible to users (PROT_NONE). WRITE implies MAYWRITE when mapping. WRITE with EXEC needs SPACE_WX, else
 * -E_RIGHTS. */
#pragma once

#include "mm/space.h"
#include <abi/fault.h>

/* What a caller may do in a space: by a capability to the space itself or by a permit. */
struct window {
    struct space *space;
    u8 account;    /* the caller's: whose frames it may map */
    bool own_only; /* a permit: unmap and protect see only the caller's frames */
    u8 rights;     /* most rights of a mapping made: MAP_xxx */
    vaddr lo, hi;  /* the part of the space that it may touch */
};

#define MAP_ALL (MAP_READ | MAP_WRITE | MAP_EXEC | MAP_MAYWRITE)

/* The window of a capability to the space itself. */
static inline struct window window_of_space(struct space *s, u8 account) {
    return (struct window){s, account, false, MAP_ALL, USER_FIRST, USER_END};
}

/* The window of a live permit of the space. */
static inline struct window window_of_permit(struct space *s, const struct permit *p, u8 account) {
    return (struct window){s, account, true, p->rights, p->lo, p->hi};
}

/* map: own DATA frames into zero entries. Errors of an item: -E_INVAL (address, rights), -E_OWNER (frame),
 * -E_RIGHTS, -E_OCCUPIED, -E_NEED_TABLES, -E_OVERRUN; -E_INVAL: count over MAP_ITEMS_MAX. An item with
 * MAP_PAGER stores its second word (bit 0 clear, not 0) as the pager's entry; not with a permit. */
struct map_result {
    i64 done; /* items; < 0: the first failed */
    u64 why;  /* it stopped there: 0 or E_xxx */
};
struct map_result mm_map(const struct window *w, const struct map_item *items, u64 count);

/* unmap: removes entries. Records (area: AREA_WORDS words): frames of the caller's account whose last mapping
 * went (not those that are QUEUED: collect brings them), and pager entries removed (kept with UNMAP_KEEP).
 * Raises the epoch. */
struct range_result mm_unmap(const struct window *w, vaddr first, u64 pages, u64 flags, u64 *area);

/* protect: sets READ, WRITE, EXEC of present entries; WRITE only where the entry has MAYWRITE. Harvests and
 * clears accessed and dirty bits. Raises the epoch. */
struct range_result mm_protect(const struct window *w, vaddr first, u64 pages, u64 rights);

/* scan: a RECORD_ENTRY for each entry that is not zero. Adds accessed and dirty bits to the frame table; with
 * CLEAR_BITS also clears them in the entries. */
struct range_result mm_scan(struct space *s, vaddr first, u64 pages, u64 flags, u64 *area);

/* clone, clone_private (private = true): repeats the source's entries at the same addresses of the target,
 * where the target's entries are zero (others are left alone). Private write-protects both sides and clears
 * MAYWRITE. Pager entries are copied and recorded. stop: STOP_TABLES (the target's pool is empty),
 * STOP_OVERFLOW (a frame's shares), STOP_FULL. Raises both epochs. Source and target must differ (-E_INVAL).
 * The target must allow SPACE_WX where an entry needs it (-E_RIGHTS if the source has the flag and the target
 * has not). */
struct range_result mm_clone(struct space *from, struct space *to, vaddr first, u64 pages, bool private,
                             u64 *area);

/* One side of copy: an address in a space, or (space NULL) physical bytes of frames of `account`. */
struct copy_side {
    struct space *space;
    u64 at;
    u8 account;
};
#define COPY_AT_TARGET 1
struct copy_result {
    i64 done; /* bytes, or -E_INVAL (length over COPY_BYTES_MAX, overflow), -E_OWNER (a frame that is not the
                 account's) */
    u64 stopped; /* if done < length: address that was absent or protected, | COPY_AT_TARGET if it was the
                    target's */
};

/* copy: obeys the protection of both sides as user accesses would, and stops there. Sets accessed and dirty
 * in the frame table. */
struct copy_result mm_copy(const struct copy_side *to, const struct copy_side *from, u64 length);

/* What the answer to a fault goes by. */
struct answer {
    u64 shown;           /* the entry the pager was shown */
    u64 epoch;           /* as shown */
    vaddr fault;         /* page address */
    struct space *space; /* set with the answerer's account */
    u8 account;
    bool absent;  /* shown 0, and lo, hi and rights are not set: nothing is narrowed */
    u8 rights;    /* most rights that may be given: MAP_xxx */
    vaddr lo, hi; /* what the answer may map; within the fault's 2 MiB block, and the user's */
};

/* Nothing is narrowed, but lo, hi and rights shall say so. */
static inline void mm_answer_whole(struct answer *a) {
    vaddr block = ROUND_DOWN(a->fault, BLOCK_BYTES);
    bool users = a->fault - USER_FIRST < USER_END - USER_FIRST;
    a->absent = false;
    a->rights = MAP_ALL;
    a->lo = users ? MAX(block, USER_FIRST) : 0;
    a->hi = users ? MIN(block + BLOCK_BYTES, USER_END) : 0;
}

/* Enters what can be entered and returns a mask: bit i = item i was entered. count <= FAULT_ITEMS_MAX. An old
 * epoch or an empty pool (if a page table is needed): 0. Nothing else happens to items that are wrong in any
 * way. */
u32 mm_answer(struct answer *a, const struct fault_item *items, u64 count);

/* Debug builds: checks the invariants of frame.h over all frames, spaces and accounts. NULL if they hold,
 * else what is wrong; *where: the frame. Not bounded. */
const char *mm_audit(pfn *where);

/* SPDX-License-Identifier: MIT */
/* map: the owner of frames introduces mappings. */

#include "mm/pt.h"

/* What most often is the same as for the item before: the leaf table and the rights. */
struct near {
    vaddr block;
    u64 *table;           /* NULL: there is none for the block */
    struct frame *holder; /* of the table */
    u64 rights;           /* allowed; none yet: ~0 */
    u64 bits;             /* of an entry with these rights */
};

static void near_set(struct near *near, vaddr va, u64 *leaf) {
    near->block = va & ~(BLOCK_BYTES - 1);
    near->table = leaf ? leaf - pt_index(va, 0) : NULL;
    near->holder = leaf ? pt_holder(leaf) : NULL;
}

/* Is there a table for va, or can one be made? */
static inline err near_make(struct space *s, struct near *near, vaddr va) {
    if (!near->table)
        near_set(near, va, pt_leaf_make(s, va));
    return near->table ? 0 : -E_NEED_TABLES;
}

static inline void enter(struct near *near, vaddr va, u64 entry) {
    near->table[pt_index(va, 0)] = entry;
    near->holder->next++;
}

/* Store a pager's own entry. */
static err map_pager(const struct window *w, struct near *near, vaddr va, u64 value) {
    if (!value || value & PTE_PRESENT)
        return -E_INVAL;
    err e = w->own_only ? -E_RIGHTS : near_make(w->space, near, va);
    if (!e)
        enter(near, va, value);
    return e;
}

static inline err near_rights(const struct window *w, struct near *near, u64 rights) {
    if (rights & ~(u64)w->rights || pt_breaks_wx(w->space, rights))
        return rights & ~(u64)MAP_ALL ? -E_INVAL : -E_RIGHTS;
    near->rights = rights;
    near->bits = pt_bits(rights);
    return 0;
}

static inline err map_frame(const struct window *w, struct near *near, vaddr va, pfn n, u64 rights) {
    struct frame *f = frame_own(n, w->account);
    if (!f)
        return -E_OWNER;
    err e = rights == near->rights ? 0 : near_rights(w, near, rights);
    if (!e)
        e = near_make(w->space, near, va);
    if (e)
        return e;
    if (!pt_count(w->space, f)) {
        pt_prune(w->space, va); /* the table may be new */
        return -E_OVERRUN;
    }
    enter(near, va, n << PAGE_SHIFT | near->bits);
    if (near->bits & PTE_MAYWRITE)
        frame_clear(f, FRAME_ZEROED);
    return 0;
}

static inline err map_one(const struct window *w, struct near *near, u64 address, u64 value) {
    vaddr va = address & ~PAGE_MASK;
    if (va - w->lo >= w->hi - w->lo)
        return -E_INVAL;
    if ((va ^ near->block) >= BLOCK_BYTES)
        near_set(near, va, pt_leaf(w->space, va));
    if (near->table && near->table[pt_index(va, 0)])
        return -E_OCCUPIED;
    if (address & MAP_PAGER)
        return map_pager(w, near, va, value);
    return map_frame(w, near, va, value, address & PAGE_MASK);
}

struct map_result mm_map(const struct window *w, const struct map_item *items, u64 count) {
    if (count > MAP_ITEMS_MAX || w->space->dying)
        return (struct map_result){-E_INVAL, E_INVAL};
    struct near near = {.block = ~0ull, .rights = ~0ull};
    for (u64 i = 0; i < count; i++) {
        err e = map_one(w, &near, items[i].address, items[i].frame);
        if (e)
            return (struct map_result){i ? (i64)i : e, (u64)-e};
    }
    return (struct map_result){(i64)count, 0};
}

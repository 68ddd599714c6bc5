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

/* Put an entry for va, all checks but the last done: is there a table? */
static inline err enter(struct space *s, struct near *near, vaddr va, u64 entry) {
    if (!near->table) {
        u64 *leaf = pt_leaf_make(s, va);
        if (!leaf)
            return -E_NEED_TABLES;
        near_set(near, va, leaf);
    }
    near->table[pt_index(va, 0)] = entry;
    near->holder->next++;
    return 0;
}

/* Store a pager's own entry. */
static err map_pager(const struct window *w, struct near *near, vaddr va, u64 value) {
    if (!value || value & PTE_PRESENT)
        return -E_INVAL;
    return w->own_only ? -E_RIGHTS : enter(w->space, near, va, value);
}

static err near_rights(const struct window *w, struct near *near, u64 rights) {
    if (rights & ~(u64)MAP_ALL)
        return -E_INVAL;
    if (rights & ~(u64)w->rights || pt_breaks_wx(w->space, rights))
        return -E_RIGHTS;
    near->rights = rights;
    near->bits = pt_bits(rights);
    return 0;
}

static err map_frame(const struct window *w, struct near *near, vaddr va, pfn n, u64 rights) {
    struct space *s = w->space;
    struct frame *f = frame_own(n, w->account);
    if (!f)
        return -E_OWNER;
    err e = rights == near->rights ? 0 : near_rights(w, near, rights);
    if (e)
        return e;
    if (!pt_can_count(s, f))
        return -E_OVERRUN;
    e = enter(s, near, va, n << PAGE_SHIFT | near->bits);
    if (e)
        return e;
    pt_count(s, f);
    if (near->bits & PTE_MAYWRITE)
        frame_clear(f, FRAME_ZEROED);
    return 0;
}

static err map_one(const struct window *w, struct near *near, u64 address, u64 value) {
    vaddr va = address & ~PAGE_MASK;
    if (va < w->lo || va >= w->hi)
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

/* SPDX-License-Identifier: MIT */
/* map: the owner of frames introduces mappings. */

#include "mm/pt.h"

/* Where the next item most often belongs: the leaf table of the item before. */
struct near {
    vaddr block;
    u64 *table; /* NULL: none yet */
};

/* What is to be entered for an item; 0 or the error. */
static err pager_entry(const struct window *w, u64 value, u64 *entry) {
    if (!value || value & PTE_PRESENT)
        return -E_INVAL;
    *entry = value;
    return w->own_only ? -E_RIGHTS : 0;
}

static err frame_entry(const struct window *w, pfn n, u64 rights, u64 *entry) {
    if (rights & ~(u64)MAP_ALL)
        return -E_INVAL;
    const struct frame *f = frame_own(n, w->account);
    if (!f)
        return -E_OWNER;
    if (rights & ~(u64)w->rights || pt_breaks_wx(w->space, rights))
        return -E_RIGHTS;
    *entry = pt_entry(n, rights);
    return pt_can_count(w->space, f) ? 0 : -E_OVERRUN;
}

static err map_one(const struct window *w, struct near *near, u64 address, u64 value) {
    vaddr va = address & ~PAGE_MASK;
    if (va < w->lo || va >= w->hi)
        return -E_INVAL;
    bool here = near->table && (va ^ near->block) < BLOCK_BYTES;
    u64 *slot = here ? &near->table[pt_index(va, 0)] : pt_leaf(w->space, va);
    if (slot && *slot)
        return -E_OCCUPIED;
    u64 entry;
    err e = address & MAP_PAGER ? pager_entry(w, value, &entry)
                                : frame_entry(w, value, address & PAGE_MASK, &entry);
    if (e)
        return e;
    if (!slot && !(slot = pt_leaf_make(w->space, va)))
        return -E_NEED_TABLES;
    near->block = va & ~(BLOCK_BYTES - 1);
    near->table = slot - pt_index(va, 0);
    *slot = entry;
    pt_holder(slot)->next++;
    if (entry & PTE_PRESENT) {
        pt_count(w->space, pt_frame(entry));
        pt_note_writer(entry);
    }
    return 0;
}

struct map_result mm_map(const struct window *w, const struct map_item *items, u64 count) {
    if (count > MAP_ITEMS_MAX || w->space->dying)
        return (struct map_result){-E_INVAL, E_INVAL};
    struct near near = {0};
    for (u64 i = 0; i < count; i++) {
        err e = map_one(w, &near, items[i].address, items[i].frame);
        if (e)
            return (struct map_result){i ? (i64)i : e, (u64)-e};
    }
    return (struct map_result){(i64)count, 0};
}

/* SPDX-License-Identifier: MIT */
/* map: the owner of frames introduces mappings. */

#include "mm/pt.h"

/* Store a pager's own entry. */
static err map_pager(const struct window *w, vaddr va, u64 value) {
    if (!value || value & PTE_PRESENT)
        return -E_INVAL;
    if (w->own_only)
        return -E_RIGHTS;
    u64 *entry = pt_leaf_make(w->space, va);
    if (!entry)
        return -E_NEED_TABLES;
    *entry = value;
    pt_holder(entry)->next++;
    return 0;
}

static err map_frame(const struct window *w, vaddr va, pfn n, u64 rights) {
    if (rights & ~(u64)MAP_ALL)
        return -E_INVAL;
    struct frame *f = frame_own(n, w->account);
    if (!f)
        return -E_OWNER;
    if (rights & ~(u64)w->rights || pt_breaks_wx(w->space, rights))
        return -E_RIGHTS;
    if (!pt_can_count(w->space, f))
        return -E_OVERRUN;
    u64 *entry = pt_leaf_make(w->space, va);
    if (!entry)
        return -E_NEED_TABLES;
    *entry = pt_entry(n, rights);
    pt_holder(entry)->next++;
    pt_count(w->space, f);
    pt_note_writer(*entry);
    return 0;
}

static err map_one(const struct window *w, u64 address, u64 frame) {
    vaddr va = address & ~PAGE_MASK;
    u64 rights = address & PAGE_MASK;
    if (va < w->lo || va >= w->hi)
        return -E_INVAL;
    const u64 *entry = pt_leaf(w->space, va);
    if (entry && *entry)
        return -E_OCCUPIED;
    return rights & MAP_PAGER ? map_pager(w, va, frame) : map_frame(w, va, frame, rights);
}

struct map_result mm_map(const struct window *w, const struct map_item *items, u64 count) {
    if (count > MAP_ITEMS_MAX || w->space->dying)
        return (struct map_result){-E_INVAL, E_INVAL};
    for (u64 i = 0; i < count; i++) {
        err e = map_one(w, items[i].address, items[i].frame);
        if (e)
            return (struct map_result){i ? (i64)i : e, (u64)-e};
    }
    return (struct map_result){(i64)count, 0};
}

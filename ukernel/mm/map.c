/* SPDX-License-Identifier: MIT */
/* map: the owner of frames introduces mappings. */

#include "mm/pt.h"

/* Any item; what it must be is asked in the order of docs/kernel-abi.md. */
static __attribute__((noinline)) err map_any(const struct window *w, u64 address, u64 value) {
    struct space *s = w->space;
    vaddr va = address & ~PAGE_MASK;
    u64 rights = address & PAGE_MASK, now = value;
    struct frame *f = NULL;
    if (va - w->lo >= w->hi - w->lo)
        return -E_INVAL;
    u64 *entry = pt_leaf_near(s, va);
    if (entry && *entry)
        return -E_OCCUPIED;
    if (address & MAP_PAGER) {
        if (!value || value & PTE_PRESENT)
            return -E_INVAL;
        if (w->own_only)
            return -E_RIGHTS;
    } else {
        if (!(f = frame_own(value, w->account)))
            return -E_OWNER;
        if (rights & ~(u64)w->rights || pt_breaks_wx(s, rights))
            return rights & ~(u64)MAP_ALL ? -E_INVAL : -E_RIGHTS;
        now = value << PAGE_SHIFT | pt_bits(rights);
    }
    if (!entry && !(entry = pt_leaf_make(s, va)))
        return -E_NEED_TABLES;
    if (f && !pt_count(s, f)) {
        pt_prune(s, va); /* the table may be new */
        return -E_OVERRUN;
    }
    if (f && now & PTE_MAYWRITE)
        frame_clear(f, FRAME_ZEROED);
    *entry = now;
    s->near.holder->next++;
    return 0;
}

struct map_result mm_map(const struct window *w, const struct map_item *items, u64 count) {
    if (count > MAP_ITEMS_MAX || w->space->dying)
        return (struct map_result){-E_INVAL, E_INVAL};
    vaddr lo = w->lo;
    u64 bytes = w->hi - lo, refused = ~(u64)w->rights & PAGE_MASK;
    for (u64 i = 0; i < count; i++) {
        u64 address = items[i].address, value = items[i].frame;
        if (address - lo < bytes && !(address & refused) &&
            pt_map_near(w->space, w->account, address, value, false))
            continue;
        err e = map_any(w, address, value);
        if (e)
            return (struct map_result){i ? (i64)i : e, (u64)-e};
    }
    return (struct map_result){(i64)count, 0};
}

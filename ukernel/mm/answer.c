/* SPDX-License-Identifier: MIT */
/* What a pager sees of a fault, and what its answer may do: compare and enter. */

#include "mm/pt.h"

/* Is the entry still the one that the pager was shown? Accesses by other threads do not matter. */
static bool still_shown(u64 entry, u64 shown) {
    return !((entry ^ shown) & ~(shown & PTE_PRESENT ? PTE_HARVEST : 0));
}

/* Raise the existing entry to writable. */
static bool upgrade(const struct answer *a, u64 *entry, pfn n, u64 rights) {
    u64 now = *entry;
    if (!(now & PTE_PRESENT) || PTE_FRAME(now) != n || !(rights & MAP_WRITE))
        return false;
    struct frame *f = pt_frame(now);
    if (f->account != a->account || f->shares != 1 || (!(now & PTE_NX) && !(a->space->flags & SPACE_WX)))
        return false;
    *entry = now | PTE_WRITE | PTE_USER | PTE_MAYWRITE;
    pt_note_writer(*entry);
    pt_flush(a->space, a->fault);
    return true;
}

/* Prepare the page of frame n as the operation says; false if it can't be. */
static bool fill(struct frame *f, pfn n, enum fault_op op, u64 current) {
    if (op == FILL_AS_IS)
        return true;
    if (f->shares | f->own | f->pins)
        return false;
    if (op == FILL_COPY) {
        if (!(current & PTE_PRESENT))
            return false;
        page_copy(frame_to_virt(n), frame_to_virt(PTE_FRAME(current)));
        frame_set(pt_frame(current), FRAME_ACCESSED);
        frame_clear(f, FRAME_ZEROED);
    } else if (!frame_has(f, FRAME_ZEROED)) {
        page_clear(frame_to_virt(n));
        frame_set(f, FRAME_ZEROED);
    }
    return true;
}

/* Put frame n into the entry, in place of what is there. */
static bool enter(const struct answer *a, u64 *entry, vaddr va, pfn n, enum fault_op op, u64 rights) {
    struct space *s = a->space;
    struct frame *f = frame_own(n, a->account);
    if (!f || pt_breaks_wx(s, rights) || !pt_can_count(s, f) || !fill(f, n, op, *entry))
        return false;
    u64 old = *entry;
    *entry = pt_entry(n, rights);
    pt_count(s, f);
    pt_note_writer(*entry);
    if (!old)
        pt_holder(entry)->next++;
    if (old & PTE_PRESENT) {
        pt_flush(s, va);
        pt_harvest(old);
        if (pt_uncount(s, pt_frame(old)))
            frame_queue(pt_frame(old));
    }
    return true;
}

static bool answer_item(const struct answer *a, u64 *table, const struct fault_item *item) {
    vaddr va = item->address & ~PAGE_MASK;
    u64 rights = item->address & PAGE_MASK;
    enum fault_op op = (enum fault_op)(item->frame >> 60);
    pfn n = item->frame & ~(15ull << 60);
    if (rights & ~(u64)MAP_ALL || op > FILL_UPGRADE || va - a->lo >= a->hi - a->lo ||
        va - USER_FIRST >= USER_END - USER_FIRST)
        return false;
    u64 *entry = &table[pt_index(va, 0)];
    rights &= a->rights;
    if (va == a->fault ? !still_shown(*entry, a->shown) : *entry != 0)
        return false;
    return op == FILL_UPGRADE ? upgrade(a, entry, n, rights) : enter(a, entry, va, n, op, rights);
}

u32 mm_answer(const struct answer *a, const struct fault_item *items, u64 count) {
    struct space *s = a->space;
    if (a->lo == a->hi || s->epoch != a->epoch || s->dying || !count)
        return 0;
    u64 *leaf = a->leaf ? a->leaf : pt_leaf_make(s, a->fault);
    if (!leaf)
        return 0;
    u64 *table = (u64 *)((u64)leaf & ~PAGE_MASK);
    u32 mask = 0;
    for (u64 i = 0; i < count; i++) {
        struct fault_item item = items[i]; /* read once */
        if (answer_item(a, table, &item))
            mask |= 1u << i;
    }
    if (!mask)
        pt_prune(s, a->fault);
    return mask;
}

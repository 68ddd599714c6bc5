/* SPDX-License-Identifier: MIT */
/* What a pager sees of a fault, and what its answer may do: compare and enter. */

#include "mm/pt.h"

/* Raise the existing entry to writable. */
static __attribute__((noinline)) bool upgrade(const struct answer *a, u64 *entry, pfn n, u64 rights) {
    u64 now = *entry;
    if (!(now & PTE_PRESENT) || PTE_FRAME(now) != n || !(rights & MAP_WRITE))
        return false;
    struct frame *f = pt_frame(now);
    if (f->account != a->account || f->shares != 1 || (!(now & PTE_NX) && !(a->space->flags & SPACE_WX)))
        return false;
    *entry = now | PTE_WRITE | PTE_USER | PTE_MAYWRITE;
    frame_clear(f, FRAME_ZEROED);
    pt_flush(a->space, a->fault);
    return true;
}

/* A present entry has been replaced by another. True. */
static __attribute__((noinline)) bool replaced(struct space *s, vaddr va, u64 old) {
    pt_flush(s, va);
    pt_harvest(pt_frame(old), old);
    if (pt_uncount(s, pt_frame(old)))
        frame_queue(pt_frame(old));
    return true;
}

/* Accesses by other threads do not matter to whether the entry is still the one that was shown. On the path
 * of every fault, so what is rare is not inline. */
static inline __attribute__((always_inline)) bool answer_item(const struct answer *a, u64 address,
                                                              u64 value) {
    struct space *s = a->space;
    vaddr va = address & ~PAGE_MASK;
    u64 rights = address & PAGE_MASK;
    if (rights > MAP_ALL || va - a->lo >= a->hi - a->lo)
        return false;
    rights &= a->rights;
    u64 *entry = pt_leaf_near(s, va);
    u64 old = *entry, expected = va == a->fault ? a->shown : 0;
    if (old != expected && (!(old & expected & PTE_PRESENT) || (old ^ expected) & ~PTE_HARVEST))
        return false;
    enum fault_op op = (enum fault_op)(value >> 60);
    pfn n = value & ~(15ull << 60);
    if (op >= FILL_UPGRADE)
        return op == FILL_UPGRADE && upgrade(a, entry, n, rights);
    struct frame *f = frame_own(n, a->account);
    if (!f || pt_breaks_wx(s, rights) || (op != FILL_AS_IS && !pt_fill(f, frame_to_virt(n), op, old)) ||
        !pt_count(s, f))
        return false;
    u64 now = n << PAGE_SHIFT | pt_bits(rights);
    *entry = now;
    if (now & PTE_MAYWRITE)
        frame_clear(f, FRAME_ZEROED);
    if (old & PTE_PRESENT)
        return replaced(s, va, old);
    s->near.holder->next += !old;
    return true;
}

/* Is there a table for the items? */
static inline bool answer_begins(struct answer *a) {
    if (a->absent)
        mm_answer_whole(a);
    if (a->lo == a->hi || a->space->epoch != a->epoch)
        return false;
    return pt_leaf_near(a->space, a->fault) || pt_leaf_make(a->space, a->fault);
}

u32 mm_answer(struct answer *a, const struct fault_item *items, u64 count) {
    if (!count || !answer_begins(a))
        return 0;
    u32 mask = 0;
    for (u64 i = 0; i < count; i++)
        mask |= (u32)answer_item(a, items[i].address, items[i].frame) << i;
    if (!mask)
        pt_prune(a->space, a->fault);
    return mask;
}

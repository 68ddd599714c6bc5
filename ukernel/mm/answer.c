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

/* Prepare the page of a frame that is not to stay as it is; false if that can't be. */
static inline bool fill(struct frame *f, void *page, enum fault_op op, u64 current) {
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
static inline __attribute__((always_inline)) bool answer_item(const struct answer *a, u64 *leaf, u64 address,
                                                              u64 value) {
    struct space *s = a->space;
    vaddr va = address & ~PAGE_MASK;
    u64 rights = address & PAGE_MASK;
    if (rights > MAP_ALL || va - a->lo >= a->hi - a->lo)
        return false;
    rights &= a->rights;
    u64 *entry = (u64 *)((u64)leaf & ~PAGE_MASK) + pt_index(va, 0);
    u64 old = *entry, expected = va == a->fault ? a->shown : 0;
    if (old != expected && (!(old & expected & PTE_PRESENT) || (old ^ expected) & ~PTE_HARVEST))
        return false;
    enum fault_op op = (enum fault_op)(value >> 60);
    pfn n = value & ~(15ull << 60);
    if (op >= FILL_UPGRADE)
        return op == FILL_UPGRADE && upgrade(a, entry, n, rights);
    struct frame *f = frame_own(n, a->account);
    if (!f || pt_breaks_wx(s, rights) || (op != FILL_AS_IS && !fill(f, frame_to_virt(n), op, old)) ||
        !pt_count(s, f))
        return false;
    u64 now = n << PAGE_SHIFT | pt_bits(rights);
    *entry = now;
    if (now & PTE_MAYWRITE)
        frame_clear(f, FRAME_ZEROED);
    if (old & PTE_PRESENT)
        return replaced(s, va, old);
    pt_holder(entry)->next += !old;
    return true;
}

u32 mm_answer(const struct answer *a, const struct fault_item *items, u64 count) {
    struct space *s = a->space;
    if (a->lo == a->hi || s->epoch != a->epoch || s->dying || !count)
        return 0;
    u64 *leaf = a->leaf ? a->leaf : pt_leaf_make(s, a->fault);
    if (!leaf)
        return 0;
    u32 mask = 0;
    for (u64 i = 0; i < count; i++)
        mask |= (u32)answer_item(a, leaf, items[i].address, items[i].frame) << i;
    if (!mask)
        pt_prune(s, a->fault);
    return mask;
}

/* The block has no table yet, or nothing is to be entered. */
static __attribute__((noinline)) bool answer_one_slowly(const struct answer *a, u64 address, u64 value) {
    return mm_answer(a, &(struct fault_item){address, value}, 1);
}

bool mm_answer_one(const struct answer *a, u64 address, u64 value) {
    if (__builtin_expect(a->leaf && a->space->epoch == a->epoch, 1))
        return answer_item(a, a->leaf, address, value);
    return answer_one_slowly(a, address, value);
}

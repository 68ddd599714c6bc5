/* SPDX-License-Identifier: MIT */
/* clone and clone_private: repeat a space's mappings in another, with no more rights than they have. */

#include "mm/pt.h"

/* One clone call. */
struct clone {
    struct range range;
    struct space *from, *to;
    bool private;
};

/* Put a copy of the entry into the target's (zero) entry, after all checks. Private: both lose the write
 * right for good; only the owner gives it again (UPGRADE, a new mapping). */
static void repeat(struct clone *c, u64 *entry, u64 *copy, vaddr va) {
    u64 old = *entry;
    c->range.worked++;
    pt_holder(copy)->next++;
    if (!(old & PTE_PRESENT)) {
        *copy = old;
        range_record(&c->range, va, RECORD_PAGER, old);
        return;
    }
    u64 now = c->private ? old & ~(PTE_WRITE | PTE_MAYWRITE) : old;
    if (now != old) {
        *entry = now;
        pt_flush(c->from, va);
    }
    *copy = now & ~PTE_HARVEST;
    pt_count(c->to, pt_frame(old));
}

static u64 clone_run(struct range *range, const struct run *r) {
    struct clone *c = container_of(range, struct clone, range);
    u64 *copies = pt_leaf(c->to, r->va); /* NULL: no table yet */
    for (u64 i = 0; i < r->count; i++) {
        u64 entry = r->entry[i];
        if (!entry || (copies && copies[i]))
            continue;
        bool present = entry & PTE_PRESENT;
        range->stop = present ? STOP_OVERFLOW : STOP_FULL;
        if (present ? !pt_can_count(c->to, pt_frame(entry)) : range->records == AREA_RECORDS)
            return i;
        range->stop = STOP_TABLES;
        if (!copies && !(copies = pt_leaf_make(c->to, r->va)))
            return i;
        repeat(c, &r->entry[i], &copies[i], r->va + (i << PAGE_SHIFT));
    }
    return r->count;
}

struct range_result mm_clone(struct space *from, struct space *to, vaddr first, u64 pages, bool private,
                             u64 *area) {
    struct clone c = {.from = from, .to = to, .private = private};
    err e = range_begin(&c.range, from, first, pages, USER_FIRST, USER_END, area);
    if (e || from == to || to->dying)
        return range_refused(-E_INVAL);
    if (from->flags & ~to->flags & SPACE_WX)
        return range_refused(-E_RIGHTS);
    from->epoch++;
    to->epoch++;
    return range_go(&c.range, clone_run);
}

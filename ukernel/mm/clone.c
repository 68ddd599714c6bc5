/* SPDX-License-Identifier: MIT */
/* clone and clone_private: repeat a space's mappings in another, with no more rights than they have. */

#include "mm/pt.h"

/* One clone call. */
struct clone {
    struct range range;
    struct space *from, *to;
    bool private;
};

/* Put a copy of the entry into the target's (zero) entry. Private: both lose the write right for good; only
 * the owner gives it again (UPGRADE, a new mapping). False: it can't be (range.stop says why). */
static bool repeat(struct clone *c, u64 *entry, u64 *copy, vaddr va) {
    u64 old = *entry;
    bool present = old & PTE_PRESENT;
    c->range.stop = present ? STOP_OVERFLOW : STOP_FULL;
    if (present ? !pt_count(c->to, pt_frame(old)) : c->range.records == AREA_RECORDS)
        return false;
    c->range.worked++;
    pt_holder(copy)->next++;
    if (!present) {
        *copy = old;
        range_record(&c->range, va, RECORD_PAGER, old);
        return true;
    }
    u64 now = c->private ? old & ~(PTE_WRITE | PTE_MAYWRITE) : old;
    if (now != old) {
        *entry = now;
        pt_flush(c->from, va);
    }
    *copy = now & ~PTE_HARVEST;
    return true;
}

static u64 clone_run(struct range *range, const struct run *r) {
    struct clone *c = container_of(range, struct clone, range);
    u64 *copies = pt_leaf(c->to, r->va); /* NULL: no table yet */
    for (u64 i = 0; i < r->count; i++) {
        if (!r->entry[i] || (copies && copies[i]))
            continue;
        range->stop = STOP_TABLES;
        if (!copies && !(copies = pt_leaf_make(c->to, r->va)))
            return i;
        if (!repeat(c, &r->entry[i], &copies[i], r->va + (i << PAGE_SHIFT))) {
            pt_prune(c->to, r->va); /* the table may be new */
            return i;
        }
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

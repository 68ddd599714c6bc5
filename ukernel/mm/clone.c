/* SPDX-License-Identifier: MIT */
/* clone and clone_private: repeat a space's mappings in another, with no more rights than they have. */

#include "mm/pt.h"

/* One clone call. */
struct clone {
    struct range range;
    struct space *from, *to;
    bool private;
};

/* Copies of the entries where the target's are zero. Private: both lose the write right for good; only the
 * owner gives it again (UPGRADE, a new mapping). What is the same for all of a run is looked up once. */
static u64 clone_run(struct range *range, const struct run *r) {
    struct clone *c = container_of(range, struct clone, range);
    struct space *to = c->to;
    u64 *copies = pt_leaf(to, r->va); /* NULL: no table yet */
    u64 lost = c->private ? PTE_WRITE | PTE_MAYWRITE : 0, *entry = r->entry, count = r->count, i;
    bool flush = arch_current_space() == c->from;
    u32 entered = 0;
    range->stop = STOP_TABLES;
    for (i = 0; i < count; i++) {
        u64 old = entry[i];
        if (!old || (copies && copies[i]))
            continue;
        if (!copies && !(copies = pt_leaf_make(to, r->va)))
            return i;
        if (!(old & PTE_PRESENT)) {
            range->stop = STOP_FULL;
            if (range->records == AREA_RECORDS)
                break;
            range_record(range, r->va + (i << PAGE_SHIFT), RECORD_PAGER, old);
        } else if (!pt_count(to, pt_frame(old))) {
            range->stop = STOP_OVERFLOW;
            break;
        } else if (old & lost) {
            entry[i] = old & ~lost;
            if (flush)
                arch_invlpg(r->va + (i << PAGE_SHIFT));
        }
        copies[i] = old & PTE_PRESENT ? old & ~(lost | PTE_HARVEST) : old;
        entered++;
    }
    range->worked = entered;
    if (entered)
        pt_holder(copies)->next += entered;
    else if (copies)
        pt_prune(to, r->va); /* the table may be new */
    return i;
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

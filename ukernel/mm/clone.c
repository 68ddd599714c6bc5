/* SPDX-License-Identifier: MIT */
/* clone and clone_private: repeat a space's mappings in another, with no more rights than they have. */

#include "mm/pt.h"

/* One clone call. */
struct clone {
    struct space *from, *to;
    bool private;
    u64 *area;
    u32 records;
    u32 copied;     /* entries of the last run */
    enum stop stop; /* why it stopped, if it did */
};

/* Put a copy of the entry into the target's (zero) entry, after all checks. Private: both lose the write
 * right for good; only the owner gives it again (UPGRADE, a new mapping). */
static void repeat(struct clone *c, u64 *entry, u64 *copy, vaddr va) {
    u64 old = *entry;
    pt_holder(copy)->next++;
    if (!(old & PTE_PRESENT)) {
        *copy = old;
        c->area[2 * c->records] = va | RECORD_PAGER;
        c->area[2 * c->records++ + 1] = old;
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

/* Repeat the entries of a run; returns how many were looked at, fewer if it has to stop. */
static u64 clone_run(struct clone *c, const struct run *r) {
    u64 *copies = pt_leaf(c->to, r->va); /* NULL: no table yet */
    c->copied = 0;
    for (u64 i = 0; i < r->count; i++) {
        u64 entry = r->entry[i];
        if (!entry || (copies && copies[i]))
            continue;
        bool present = entry & PTE_PRESENT;
        c->stop = present ? STOP_OVERFLOW : STOP_FULL;
        if (present ? !pt_can_count(c->to, pt_frame(entry)) : c->records == AREA_RECORDS)
            return i;
        c->stop = STOP_TABLES;
        if (!copies && !(copies = pt_leaf_make(c->to, r->va)))
            return i;
        repeat(c, &r->entry[i], &copies[i], r->va + (i << PAGE_SHIFT));
        c->copied++;
    }
    return r->count;
}

struct range_result mm_clone(struct space *from, struct space *to, vaddr first, u64 pages, bool private,
                             u64 *area) {
    struct walk walk;
    struct run r;
    err e = walk_begin(&walk, from, first, pages, USER_FIRST, USER_END);
    if (e || from == to || to->dying)
        return (struct range_result){.next = -E_INVAL};
    if (from->flags & ~to->flags & SPACE_WX)
        return (struct range_result){.next = -E_RIGHTS};
    from->epoch++;
    to->epoch++;
    struct clone c = {.from = from, .to = to, .private = private, .area = area};
    while (walk_next(&walk, &r)) {
        u64 done = clone_run(&c, &r);
        if (done < r.count) {
            walk.at = r.va + (done << PAGE_SHIFT);
            return walk_result(&walk, c.records, c.stop);
        }
        walk_charge(&walk, c.copied);
    }
    return walk_result(&walk, c.records, STOP_BOUND);
}

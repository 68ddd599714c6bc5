/* SPDX-License-Identifier: MIT */
/* clone and clone_private: repeat a space's mappings in another, with no more rights than they have. */

#include "mm/pt.h"

/* One clone call. */
struct clone {
    struct space *from, *to;
    bool private;
    u64 *area;
    u32 records;
};

/* Take the write right off both sides for good; only the owner (UPGRADE, a new mapping) gives it again. */
static void write_protect(const struct clone *c, u64 *entry, vaddr va) {
    bool writable = *entry & PTE_WRITE;
    *entry &= ~(PTE_WRITE | PTE_MAYWRITE);
    if (writable)
        pt_flush(c->from, va);
}

/* Repeat one entry; false and *stop: nothing was done. */
static bool clone_entry(struct clone *c, u64 *entry, vaddr va, u32 *stop) {
    const u64 *there = pt_leaf(c->to, va);
    if (there && *there)
        return true;
    bool present = *entry & PTE_PRESENT;
    *stop = present ? STOP_OVERFLOW : STOP_FULL;
    if (present ? !pt_can_count(c->to, pt_frame(*entry)) : c->records == AREA_RECORDS)
        return false;
    *stop = STOP_TABLES;
    u64 *copy = pt_leaf_make(c->to, va);
    if (!copy)
        return false;
    pt_holder(copy)->next++;
    if (!present) {
        *copy = *entry;
        c->area[2 * c->records] = va | RECORD_PAGER;
        c->area[2 * c->records++ + 1] = *entry;
        return true;
    }
    if (c->private)
        write_protect(c, entry, va);
    *copy = *entry & ~PTE_HARVEST;
    pt_count(c->to, pt_frame(*entry));
    return true;
}

struct range_result mm_clone(struct space *from, struct space *to, vaddr first, u64 pages, bool private,
                             u64 *area) {
    struct walk walk;
    err e = walk_begin(&walk, from, first, pages, USER_FIRST, USER_END);
    if (e || from == to || to->dying)
        return (struct range_result){.next = -E_INVAL};
    if (from->flags & ~to->flags & SPACE_WX)
        return (struct range_result){.next = -E_RIGHTS};
    from->epoch++;
    to->epoch++;
    struct clone c = {from, to, private, area, 0};
    vaddr va;
    for (u64 *entry; (entry = walk_next(&walk, &va));) {
        u32 stop;
        if (!clone_entry(&c, entry, va, &stop))
            return (struct range_result){.next = (i64)va, .records = c.records, .stop = stop};
    }
    return walk_result(&walk, c.records);
}

/* SPDX-License-Identifier: MIT */
/* unmap, protect and scan: walks that remove, change or show entries. */

#include "mm/pt.h"

/* May the caller touch this entry? A permit's holder only if the frame is its own. */
static bool may_touch(const struct window *w, u64 entry) {
    return !w->own_only || (entry & PTE_PRESENT && pt_frame(entry)->account == w->account);
}

/* The entry is zero now: uncount its frame. Does the caller hear of it at once? Else the owner does, by
 * collect. */
static bool gone(const struct window *w, vaddr va, u64 old) {
    struct frame *f = pt_frame(old);
    pt_flush(w->space, va);
    pt_harvest(old);
    bool fell = pt_uncount(w->space, f);
    if (f->account == w->account && !(f->shares | f->own) && !frame_has(f, FRAME_QUEUED))
        return true;
    if (fell)
        frame_queue(f);
    return false;
}

/* unmap, protect or scan under way. */
struct change {
    struct range range;
    const struct window *w;
    u64 flags; /* protect: the bits of an entry */
};

static u64 unmap_run(struct range *range, const struct run *r) {
    struct change *c = container_of(range, struct change, range);
    u64 i = 0;
    for (; i < r->count; i++) {
        u64 old = r->entry[i];
        if (!old || !may_touch(c->w, old) || (!(old & PTE_PRESENT) && c->flags & UNMAP_KEEP))
            continue;
        if (range->records == AREA_RECORDS)
            break;
        vaddr va = r->va + (i << PAGE_SHIFT);
        r->entry[i] = 0;
        range->worked++;
        if (!(old & PTE_PRESENT))
            range_record(range, va, RECORD_PAGER, old);
        else if (gone(c->w, va, old))
            range_record(range, va, RECORD_FRAME, PTE_FRAME(old) | (u64)(pt_frame(old)->state >> 4) << 52);
    }
    if (range->worked)
        run_removed(c->w->space, r, range->worked);
    return i;
}

struct range_result mm_unmap(const struct window *w, vaddr first, u64 pages, u64 flags, u64 *area) {
    struct change c = {.w = w, .flags = flags};
    if (range_begin(&c.range, w->space, first, pages, w->lo, w->hi, area) || flags & ~(u64)UNMAP_KEEP)
        return range_refused(-E_INVAL);
    w->space->epoch++;
    c.range.stop = STOP_FULL;
    return range_go(&c.range, unmap_run);
}

/* Give present entries of a run the bits; WRITE only where MAYWRITE allows it. */
static u64 protect_run(struct range *range, const struct run *r) {
    const struct change *c = container_of(range, struct change, range);
    for (u64 i = 0; i < r->count; i++) {
        u64 old = r->entry[i];
        if (!(old & PTE_PRESENT) || !may_touch(c->w, old))
            continue;
        u64 bits = old & PTE_MAYWRITE ? c->flags : c->flags & ~PTE_WRITE;
        u64 now = (old & (PTE_ADDRESS | PTE_MAYWRITE)) | bits;
        if (now == old)
            continue;
        pt_harvest(old);
        r->entry[i] = now;
        pt_flush(c->w->space, r->va + (i << PAGE_SHIFT));
    }
    return r->count;
}

struct range_result mm_protect(const struct window *w, vaddr first, u64 pages, u64 rights) {
    struct change c = {.w = w};
    if (range_begin(&c.range, w->space, first, pages, w->lo, w->hi, NULL) || rights & ~(u64)MAP_ALL)
        return range_refused(-E_INVAL);
    if (rights & ~(u64)w->rights || pt_breaks_wx(w->space, rights))
        return range_refused(-E_RIGHTS);
    w->space->epoch++;
    c.flags = pt_bits(rights) & ~PTE_MAYWRITE;
    return range_go(&c.range, protect_run);
}

static u64 scan_run(struct range *range, const struct run *r) {
    const struct change *c = container_of(range, struct change, range);
    u64 i = 0;
    for (; i < r->count; i++) {
        u64 entry = r->entry[i];
        vaddr va = r->va + (i << PAGE_SHIFT);
        if (!entry)
            continue;
        if (range->records == AREA_RECORDS)
            break;
        range_record(range, va, RECORD_ENTRY, entry);
        if (!(entry & PTE_PRESENT))
            continue;
        pt_harvest(entry);
        if (c->flags & CLEAR_BITS && entry & PTE_HARVEST) {
            r->entry[i] = entry & ~PTE_HARVEST;
            pt_flush(range->walk.space, va);
        }
    }
    return i;
}

struct range_result mm_scan(struct space *s, vaddr first, u64 pages, u64 flags, u64 *area) {
    struct change c = {.flags = flags};
    if (range_begin(&c.range, s, first, pages, USER_FIRST, USER_END, area) || flags & ~(u64)CLEAR_BITS)
        return range_refused(-E_INVAL);
    c.range.stop = STOP_FULL;
    return range_go(&c.range, scan_run);
}

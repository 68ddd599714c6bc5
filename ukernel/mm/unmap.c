/* SPDX-License-Identifier: MIT */
/* unmap, protect and scan: walks that remove, change or show entries. */

#include "mm/pt.h"

/* May the caller touch this entry? A permit's holder only if the frame is its own. */
static bool may_touch(const struct window *w, u64 entry) {
    return !w->own_only || (entry & PTE_PRESENT && pt_frame(entry)->account == w->account);
}

/* unmap, protect or scan under way. */
struct change {
    struct range range;
    const struct window *w;
    u64 flags; /* protect: the bits of an entry */
};

/* The caller hears at once of a frame of its own that is mapped nowhere any more; else the owner does, by
 * collect. */
static u64 unmap_run(struct range *range, const struct run *r) {
    const struct change *c = container_of(range, struct change, range);
    const struct window *w = c->w;
    struct space *s = w->space;
    bool flush = arch_current_space() == s;
    u64 *entry = r->entry, count = r->count, i;
    for (i = 0; i < count; i++) {
        u64 old = entry[i];
        if (!old || !may_touch(w, old) || (!(old & PTE_PRESENT) && c->flags & UNMAP_KEEP))
            continue;
        if (range->records == AREA_RECORDS)
            break;
        vaddr va = r->va + (i << PAGE_SHIFT);
        entry[i] = 0;
        range->worked++;
        if (!(old & PTE_PRESENT)) {
            if (range->area)
                range_record(range, va, RECORD_PAGER, old);
            continue;
        }
        if (flush)
            arch_invlpg(va);
        struct frame *f = pt_frame(old);
        pt_harvest(f, old);
        bool fell = pt_uncount(s, f);
        if (f->account == w->account && !(f->shares | f->own) && !frame_has(f, FRAME_QUEUED))
            range_record(range, va, RECORD_FRAME, PTE_FRAME(old) | (u64)(f->state >> 4) << 52);
        else if (fell)
            frame_queue(f);
    }
    if (range->worked)
        run_removed(s, r, range->worked);
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

void walk_take_down(struct walk *w) {
    struct window all = {.space = w->space}; /* and no account: no frame is its own */
    struct change c = {.range.walk = *w, .w = &all};
    (void)range_go(&c.range, unmap_run);
    *w = c.range.walk;
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
        pt_harvest(pt_frame(old), old);
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
        pt_harvest(pt_frame(entry), entry);
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

/* SPDX-License-Identifier: MIT */
/* unmap, protect and scan: walks that remove, change or show entries. */

#include "mm/pt.h"

static void put_record(u64 *area, u32 i, vaddr va, enum record_kind kind, u64 value) {
    area[2 * i] = va | kind;
    area[2 * i + 1] = value;
}

static struct range_result refused(err e) {
    return (struct range_result){.next = e};
}

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

/* Where unmap is. */
struct unmap {
    const struct window *w;
    u64 flags;
    u64 *area;
    u32 records;
    u32 removed; /* in the last run */
};

/* Remove the entries of a run; returns how many of them were looked at: fewer if the area is full. */
static u64 unmap_run(struct unmap *u, const struct run *r) {
    u->removed = 0;
    u64 i = 0;
    for (; i < r->count; i++) {
        u64 old = r->entry[i];
        if (!old || !may_touch(u->w, old) || (!(old & PTE_PRESENT) && u->flags & UNMAP_KEEP))
            continue;
        if (u->records == AREA_RECORDS)
            break;
        vaddr va = r->va + (i << PAGE_SHIFT);
        r->entry[i] = 0;
        u->removed++;
        if (!(old & PTE_PRESENT))
            put_record(u->area, u->records++, va, RECORD_PAGER, old);
        else if (gone(u->w, va, old))
            put_record(u->area, u->records++, va, RECORD_FRAME,
                       PTE_FRAME(old) | (u64)(pt_frame(old)->state >> 4) << 52);
    }
    if (u->removed)
        run_removed(u->w->space, r, u->removed);
    return i;
}

struct range_result mm_unmap(const struct window *w, vaddr first, u64 pages, u64 flags, u64 *area) {
    struct walk walk;
    struct run r;
    err e = walk_begin(&walk, w->space, first, pages, w->lo, w->hi);
    if (e || flags & ~(u64)UNMAP_KEEP)
        return refused(-E_INVAL);
    w->space->epoch++;
    struct unmap u = {w, flags, area, 0, 0};
    while (walk_next(&walk, &r)) {
        u64 done = unmap_run(&u, &r);
        if (done < r.count) {
            walk.at = r.va + (done << PAGE_SHIFT);
            return walk_result(&walk, u.records, STOP_FULL);
        }
        walk_charge(&walk, u.removed);
    }
    return walk_result(&walk, u.records, STOP_BOUND);
}

/* Give present entries of a run the bits; WRITE only where MAYWRITE allows it. */
static void protect_run(const struct window *w, const struct run *r, u64 bits) {
    for (u64 i = 0; i < r->count; i++) {
        u64 old = r->entry[i];
        if (!(old & PTE_PRESENT) || !may_touch(w, old))
            continue;
        u64 now = (old & (PTE_ADDRESS | PTE_MAYWRITE)) | (old & PTE_MAYWRITE ? bits : bits & ~PTE_WRITE);
        if (now == old)
            continue;
        pt_harvest(old);
        r->entry[i] = now;
        pt_flush(w->space, r->va + (i << PAGE_SHIFT));
    }
}

struct range_result mm_protect(const struct window *w, vaddr first, u64 pages, u64 rights) {
    struct walk walk;
    struct run r;
    err e = walk_begin(&walk, w->space, first, pages, w->lo, w->hi);
    if (e || rights & ~(u64)MAP_ALL)
        return refused(-E_INVAL);
    if (rights & ~(u64)w->rights || pt_breaks_wx(w->space, rights))
        return refused(-E_RIGHTS);
    w->space->epoch++;
    u64 bits = pt_bits(rights) & ~PTE_MAYWRITE;
    while (walk_next(&walk, &r))
        protect_run(w, &r, bits);
    return walk_result(&walk, 0, STOP_BOUND);
}

/* Show the entries of a run; returns how many were looked at: fewer if the area is full. */
static u64 scan_run(struct space *s, const struct run *r, u64 flags, u64 *area, u32 *records) {
    u64 i = 0;
    for (; i < r->count; i++) {
        u64 entry = r->entry[i];
        vaddr va = r->va + (i << PAGE_SHIFT);
        if (!entry)
            continue;
        if (*records == AREA_RECORDS)
            break;
        put_record(area, (*records)++, va, RECORD_ENTRY, entry);
        if (!(entry & PTE_PRESENT))
            continue;
        pt_harvest(entry);
        if (flags & CLEAR_BITS && entry & PTE_HARVEST) {
            r->entry[i] = entry & ~PTE_HARVEST;
            pt_flush(s, va);
        }
    }
    return i;
}

struct range_result mm_scan(struct space *s, vaddr first, u64 pages, u64 flags, u64 *area) {
    struct walk walk;
    struct run r;
    err e = walk_begin(&walk, s, first, pages, USER_FIRST, USER_END);
    if (e || flags & ~(u64)CLEAR_BITS)
        return refused(-E_INVAL);
    u32 records = 0;
    while (walk_next(&walk, &r)) {
        u64 done = scan_run(s, &r, flags, area, &records);
        if (done < r.count) {
            walk.at = r.va + (done << PAGE_SHIFT);
            return walk_result(&walk, records, STOP_FULL);
        }
    }
    return walk_result(&walk, records, STOP_BOUND);
}

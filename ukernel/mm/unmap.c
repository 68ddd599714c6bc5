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

/* The walk ends before va, as the area is full. */
static struct range_result full(struct walk *w, vaddr va, u32 records) {
    w->at = va;
    return (struct range_result){.next = (i64)va, .records = records, .stop = STOP_FULL};
}

/* May the caller touch this entry? A permit's holder only if the frame is its own. */
static bool may_touch(const struct window *w, u64 entry) {
    return !w->own_only || (entry & PTE_PRESENT && pt_frame(entry)->account == w->account);
}

/* The mapping of f in the window's space is gone: is it the caller's to know at once? Else its owner hears by
 * collect. */
static bool returned_to_caller(const struct window *w, struct frame *f) {
    bool fell = pt_uncount(w->space, f);
    if (f->account == w->account && !(f->shares | f->own) && !frame_has(f, FRAME_QUEUED))
        return true;
    if (fell)
        frame_queue(f);
    return false;
}

struct range_result mm_unmap(const struct window *w, vaddr first, u64 pages, u64 flags, u64 *area) {
    struct walk walk;
    err e = walk_begin(&walk, w->space, first, pages, w->lo, w->hi);
    if (e || flags & ~(u64)UNMAP_KEEP)
        return refused(-E_INVAL);
    w->space->epoch++;
    u32 records = 0;
    vaddr va;
    for (u64 *entry; (entry = walk_next(&walk, &va));) {
        u64 old = *entry;
        if (!may_touch(w, old) || (!(old & PTE_PRESENT) && flags & UNMAP_KEEP))
            continue;
        if (records == AREA_RECORDS)
            return full(&walk, va, records);
        *entry = 0;
        if (--pt_holder(entry)->next == 0) {
            pt_prune(w->space, va);
            walk_leave_table(&walk);
        }
        if (!(old & PTE_PRESENT)) {
            put_record(area, records++, va, RECORD_PAGER, old);
            continue;
        }
        pt_flush(w->space, va);
        pt_harvest(old);
        struct frame *f = pt_frame(old);
        if (returned_to_caller(w, f))
            put_record(area, records++, va, RECORD_FRAME, PTE_FRAME(old) | (u64)(f->state >> 4) << 52);
    }
    return walk_result(&walk, records);
}

struct range_result mm_protect(const struct window *w, vaddr first, u64 pages, u64 rights) {
    struct walk walk;
    err e = walk_begin(&walk, w->space, first, pages, w->lo, w->hi);
    if (e || rights & ~(u64)MAP_ALL)
        return refused(-E_INVAL);
    if (rights & ~(u64)w->rights || pt_breaks_wx(w->space, rights))
        return refused(-E_RIGHTS);
    w->space->epoch++;
    u64 bits = pt_bits(rights);
    vaddr va;
    for (u64 *entry; (entry = walk_next(&walk, &va));) {
        u64 old = *entry;
        if (!(old & PTE_PRESENT) || !may_touch(w, old))
            continue;
        u64 allowed = old & PTE_MAYWRITE ? bits : bits & ~PTE_WRITE;
        u64 now = (old & (PTE_ADDRESS | PTE_MAYWRITE)) | allowed;
        if (now == old)
            continue;
        pt_harvest(old);
        *entry = now;
        pt_flush(w->space, va);
    }
    return walk_result(&walk, 0);
}

struct range_result mm_scan(struct space *s, vaddr first, u64 pages, u64 flags, u64 *area) {
    struct walk walk;
    err e = walk_begin(&walk, s, first, pages, USER_FIRST, USER_END);
    if (e || flags & ~(u64)CLEAR_BITS)
        return refused(-E_INVAL);
    u32 records = 0;
    vaddr va;
    for (u64 *entry; (entry = walk_next(&walk, &va));) {
        if (records == AREA_RECORDS)
            return full(&walk, va, records);
        put_record(area, records++, va, RECORD_ENTRY, *entry);
        if (!(*entry & PTE_PRESENT))
            continue;
        pt_harvest(*entry);
        if (flags & CLEAR_BITS && *entry & PTE_HARVEST) {
            *entry &= ~PTE_HARVEST;
            pt_flush(s, va);
        }
    }
    return walk_result(&walk, records);
}

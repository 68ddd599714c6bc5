/* SPDX-License-Identifier: MIT */
/* Regions against a flat array of pages: seeded random mmap, munmap, mprotect, brk, mremap, fork and exit,
 * with failing allocations among them. After each step the regions are sorted, disjoint and merged, list and
 * tree agree, and page by page they say what the array says. */
#include <criterion/criterion.h>
#include <string.h>

#include <abi/errors.h>
#include <abi/layout.h>
#include "fault.h"
#include "mmap.h"
#include "model/seed.h"
#include "model/slab_host.h"
#include "object.h"
#include "region_fixture.h"

enum { PAGES = 192, MMS = 5, OBJECTS = 3, STEPS = 40000 };
#define BASE TASK_UNMAPPED_BASE

struct flat_page {
    u64 flags; /* 0: no region */
    u64 object, index;
};
struct flat {
    struct mm_struct *mm;
    struct flat_page page[PAGES];
    bool entry[PAGES]; /* the page tables have an entry */
};

static struct vm_context ctx;
static struct flat flats[MMS];
static u64 seed, pieces;
static bool failing; /* allocations fail in this step */

static u64 pick(u64 n) {
    return seed_next(&seed, n);
}

static void check_regions(struct flat *f) {
    const char *wrong = mm_check(f->mm);
    cr_assert(wrong == NULL, "%s", wrong);
}

static void check(struct flat *f) {
    struct flat_page seen[PAGES] = {0};
    struct vm_area_struct *vma;
    check_regions(f);
    TAILQ_FOREACH(vma, &f->mm->mmap, vm_list) {
        u64 index = vma->vm_pgoff;
        cr_assert(vma->vm_start >= BASE && vma->vm_end <= BASE + PAGES * PAGE_BYTES);
        for (vaddr a = vma->vm_start; a < vma->vm_end; a += PAGE_BYTES)
            seen[(a - BASE) / PAGE_BYTES] = (struct flat_page){
                vma->vm_flags, vma->vm_object ? vma->vm_object->id : 0, vma->vm_object ? index++ : 0};
    }
    for (int i = 0; i < PAGES; i++)
        cr_assert(memcmp(&seen[i], &f->page[i], sizeof seen[i]) == 0,
                  "page %d: flags %llx object %llu index %llu, and not flags %llx object %llu index %llu", i,
                  (unsigned long long)seen[i].flags, (unsigned long long)seen[i].object,
                  (unsigned long long)seen[i].index, (unsigned long long)f->page[i].flags,
                  (unsigned long long)f->page[i].object, (unsigned long long)f->page[i].index);
}

/* The released objects are those whose last page in any array went. */
static void check_objects(void) {
    u64 regions[OBJECTS + 1] = {0}, id;
    for (int i = 0; i < MMS; i++)
        for (int p = 0; flats[i].mm && p < PAGES; p++)
            if (flats[i].page[p].flags)
                regions[flats[i].page[p].object]++;
    struct vm_object *object;
    TAILQ_FOREACH(object, &ctx.released, released)
    cr_assert(vm_object_is_known(&ctx, object->id), "linux has its reference until it is told");
    while (vm_object_take_released(&ctx, &id))
        cr_assert_eq(regions[id], 0, "object %llu was released while mapped", (unsigned long long)id);
    for (id = 1; id <= OBJECTS; id++)
        cr_assert_eq(vm_object_is_known(&ctx, id), regions[id] > 0, "object %llu", (unsigned long long)id);
}

static void range_of(u64 *first, u64 *count) {
    *first = pick(PAGES);
    u64 most = pick(4) ? 12 : PAGES;
    *count = 1 + pick(MIN(PAGES - *first, most));
}

/* A program touches a page: it gets an entry if the verdict is to map one. For objects cache may map others
 * of the verdict's window as well. */
static void step_touch(struct flat *f) {
    u64 page = pick(PAGES);
    struct fault_words words = {.address = BASE + page * PAGE_BYTES + pick(PAGE_BYTES),
                                .info = FAULT_INFO(pick(3), 9, 0, 0, 0)};
    struct fault_verdict v;
    if (f->entry[page])
        return;
    do_page_fault(f->mm, &words, &v);
    if (v.kind == FAULT_FILL || v.kind == FAULT_ITEM) {
        cr_assert(f->page[page].flags && !f->page[page].object);
        f->entry[page] = true;
    } else if (v.kind == FAULT_FORWARD) {
        vaddr block = ROUND_DOWN(words.address, BLOCK_BYTES);
        for (u64 i = v.first; i < v.first + v.count; i++) {
            u64 at = (block + i * PAGE_BYTES - BASE) / PAGE_BYTES;
            f->entry[at] |= at == page || pick(3) == 0;
        }
    } else {
        cr_assert_eq(v.kind, FAULT_RAISE);
    }
}

/* The range of a piece lies within [first, first + count). */
static void note_range(const struct vm_change *change, u64 first, u64 count, bool *covered) {
    cr_assert(change->kind == CHANGE_NONE ||
              (change->start >= BASE + first * PAGE_BYTES && change->start < change->end &&
               change->end <= BASE + (first + count) * PAGE_BYTES));
    for (u64 i = first; i < first + count; i++) {
        vaddr a = BASE + i * PAGE_BYTES;
        covered[i] |= change->kind != CHANGE_NONE && a >= change->start && a < change->end;
    }
}

/* Does all pieces of a call that has begun: their ranges. Returns the page at which the last of them began. */
static u64 run_pieces(struct flat *f, struct vm_change *change, u64 first, u64 count, bool *covered) {
    vaddr rest, from = BASE + first * PAGE_BYTES;
    memset(covered, 0, PAGES * sizeof *covered);
    note_range(change, first, count, covered);
    while (rest = change->rest, vm_change_next(f->mm, change)) {
        from = rest;
        pieces++;
        note_range(change, first, count, covered);
        check_regions(f);
    }
    return (from - BASE) / PAGE_BYTES;
}

/* All of them, and all entries of [first, first + count) are in a range: it takes them away. */
static void finish_unmapping(struct flat *f, struct vm_change *change, u64 first, u64 count) {
    bool covered[PAGES];
    run_pieces(f, change, first, count, covered);
    for (u64 i = first; i < first + count; i++) {
        cr_assert(!f->entry[i] || covered[i]);
        f->entry[i] = false;
    }
    vm_change_finish(f->mm, change);
}

static u64 flags_at(struct flat *f, u64 page) {
    vaddr a = BASE + page * PAGE_BYTES;
    const struct vm_area_struct *vma = find_vma_intersection(f->mm, a, a + PAGE_BYTES);
    return vma ? vma->vm_flags : 0;
}

/* How far a call came whose last piece began at page `from`: to `end`, or to that piece if a border had no
 * memory. Flags under the mask tell. */
static u64 came_to(struct flat *f, const struct vm_change *change, u64 from, u64 end, u64 mask, u64 flags) {
    for (u64 i = from; i < end && change->status == -E_NOMEM; i++)
        if ((flags_at(f, i) & mask) != flags)
            return from;
    return end;
}

static bool all_free(const struct flat *f, u64 first, u64 count) {
    for (u64 i = first; i < first + count; i++)
        if (f->page[i].flags)
            return false;
    return true;
}

static void step_mmap(struct flat *f) {
    static const u64 flag_choices[] = {0, MAP_FIXED, MAP_FIXED, MAP_FIXED_NOREPLACE};
    struct vm_change change;
    u64 first, count;
    range_of(&first, &count);
    struct mmap_request r = {.addr = BASE + first * PAGE_BYTES, .len = count * PAGE_BYTES - pick(PAGE_BYTES)};
    r.prot = pick(8);
    r.object = pick(3) ? 0 : 1 + pick(OBJECTS);
    r.pgoff = r.object && pick(2) ? first : pick(3);
    r.max_prot = pick(3) ? PROT_MASK : PROT_READ | PROT_EXEC;
    r.flags =
        flag_choices[pick(4)] | (r.object && pick(2) ? MAP_SHARED : MAP_PRIVATE) | (pick(9) ? 0 : MAP_LOCKED);
    i64 a = do_mmap(f->mm, &r, &change);
    if (a == -E_NOMEM)
        return;
    if (r.object && (r.prot & ~r.max_prot)) {
        cr_assert_eq(a, -E_ACCES);
        return;
    }
    if (r.flags & MAP_FIXED_NOREPLACE && !all_free(f, first, count)) {
        cr_assert_eq(a, -E_EXIST);
        return;
    }
    cr_assert(a >= (i64)BASE, "mmap: %s", err_name(a));
    u64 at = ((vaddr)a - BASE) / PAGE_BYTES;
    if (at + count <= PAGES)
        finish_unmapping(f, &change, at, count);
    else
        vm_change_finish(f->mm, &change);
    if (r.flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
        cr_assert_eq(at, first);
    if (at + count > PAGES) { /* found room above the array */
        cr_assert_eq(do_munmap(f->mm, (vaddr)a, r.len, &change), 0);
        vm_change_finish(f->mm, &change);
        f->mm->free_area_cache = BASE;
        return;
    }
    if (!(r.flags & MAP_FIXED))
        cr_assert(all_free(f, at, count));
    u64 may = r.object ? r.max_prot : PROT_MASK;
    for (u64 i = 0; i < count; i++)
        f->page[at + i] =
            (struct flat_page){r.prot | may << VM_MAY_SHIFT | (r.flags & MAP_SHARED ? VM_SHARED : 0) |
                                   (r.flags & MAP_LOCKED ? VM_LOCKED : 0),
                               r.object, r.object ? r.pgoff + i : 0};
}

static void step_munmap(struct flat *f) {
    struct vm_change change;
    u64 first, count;
    range_of(&first, &count);
    err e = do_munmap(f->mm, BASE + first * PAGE_BYTES, count * PAGE_BYTES, &change);
    if (e == -E_NOMEM)
        return;
    cr_assert_eq(e, 0);
    finish_unmapping(f, &change, first, count);
    for (u64 i = first; i < first + count; i++)
        f->page[i] = (struct flat_page){0};
}

static void step_mprotect(struct flat *f) {
    struct vm_change change;
    bool covered[PAGES];
    u64 first, count, prot = pick(8);
    err stop = 0;
    range_of(&first, &count);
    u64 end = first;
    for (; end < first + count && !stop; end += !stop)
        stop = !f->page[end].flags ? -E_NOMEM : (prot & ~(f->page[end].flags >> VM_MAY_SHIFT)) ? -E_ACCES : 0;
    err e = do_mprotect(f->mm, BASE + first * PAGE_BYTES, count * PAGE_BYTES, prot, &change);
    if (e < 0) {
        cr_assert(e == -E_NOMEM || (e == stop && end == first));
        return;
    }
    u64 from = run_pieces(f, &change, first, count, covered);
    u64 to = came_to(f, &change, from, end, VM_RIGHTS, prot);
    cr_assert(failing || (to == end && change.status == stop));
    cr_assert(to > first, "what lies before a hole is changed");
    for (u64 i = first; i < to; i++) {
        cr_assert(covered[i] || !f->entry[i] || (f->page[i].flags & VM_RIGHTS) == prot);
        f->page[i].flags = (f->page[i].flags & ~(u64)VM_RIGHTS) | prot;
    }
    vm_change_finish(f->mm, &change);
}

/* Pages that are locked stop it, holes do not. */
static void step_dontneed(struct flat *f) {
    struct vm_change change;
    u64 first, count;
    bool only_anonymous = pick(3) == 0, covered[PAGES];
    err status = 0;
    range_of(&first, &count);
    u64 end = first;
    for (; end < first + count; end++) {
        const struct flat_page *page = &f->page[end];
        if ((page->flags & VM_LOCKED) || (page->flags && only_anonymous && page->object)) {
            status = -E_INVAL;
            break;
        }
        if (!page->flags)
            status = -E_NOMEM;
    }
    cr_assert_eq(
        madvise_dontneed(f->mm, BASE + first * PAGE_BYTES, count * PAGE_BYTES, only_anonymous, &change), 0);
    run_pieces(f, &change, first, count, covered);
    cr_assert_eq(change.status, status);
    for (u64 i = first; i < first + count; i++) {
        cr_assert(i < end ? covered[i] || !f->entry[i] : !covered[i]);
        f->entry[i] &= !covered[i];
    }
    vm_change_finish(f->mm, &change);
}

static void step_mremap(struct flat *f) {
    struct vm_change change;
    u64 first, count, new_count = 1 + pick(12);
    range_of(&first, &count);
    if (first + new_count > PAGES || !f->page[first].flags)
        return;
    struct flat_page last = f->page[first + count - 1];
    struct mremap_request r = {BASE + first * PAGE_BYTES, count * PAGE_BYTES, new_count * PAGE_BYTES, 0, 0};
    i64 a = do_mremap(f->mm, &r, &change);
    if (a < 0)
        return;
    if (new_count < count)
        finish_unmapping(f, &change, first + new_count, count - new_count);
    else
        vm_change_finish(f->mm, &change);
    for (u64 i = new_count; i < count; i++)
        f->page[first + i] = (struct flat_page){0};
    for (u64 i = count; i < new_count; i++) {
        cr_assert_eq(f->page[first + i].flags, 0, "mremap grew over another region");
        last.index += last.object != 0;
        f->page[first + i] = last;
    }
}

/* mremap to a fixed place: nothing but the old and the new place changes, and entries of the old place are
 * all in the range that is to be moved. */
static void step_move(struct flat *f) {
    struct vm_change change;
    u64 first, count, to, new_count;
    range_of(&first, &count);
    range_of(&to, &new_count);
    bool keep = pick(4) == 0, shared = f->page[first].flags & VM_SHARED;
    if (keep)
        new_count = count;
    if (!f->page[first].flags || to + new_count > PAGES)
        return;
    struct mremap_request r = {BASE + first * PAGE_BYTES, count * PAGE_BYTES, new_count * PAGE_BYTES,
                               MREMAP_MAYMOVE | MREMAP_FIXED | (keep ? MREMAP_DONTUNMAP : 0),
                               BASE + to * PAGE_BYTES};
    struct flat_page old[PAGES];
    bool old_entry[PAGES];
    memcpy(old, f->page, sizeof old);
    memcpy(old_entry, f->entry, sizeof old_entry);
    u64 tables = mremap_tables(f->mm, &r);
    i64 a = do_mremap(f->mm, &r, &change);
    if (a < 0) {
        bool overlap = first < to + new_count && to < first + count;
        cr_assert(a != -E_INVAL || overlap || (keep && old[first].object));
        return;
    }
    cr_assert_eq(a, (i64)r.new_addr);
    for (u64 i = first; i < first + count; i++)
        if (f->entry[i]) {
            vaddr at = BASE + i * PAGE_BYTES;
            cr_assert(change.move_low <= at && at < change.move_high, "an entry is left behind");
            cr_assert(shared || i >= first + new_count || (tables > 0 && at < change.move_limit));
            f->entry[i] = false;
        }
    finish_unmapping(f, &change, to, new_count);
    for (u64 i = first; i < first + count && !keep; i++)
        f->page[i] = (struct flat_page){0};
    for (u64 i = 0; i < new_count; i++) {
        f->page[to + i] = old[first];
        f->page[to + i].index += old[first].object ? i : 0;
        f->entry[to + i] = !shared && i < count && old_entry[first + i];
    }
}

static void step_mlock(struct flat *f) {
    struct vm_change change;
    u64 first, count;
    bool lock = pick(2), covered[PAGES];
    u64 wanted = lock ? VM_LOCKED : 0;
    range_of(&first, &count);
    if (do_mlock(f->mm, BASE + first * PAGE_BYTES, count * PAGE_BYTES, lock, &change) < 0)
        return;
    u64 end = first;
    while (end < first + count && f->page[end].flags)
        end++;
    u64 from = run_pieces(f, &change, first, count, covered);
    u64 to = came_to(f, &change, from, end, VM_LOCKED, wanted);
    cr_assert(failing || (to == end && change.status == (end < first + count ? -E_NOMEM : 0)));
    for (u64 i = first; i < to; i++)
        f->page[i].flags = (f->page[i].flags & ~(u64)VM_LOCKED) | wanted;
    vm_change_finish(f->mm, &change);
}

static void step_mlockall(struct flat *f) {
    struct vm_change change;
    bool lock = pick(2), covered[PAGES];
    do_mlockall(f->mm, lock, false, &change);
    run_pieces(f, &change, 0, PAGES, covered);
    cr_assert_eq(change.status, 0);
    for (u64 i = 0; i < PAGES; i++)
        if (f->page[i].flags)
            f->page[i].flags = (f->page[i].flags & ~(u64)VM_LOCKED) | (lock ? VM_LOCKED : 0);
    vm_change_finish(f->mm, &change);
}

/* The heap lies somewhere in the array; what is in its way stops it. */
static void step_brk(struct flat *f) {
    struct vm_change change;
    struct mm_struct *mm = f->mm;
    if (pick(20) == 0)
        mm->start_brk = mm->brk = BASE + pick(PAGES) * PAGE_BYTES + pick(100);
    vaddr old = mm->brk, wish = mm->start_brk + pick(20 * PAGE_BYTES);
    u64 from = (ROUND_UP(old, PAGE_BYTES) - BASE) / PAGE_BYTES,
        to = (ROUND_UP(wish, PAGE_BYTES) - BASE) / PAGE_BYTES;
    if (to >= PAGES || from > PAGES)
        return;
    vaddr now = sys_brk(mm, wish, &change);
    if (now == wish && to < from)
        finish_unmapping(f, &change, to, from - to);
    else
        vm_change_finish(mm, &change);
    if (now == old && wish != old)
        return;
    cr_assert_eq(now, wish);
    for (u64 i = to; i < from; i++)
        f->page[i] = (struct flat_page){0};
    for (u64 i = from; i < to; i++) {
        cr_assert_eq(f->page[i].flags, 0, "the heap grew over a region");
        f->page[i].flags = VM_READ | VM_WRITE | VM_MAYRIGHTS;
    }
}

static void end(struct flat *f) {
    vaddr from = 0, start, stop;
    for (; exit_next_range(f->mm, from, &start, &stop); from = stop)
        for (vaddr a = start; a < stop; a += PAGE_BYTES)
            f->entry[(a - BASE) / PAGE_BYTES] = false;
    for (int i = 0; i < PAGES; i++)
        cr_assert(!f->entry[i], "an entry is left behind");
    while (exit_mmap_one(f->mm)) {
    }
    mm_free(f->mm);
    *f = (struct flat){0};
}

static void step_fork(struct flat *f) {
    struct flat *child = &flats[pick(MMS)];
    if (child == f)
        return;
    if (child->mm)
        end(child);
    child->mm = mm_alloc(&ctx);
    if (!child->mm)
        return;
    i64 at = 0;
    while (at >= 0 && at < (i64)TASK_SIZE)
        at = dup_mmap(child->mm, f->mm, (vaddr)at, 1 + pick(4));
    if (at < 0) {
        cr_assert_eq(at, -E_NOMEM);
        end(child);
        return;
    }
    bool missed[PAGES];
    memcpy(missed, f->entry, sizeof missed);
    memcpy(child->page, f->page, sizeof f->page);
    for (int i = 0; i < PAGES; i++)
        child->page[i].flags &= ~(u64)VM_LOCKED;
    vaddr from = 0, start, stop;
    bool private;
    for (; fork_next_range(child->mm, from, &start, &stop, &private); from = stop)
        for (vaddr a = start; a < stop; a += PAGE_BYTES) {
            u64 i = (a - BASE) / PAGE_BYTES;
            cr_assert(!f->entry[i] || private == !(child->page[i].flags & VM_SHARED));
            child->entry[i] = f->entry[i];
            missed[i] = false;
        }
    for (int i = 0; i < PAGES; i++)
        cr_assert(!missed[i], "fork did not come to page %d", i);
    check(child);
}

static void step(struct flat *f) {
    static void (*const steps[])(struct flat *) = {step_mmap,   step_mmap,     step_mmap,   step_munmap,
                                                   step_munmap, step_mprotect, step_mremap, step_dontneed,
                                                   step_brk,    step_move,     step_mlock,  step_mlockall,
                                                   step_touch,  step_touch,    step_touch};
    if (!f->mm) {
        f->mm = mm_alloc(&ctx);
        if (!f->mm)
            return;
    }
    u64 what = pick(100);
    if (what == 0)
        end(f);
    else if (what < 4)
        step_fork(f);
    else
        steps[pick(ARRAY_LEN(steps))](f);
    if (f->mm)
        check(f);
}

Test(regions, random_against_flat_pages) {
    seed = seed_begin(0x5eed0001);
    region_fixture(&ctx);
    for (int i = 0; i < STEPS; i++) {
        failing = pick(10) == 0;
        slab_host_fail_after(failing ? (i64)pick(3) : -1);
        ctx.piece = pick(3) ? 1 + (u32)pick(4) : PIECE_REGIONS;
        step(&flats[pick(MMS)]);
        slab_host_fail_after(-1);
        check_objects();
    }
    for (int i = 0; i < MMS; i++)
        if (flats[i].mm)
            end(&flats[i]);
    check_objects();
    cr_assert(pieces > STEPS / 20, "calls were not cut: %llu pieces", (unsigned long long)pieces);
    cr_assert_eq(slab_host_in_use(), 0, "descriptors were lost");
}

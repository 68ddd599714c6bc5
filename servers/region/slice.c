/* SPDX-License-Identifier: MIT */
/* Long work in slices; see slice.h. Callers: calls.c when a call begins, main.c between messages. */
#include "slice.h"

#include <abi/errors.h>
#include <ipc/assert.h>

void work_begin(struct vm_work *work, enum work_kind kind, struct mm_struct *mm, struct mm_struct *child) {
    ASSERT(!mm->busy);
    mm->busy = true;
    if (child)
        child->busy = true;
    work->kind = kind;
    work->phase = kind == WORK_FORK || kind == WORK_COUNT ? PHASE_REGIONS
                  : kind == WORK_MREMAP                   ? PHASE_FEED
                                                          : PHASE_RANGES;
    work->owner = mm;
    work->mm = mm;
    work->child = child;
    work->at = kind == WORK_CHANGE ? work->change.start : 0;
    work->result = 0;
    work->counts = (struct vm_counts){0};
    work->fed = 0;
    work->chunk = UNMAP_PAGES;
}

static u64 pages_between(vaddr start, vaddr end) {
    return (end - start) >> PAGE_SHIFT;
}

/* True while ranges remain. */
static bool next_range(struct vm_work *work, vaddr *start, vaddr *end, bool *private) {
    switch (work->kind) {
    case WORK_CHANGE:
    case WORK_MREMAP:
        *start = work->at;
        *end = work->change.end;
        return work->change.kind != CHANGE_NONE && *start < *end;
    case WORK_FORK:
        return fork_next_range(work->child, work->at, start, end, private);
    default:
        return exit_next_range(work->mm, work->at, start, end);
    }
}

static bool unmaps(const struct vm_work *work) {
    if (work->kind == WORK_CHANGE || work->kind == WORK_MREMAP)
        return work->change.kind == CHANGE_UNMAP;
    return work->kind == WORK_RESET || work->kind == WORK_EXIT;
}

static i64 unmap(struct vm_work *work, const struct vm_kernel *k, vaddr start, u64 pages) {
    u64 before = work->freed;
    i64 at = k->unmap(k->self, work->mm->space, start, pages, &work->freed);
    bool dense = work->freed - before > UNMAP_PAGES / 4;
    work->chunk = dense ? UNMAP_PAGES : MIN(2 * work->chunk, (u64)UNMAP_MOST);
    return at;
}

/* One range call; where it came to. */
static i64 do_range(struct vm_work *work, const struct vm_kernel *k, vaddr start, vaddr end, bool private) {
    u32 space = work->mm->space;
    u64 pages = pages_between(start, end);
    switch (work->kind) {
    case WORK_CHANGE:
        if (work->change.kind == CHANGE_PROTECT)
            return k->protect(k->self, space, start, pages, work->change.rights);
        return unmap(work, k, start, pages);
    case WORK_FORK:
        return k->clone(k->self, space, work->child->space, start, pages, private);
    case WORK_COUNT:
        return k->scan(k->self, space, start, pages, &work->counts.resident);
    default:
        return unmap(work, k, start, pages);
    }
}

/* The child is incomplete: from now on this work takes it down. */
static void fork_failed(struct vm_work *work) {
    work->mm = work->child;
    work->child = NULL;
    work->kind = WORK_EXIT;
    work->phase = PHASE_RANGES;
    work->at = 0;
    work->result = -E_NOMEM;
}

/* What follows when all ranges are done. */
static enum work_phase after_ranges(struct vm_work *work) {
    bool changes = work->kind == WORK_CHANGE || work->kind == WORK_MREMAP;
    if (changes && vm_change_next(work->mm, &work->change)) {
        work->at = work->change.start;
        return PHASE_RANGES;
    }
    if (work->kind == WORK_MREMAP) {
        work->at = work->change.move_low;
        return PHASE_MOVE;
    }
    if (work->kind == WORK_CHANGE) {
        work->result = work->change.status;
        vm_change_finish(work->mm, &work->change);
    }
    return work->kind == WORK_RESET || work->kind == WORK_EXIT ? PHASE_CLOSE : PHASE_DONE;
}

static void slice_ranges(struct vm_work *work, const struct vm_kernel *k) {
    vaddr start, end;
    bool private = false;
    u64 pages = 0;
    work->freed = 0;
    for (int calls = 0; calls < SLICE_CALLS; calls++) {
        if (!next_range(work, &start, &end, &private)) {
            work->phase = after_ranges(work);
            return;
        }
        if (unmaps(work))
            end = MIN(end, start + work->chunk * PAGE_BYTES);
        i64 at = do_range(work, k, start, end, private);
        if (at < 0 && work->kind == WORK_FORK) {
            i64 fed = at == -E_NEED_TABLES ? k->feed(k->self, work->child->space) : at;
            if (fed < 0)
                fork_failed(work);
            else
                work->child->tables += (u64)fed;
            return;
        }
        ASSERT(at >= (i64)start && at <= (i64)end);
        work->at = (vaddr)at;
        pages += pages_between(start, work->at);
        if (work->at < end || pages >= SLICE_PAGES || work->freed >= SLICE_FREED)
            return;
    }
}

/* Feeds what moving may need, as the program's threads may touch more meanwhile; then the regions change. */
static void slice_feed(struct vm_work *work, const struct vm_kernel *k) {
    if (work->fed < mremap_tables(work->mm, &work->mremap)) {
        i64 fed = k->feed(k->self, work->mm->space);
        if (fed >= 0) {
            work->fed += (u64)fed;
            work->mm->tables += (u64)fed;
            return;
        }
        work->result = fed;
    } else {
        work->result = do_mremap(work->mm, &work->mremap, &work->change);
    }
    work->at = work->change.start;
    work->phase = work->result < 0 ? PHASE_MOVE : PHASE_RANGES;
    if (work->result < 0)
        vm_change_init(&work->change);
}

/* The end of mremap, well or not: tables that were not needed come back. */
static void slice_move(struct vm_work *work, const struct vm_kernel *k) {
    for (int calls = 0; calls < SLICE_CALLS; calls++)
        if (move_step(work, k)) {
            if (work->fed)
                work->mm->tables -= k->unfeed(k->self, work->mm->space, work->fed);
            vm_change_finish(work->mm, &work->change);
            work->phase = PHASE_DONE;
            return;
        }
}

static void count_region(struct vm_counts *c, const struct vm_area_struct *vma) {
    u64 pages = vma_pages(vma);
    if (vma->vm_flags & VM_SHARED)
        c->shared += pages;
    else if (vma->vm_flags & VM_GROWSDOWN)
        c->stack += pages;
    else if (vma->vm_flags & VM_WRITE)
        c->data += pages;
    if (vma->vm_flags & VM_EXEC)
        c->text += pages;
}

static void slice_count(struct vm_work *work) {
    struct vm_area_struct *vma = find_vma(work->mm, work->at);
    for (int i = 0; i < SLICE_COUNTED && vma; i++, vma = vma_next(vma))
        count_region(&work->counts, vma);
    work->phase = vma ? PHASE_REGIONS : PHASE_RANGES;
    work->at = vma ? vma->vm_start : 0;
}

static void slice_regions(struct vm_work *work) {
    i64 at = dup_mmap(work->child, work->mm, work->at, SLICE_REGIONS);
    if (at < 0) {
        fork_failed(work);
    } else if (at == (i64)TASK_SIZE) {
        work->phase = PHASE_RANGES;
        work->at = 0;
    } else {
        work->at = (vaddr)at;
    }
}

/* An empty descriptor is like a new one: exec fills it anew. */
static void slice_close(struct vm_work *work) {
    for (int i = 0; i < SLICE_REGIONS; i++)
        if (!exit_mmap_one(work->mm)) {
            mm_forget_layout(work->mm);
            work->phase = work->kind == WORK_EXIT ? PHASE_DESTROY : PHASE_DONE;
            return;
        }
}

static void slice_destroy(struct vm_work *work, const struct vm_kernel *k) {
    err e = k->destroy(k->self, work->mm->space);
    if (e == -E_AGAIN)
        return;
    work->phase = PHASE_DONE;
    if (e < 0) {
        work->result = e; /* the empty descriptor stays */
        return;
    }
    if (work->owner == work->mm)
        work->owner = NULL;
    mm_free(work->mm);
    work->mm = NULL;
}

static bool done(struct vm_work *work) {
    if (work->owner)
        work->owner->busy = false;
    if (work->child)
        work->child->busy = false;
    return true;
}

bool work_slice(struct vm_work *work, const struct vm_kernel *k) {
    for (int calls = 0; work->phase == PHASE_FEED && calls < SLICE_CALLS / 4; calls++)
        slice_feed(work, k);
    if (work->phase == PHASE_REGIONS) {
        work->kind == WORK_COUNT ? slice_count(work) : slice_regions(work);
        if (work->phase == PHASE_REGIONS)
            return false;
    }
    if (work->phase == PHASE_RANGES)
        slice_ranges(work, k);
    if (work->phase == PHASE_MOVE)
        slice_move(work, k);
    if (work->phase == PHASE_CLOSE)
        slice_close(work);
    if (work->phase == PHASE_DESTROY)
        slice_destroy(work, k);
    return work->phase == PHASE_DONE && done(work);
}

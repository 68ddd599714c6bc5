/* SPDX-License-Identifier: MIT */
/* mprotect, madvise, mlock; see mmap.h. Design: Linux 2.4's mm/mprotect.c, mm/mlock.c and
 * madvise_dontneed. */
#include "mmap.h"

#include <abi/errors.h>

/* How far regions without a hole between them permit prot, from start on: *stop, at most end, and no more than
 * a piece. 0, or what ended it: -E_NOMEM, -E_ACCES. */
static err covered(struct mm_struct *mm, vaddr start, vaddr end, u64 prot, vaddr *stop) {
    struct vm_area_struct *vma = find_vma(mm, start);
    vaddr at = start;
    err e = 0;
    for (u32 left = mm->ctx->piece; at < end && !e && left; left--) {
        if (!vma || vma->vm_start > at) {
            e = -E_NOMEM;
        } else if (prot & ~(vma->vm_flags >> VM_MAY_SHIFT)) {
            e = -E_ACCES;
        } else {
            at = vma->vm_end;
            vma = vma_next(vma);
        }
    }
    *stop = MIN(at, end);
    return e;
}

/* The region that addr lies inside of, with some of it below; or NULL. */
static struct vm_area_struct *region_around(struct mm_struct *mm, vaddr addr) {
    struct vm_area_struct *vma = find_vma(mm, addr);
    return vma && vma->vm_start < addr ? vma : NULL;
}

/* Makes start and end borders between regions; both or, for want of memory, none. */
static err cut_at_ends(struct mm_struct *mm, vaddr start, vaddr end) {
    struct vm_area_struct *low = start < end ? region_around(mm, start) : NULL,
                          *high = region_around(mm, end);
    struct vm_area_struct *above_start = NULL, *above_end = NULL;

    if (mm->map_count + (low != NULL) + (high != NULL) > MAX_MAP_COUNT)
        return -E_NOMEM;
    if (low && !(above_start = vma_alloc(mm)))
        return -E_NOMEM;
    if (high && !(above_end = vma_alloc(mm))) {
        vma_free_unused(mm, above_start);
        return -E_NOMEM;
    }
    if (high) /* if both are the same region, it keeps what lies below */
        split_vma(high, end, above_end);
    if (low)
        split_vma(low, start, above_start);
    return 0;
}

/* The next piece of a call, [*start, *stop), if regions that permit prot cover it; its ends become borders, but
 * for the start of one that follows another: that lies at a border, or in a region that the piece before has
 * changed and merged with its neighbour. On an error, which ends the call, nothing has changed. */
static err take_piece(struct mm_struct *mm, struct vm_change *change, u64 prot, vaddr *start, vaddr *stop) {
    *start = change->rest;
    err status = covered(mm, *start, change->rest_end, prot, stop);
    err e = *stop == *start ? status : cut_at_ends(mm, change->begun ? *stop : *start, *stop);
    change->rest = e || status ? change->rest_end : *stop;
    if (e < 0)
        return e;
    change->status = status;
    change->begun = true;
    return 0;
}

static err begin_steps(struct mm_struct *mm, struct vm_change *change, vaddr start, vaddr end,
                       err (*step)(struct mm_struct *mm, struct vm_change *change), u64 argument) {
    change->rest = start;
    change->rest_end = end;
    change->step = step;
    change->argument = argument;
    return step(mm, change);
}

static err protect_step(struct mm_struct *mm, struct vm_change *change) {
    u64 prot = change->argument;
    vaddr start, stop, low = ~0ull, high = 0;
    err e = take_piece(mm, change, prot, &start, &stop);
    if (e < 0)
        return e;
    for (struct vm_area_struct *vma = find_vma(mm, start); vma && vma->vm_start < stop; vma = vma_next(vma)) {
        if ((vma->vm_flags & VM_RIGHTS) != prot)
            vma_add_touched(vma, start, stop, &low, &high);
        vma->vm_flags = (vma->vm_flags & ~(u64)VM_RIGHTS) | prot;
    }
    vma_merge_range(mm, start, stop);
    vm_change_range(change, CHANGE_PROTECT, low, high);
    change->rights = vma_map_rights(prot);
    return 0;
}

err do_mprotect(struct mm_struct *mm, vaddr start, u64 len, u64 prot, struct vm_change *change) {
    if ((start & PAGE_MASK) || (prot & ~(u64)PROT_MASK))
        return -E_INVAL;
    vm_change_init(change);
    if (len == 0)
        return 0;
    if (len > TASK_SIZE || start > TASK_SIZE - len)
        return -E_NOMEM;
    return begin_steps(mm, change, start, start + ROUND_UP(len, PAGE_BYTES), protect_step, prot);
}

/* change->argument: nothing but private anonymous memory is meant. */
static err dontneed_step(struct mm_struct *mm, struct vm_change *change) {
    struct vm_area_struct *vma = find_vma(mm, change->rest);
    vaddr start = change->rest, end = change->rest_end, at = start, low = ~0ull, high = 0;
    u32 left = mm->ctx->piece;
    for (; vma && vma->vm_start < end && left; vma = vma_next(vma), left--) {
        if (vma->vm_start > at)
            change->status = -E_NOMEM;
        if ((vma->vm_flags & VM_LOCKED) || (change->argument && vma->vm_object)) {
            change->status = -E_INVAL;
            break;
        }
        at = vma->vm_end;
        vma_add_touched(vma, start, end, &low, &high);
    }
    bool all = left && change->status != -E_INVAL;
    if (all && at < end)
        change->status = -E_NOMEM;
    change->rest = left || at >= end ? end : at;
    vm_change_range(change, CHANGE_UNMAP, low, high);
    return 0;
}

err madvise_dontneed(struct mm_struct *mm, vaddr start, u64 len, bool only_anonymous,
                     struct vm_change *change) {
    if ((start & PAGE_MASK) || len > TASK_SIZE || start > TASK_SIZE - len)
        return -E_INVAL;
    vm_change_init(change);
    if (len == 0)
        return 0;
    return begin_steps(mm, change, start, start + ROUND_UP(len, PAGE_BYTES), dontneed_step, only_anonymous);
}

static void set_locked(struct mm_struct *mm, struct vm_area_struct *vma, bool lock) {
    u64 pages = vma_pages(vma), flags = vma->vm_flags & ~(u64)VM_LOCKED;
    if (vma->vm_flags & VM_LOCKED)
        mm->locked_vm -= pages;
    if (lock)
        mm->locked_vm += pages;
    vma->vm_flags = flags | (lock ? VM_LOCKED : 0);
}

static err lock_step(struct mm_struct *mm, struct vm_change *change) {
    vaddr start, stop;
    err e = take_piece(mm, change, 0, &start, &stop);
    if (e < 0)
        return e;
    for (struct vm_area_struct *vma = find_vma(mm, start); vma && vma->vm_start < stop; vma = vma_next(vma))
        set_locked(mm, vma, change->argument);
    vma_merge_range(mm, start, stop);
    return 0;
}

err do_mlock(struct mm_struct *mm, vaddr start, u64 len, bool lock, struct vm_change *change) {
    u64 bytes = ROUND_UP((start & PAGE_MASK) + len, PAGE_BYTES);

    start &= ~PAGE_MASK;
    vm_change_init(change);
    if (bytes < len || bytes > TASK_SIZE || start > TASK_SIZE - bytes)
        return -E_NOMEM;
    return bytes ? begin_steps(mm, change, start, start + bytes, lock_step, lock) : 0;
}

static err lock_all_step(struct mm_struct *mm, struct vm_change *change) {
    struct vm_area_struct *vma = find_vma(mm, change->rest);
    vaddr start = change->rest;
    for (u32 left = mm->ctx->piece; vma && left; vma = vma_next(vma), left--)
        set_locked(mm, vma, change->argument);
    change->rest = vma ? vma->vm_start : change->rest_end;
    vma_merge_range(mm, start, change->rest);
    return 0;
}

void do_mlockall(struct mm_struct *mm, bool now, bool future, struct vm_change *change) {
    mm->def_flags = future ? VM_LOCKED : 0;
    vm_change_init(change);
    if (now || !future)
        (void)!begin_steps(mm, change, 0, TASK_SIZE, lock_all_step, now); /* cannot fail */
}

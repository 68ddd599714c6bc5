/* SPDX-License-Identifier: MIT */
/* mprotect, madvise, mlock; see mmap.h. Design: Linux 2.4's mm/mprotect.c, mm/mlock.c and
 * madvise_dontneed. */
#include "mmap.h"

#include <abi/errors.h>

/* How far regions without a hole between them permit prot, from start on: *stop, at most end. 0, or what
 * ended it: -E_NOMEM, -E_ACCES. */
static err covered(struct mm_struct *mm, vaddr start, vaddr end, u64 prot, vaddr *stop) {
    vaddr at = start;
    err e = 0;
    for (struct vm_area_struct *vma = find_vma(mm, start); at < end && !e; vma = vma_next(vma)) {
        if (!vma || vma->vm_start > at)
            e = -E_NOMEM;
        else if (prot & ~(vma->vm_flags >> VM_MAY_SHIFT))
            e = -E_ACCES;
        else
            at = vma->vm_end;
        if (!vma)
            break;
    }
    *stop = MIN(at, end);
    return e;
}

/* True if addr lies inside a region, with some of it below. */
static bool is_inside(struct mm_struct *mm, vaddr addr) {
    const struct vm_area_struct *vma = find_vma(mm, addr);
    return vma && vma->vm_start < addr;
}

/* Makes start and end borders between regions; both or, for want of memory, none. */
static err cut_at_both(struct mm_struct *mm, vaddr start, vaddr end) {
    bool low = is_inside(mm, start), high = is_inside(mm, end);
    struct vm_area_struct *above_start = NULL, *above_end = NULL;

    if (mm->map_count + low + high > MAX_MAP_COUNT)
        return -E_NOMEM;
    if (low && !(above_start = vma_alloc(mm)))
        return -E_NOMEM;
    if (high && !(above_end = vma_alloc(mm))) {
        vma_free_unused(mm, above_start);
        return -E_NOMEM;
    }
    if (high)
        split_vma(find_vma(mm, end), end, above_end);
    if (low)
        split_vma(find_vma(mm, start), start, above_start);
    return 0;
}

err do_mprotect(struct mm_struct *mm, vaddr start, u64 len, u64 prot, struct vm_change *change) {
    vaddr stop, low = ~0ull, high = 0;

    if ((start & PAGE_MASK) || (prot & ~(u64)PROT_MASK))
        return -E_INVAL;
    vm_change_init(change);
    if (len == 0)
        return 0;
    if (len > TASK_SIZE || start > TASK_SIZE - len)
        return -E_NOMEM;
    err status = covered(mm, start, start + ROUND_UP(len, PAGE_BYTES), prot, &stop);
    if (stop == start)
        return status;
    err e = cut_at_both(mm, start, stop);
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
    change->status = status;
    return 0;
}

/* True if a region of [start, end) has one of these flags, or an object if that is asked. */
static bool any_with(struct mm_struct *mm, vaddr start, vaddr end, u64 flags, bool object) {
    for (struct vm_area_struct *vma = find_vma(mm, start); vma && vma->vm_start < end; vma = vma_next(vma))
        if ((vma->vm_flags & flags) || (object && vma->vm_object))
            return true;
    return false;
}

err madvise_dontneed(struct mm_struct *mm, vaddr start, u64 len, bool only_anonymous,
                     struct vm_change *change) {
    if ((start & PAGE_MASK) || len > TASK_SIZE || start > TASK_SIZE - len)
        return -E_INVAL;
    vm_change_init(change);
    if (len == 0)
        return 0;
    vaddr end = start + ROUND_UP(len, PAGE_BYTES), low = ~0ull, high = 0, at = start;
    if (any_with(mm, start, end, VM_LOCKED, only_anonymous))
        return -E_INVAL;
    for (struct vm_area_struct *vma = find_vma(mm, start); vma && vma->vm_start < end; vma = vma_next(vma)) {
        if (vma->vm_start > at)
            change->status = -E_NOMEM;
        at = vma->vm_end;
        vma_add_touched(vma, start, end, &low, &high);
    }
    if (at < end)
        change->status = -E_NOMEM;
    vm_change_range(change, CHANGE_UNMAP, low, high);
    return 0;
}

static void set_locked(struct mm_struct *mm, struct vm_area_struct *vma, bool lock) {
    u64 pages = vma_pages(vma), flags = vma->vm_flags & ~(u64)VM_LOCKED;
    if (vma->vm_flags & VM_LOCKED)
        mm->locked_vm -= pages;
    if (lock)
        mm->locked_vm += pages;
    vma->vm_flags = flags | (lock ? VM_LOCKED : 0);
}

err do_mlock(struct mm_struct *mm, vaddr start, u64 len, bool lock, err *status) {
    vaddr stop;
    u64 bytes = ROUND_UP((start & PAGE_MASK) + len, PAGE_BYTES);

    start &= ~PAGE_MASK;
    *status = 0;
    if (bytes < len || bytes > TASK_SIZE || start > TASK_SIZE - bytes)
        return -E_NOMEM;
    if (bytes == 0)
        return 0;
    *status = covered(mm, start, start + bytes, 0, &stop);
    if (stop == start)
        return *status;
    err e = cut_at_both(mm, start, stop);
    if (e < 0)
        return e;
    for (struct vm_area_struct *vma = find_vma(mm, start); vma && vma->vm_start < stop; vma = vma_next(vma))
        set_locked(mm, vma, lock);
    vma_merge_range(mm, start, stop);
    return 0;
}

void do_mlockall(struct mm_struct *mm, bool now, bool future) {
    struct vm_area_struct *vma;
    mm->def_flags = future ? VM_LOCKED : 0;
    if (now || !future) {
        TAILQ_FOREACH(vma, &mm->mmap, vm_list)
        set_locked(mm, vma, now);
        vma_merge_range(mm, 0, TASK_SIZE);
    }
}

/* SPDX-License-Identifier: MIT */
/* mprotect, madvise and mremap in place; see mmap.h. Design: Linux 2.4's mm/mprotect.c and mm/mremap.c. */
#include "mmap.h"

#include <abi/errors.h>

/* 0 if regions cover all of [start, end) and permit prot there; -E_NOMEM, -E_ACCES. *covered_to: where the
 * last of them ends. */
static err check_cover(struct mm_struct *mm, vaddr start, vaddr end, u64 prot, vaddr *covered_to) {
    vaddr covered = start;
    for (struct vm_area_struct *vma = find_vma(mm, start); covered < end; vma = vma_next(vma)) {
        if (!vma || vma->vm_start > covered)
            return -E_NOMEM;
        if (prot & ~(vma->vm_flags >> VM_MAY_SHIFT))
            return -E_ACCES;
        covered = vma->vm_end;
    }
    *covered_to = covered;
    return 0;
}

/* Makes start and end borders between regions; both or, for want of memory, none. */
static err cut_at_both(struct mm_struct *mm, vaddr start, vaddr end, vaddr covered_to) {
    bool low = find_vma(mm, start)->vm_start<start, high = covered_to> end;
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
    vaddr covered_to, low = ~0ull, high = 0;

    if ((start & PAGE_MASK) || (prot & ~(u64)PROT_MASK))
        return -E_INVAL;
    if (len > TASK_SIZE || start > TASK_SIZE - len)
        return -E_NOMEM;
    vm_change_init(change);
    if (len == 0)
        return 0;
    vaddr end = start + ROUND_UP(len, PAGE_BYTES);
    err e = check_cover(mm, start, end, prot, &covered_to);
    if (e == 0)
        e = cut_at_both(mm, start, end, covered_to);
    if (e < 0)
        return e;

    for (struct vm_area_struct *vma = find_vma(mm, start); vma && vma->vm_start < end; vma = vma_next(vma)) {
        if ((vma->vm_flags & VM_RIGHTS) != prot)
            vma_add_touched(vma, start, end, &low, &high);
        vma->vm_flags = (vma->vm_flags & ~(u64)VM_RIGHTS) | prot;
    }
    vma_merge_range(mm, start, end);
    vm_change_range(change, CHANGE_PROTECT, low, high);
    change->rights = vma_map_rights(prot);
    return 0;
}

err madvise_dontneed(struct mm_struct *mm, vaddr start, u64 len, struct vm_change *change) {
    if ((start & PAGE_MASK) || len > TASK_SIZE || start > TASK_SIZE - len)
        return -E_INVAL;
    vm_change_init(change);
    if (len == 0)
        return 0;
    vaddr end = start + ROUND_UP(len, PAGE_BYTES);
    vaddr covered_to, low = ~0ull, high = 0;
    err e = check_cover(mm, start, end, 0, &covered_to);
    if (e < 0)
        return e;
    for (struct vm_area_struct *vma = find_vma(mm, start); vma && vma->vm_start < end; vma = vma_next(vma))
        vma_add_touched(vma, start, end, &low, &high);
    vm_change_range(change, CHANGE_UNMAP, low, high);
    return 0;
}

/* Extends the region at addr from old_len to new_len bytes where it lies. */
static i64 grow_in_place(struct mm_struct *mm, vaddr addr, u64 old_len, u64 new_len) {
    struct vm_area_struct *vma = find_vma(mm, addr);
    if (!vma || vma->vm_start > addr || old_len > vma->vm_end - addr)
        return -E_FAULT;
    struct vm_area_struct *next = vma_next(vma);
    vaddr end = addr + new_len;
    u64 more = (new_len - old_len) >> PAGE_SHIFT;

    if (vma->vm_end != addr + old_len || end > TASK_SIZE || (next && next->vm_start < end))
        return -E_NOMEM;
    if (mm->total_vm + more > mm->rlim_as >> PAGE_SHIFT)
        return -E_NOMEM;
    vma_set_range(vma, vma->vm_start, end);
    vma_merge_range(mm, end, end);
    return (i64)addr;
}

i64 do_mremap(struct mm_struct *mm, vaddr addr, u64 old_len, u64 new_len, u64 flags,
              struct vm_change *change) {
    if ((addr & PAGE_MASK) || (flags & ~(u64)MREMAP_MAYMOVE))
        return -E_INVAL;
    if (old_len == 0 || new_len == 0 || old_len > TASK_SIZE || new_len > TASK_SIZE ||
        addr > TASK_SIZE - old_len || addr > TASK_SIZE - new_len)
        return -E_INVAL;
    old_len = ROUND_UP(old_len, PAGE_BYTES);
    new_len = ROUND_UP(new_len, PAGE_BYTES);
    vm_change_init(change);
    vaddr covered_to;
    if (new_len == old_len)
        return check_cover(mm, addr, addr + old_len, 0, &covered_to) < 0 ? -E_FAULT : (i64)addr;
    if (new_len > old_len)
        return grow_in_place(mm, addr, old_len, new_len);
    err e = do_munmap(mm, addr + new_len, old_len - new_len, change);
    return e < 0 ? e : (i64)addr;
}

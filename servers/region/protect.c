/* SPDX-License-Identifier: MIT */
/* mprotect, madvise and mremap in place; see mmap.h. Design: Linux 2.4's mm/mprotect.c and mm/mremap.c. */
#include "mmap.h"

#include <abi/errors.h>

/* 0 if regions cover all of [start, end) and permit prot there; -E_NOMEM, -E_ACCES. */
static err check_cover(struct mm_struct *mm, vaddr start, vaddr end, u64 prot) {
    vaddr covered = start;
    for (struct vm_area_struct *vma = find_vma(mm, start); covered < end; vma = vma_next(vma)) {
        if (!vma || vma->vm_start > covered)
            return -E_NOMEM;
        if (prot & ~(vma->vm_flags >> VM_MAY_SHIFT))
            return -E_ACCES;
        covered = vma->vm_end;
    }
    return 0;
}

/* Takes the descriptors that cutting at start and end may need; both or none. */
static err take_two(struct mm_struct *mm, struct vm_area_struct *two[2]) {
    if (mm->map_count + 2 > MAX_MAP_COUNT)
        return -E_NOMEM;
    two[0] = vma_alloc(mm);
    two[1] = vma_alloc(mm);
    if (two[0] && two[1])
        return 0;
    vma_free_unused(mm, two[0]);
    vma_free_unused(mm, two[1]);
    return -E_NOMEM;
}

/* Makes addr a border between regions; true if the descriptor was used. */
static bool cut_at(struct mm_struct *mm, vaddr addr, struct vm_area_struct *above) {
    struct vm_area_struct *vma = find_vma(mm, addr);
    if (!vma || vma->vm_start >= addr)
        return false;
    split_vma(vma, addr, above);
    return true;
}

err do_mprotect(struct mm_struct *mm, vaddr start, u64 len, u64 prot, struct vm_change *change) {
    struct vm_area_struct *two[2];

    if ((start & PAGE_MASK) || (prot & ~(u64)PROT_MASK))
        return -E_INVAL;
    if (len > TASK_SIZE || start > TASK_SIZE - len)
        return -E_NOMEM;
    vm_change_init(change);
    if (len == 0)
        return 0;
    vaddr end = start + ROUND_UP(len, PAGE_BYTES);
    err e = check_cover(mm, start, end, prot);
    if (e == 0)
        e = take_two(mm, two);
    if (e < 0)
        return e;

    if (!cut_at(mm, start, two[0]))
        vma_free_unused(mm, two[0]);
    if (!cut_at(mm, end, two[1]))
        vma_free_unused(mm, two[1]);
    for (struct vm_area_struct *vma = find_vma(mm, start); vma && vma->vm_start < end; vma = vma_next(vma)) {
        if ((vma->vm_flags & VM_RIGHTS) != prot)
            change->kind = CHANGE_PROTECT;
        vma->vm_flags = (vma->vm_flags & ~(u64)VM_RIGHTS) | prot;
    }
    vma_merge_range(mm, start, end);
    change->start = start;
    change->end = end;
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
    err e = check_cover(mm, start, end, 0);
    if (e < 0)
        return e;
    change->kind = CHANGE_UNMAP;
    change->start = start;
    change->end = end;
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
    if (new_len == old_len)
        return check_cover(mm, addr, addr + old_len, 0) < 0 ? -E_FAULT : (i64)addr;
    if (new_len > old_len)
        return grow_in_place(mm, addr, old_len, new_len);
    err e = do_munmap(mm, addr + new_len, old_len - new_len, change);
    return e < 0 ? e : (i64)addr;
}

/* SPDX-License-Identifier: MIT */
/* fork and exit over the regions, in steps; see mmap.h. Design: Linux 2.4's dup_mmap and exit_mmap. */
#include "mmap.h"

#include <abi/errors.h>
#include <abi/layout.h>
#include <ipc/assert.h>

static void copy_borders(struct mm_struct *child, const struct mm_struct *parent) {
    child->start_code = parent->start_code;
    child->end_code = parent->end_code;
    child->start_data = parent->start_data;
    child->end_data = parent->end_data;
    child->start_brk = parent->start_brk;
    child->brk = parent->brk;
    child->start_stack = parent->start_stack;
    child->arg_start = parent->arg_start;
    child->arg_end = parent->arg_end;
    child->rlim_as = parent->rlim_as;
    child->rlim_data = parent->rlim_data;
    child->rlim_stack = parent->rlim_stack;
    child->free_area_cache = parent->free_area_cache;
}

/* Locks are not inherited, so that regions that differed in nothing else become one. */
static err dup_region(struct mm_struct *child, const struct vm_area_struct *vma) {
    struct vm_area_struct like = {
        .vm_start = vma->vm_start,
        .vm_end = vma->vm_end,
        .vm_flags = vma->vm_flags & ~(u64)VM_LOCKED,
        .vm_pgoff = vma->vm_pgoff,
        .vm_object = vma->vm_object,
        .vm_ops = vma->vm_ops,
    };
    struct vm_area_struct *spare = NULL;

    if (!vma_would_merge(child, &like) && !(spare = vma_alloc(child)))
        return -E_NOMEM;
    bool used = vma_enter(child, &like, spare);
    ASSERT(used == (spare != NULL));
    return 0;
}

i64 dup_mmap(struct mm_struct *child, struct mm_struct *parent, vaddr from, u64 max) {
    if (from == 0)
        copy_borders(child, parent);
    struct vm_area_struct *vma = find_vma(parent, from);
    for (; vma && max > 0; vma = vma_next(vma), max--) {
        err e = dup_region(child, vma);
        if (e < 0)
            return e;
    }
    return (i64)(vma ? vma->vm_start : TASK_SIZE);
}

/* Extends a range over following regions that lie close by, so that small processes need few kernel calls. */
static struct vm_area_struct *skip_close(struct vm_area_struct *vma, u64 alike_mask) {
    struct vm_area_struct *next = vma_next(vma);
    while (next && next->vm_start - vma->vm_end < BLOCK_BYTES &&
           (next->vm_flags & alike_mask) == (vma->vm_flags & alike_mask)) {
        vma = next;
        next = vma_next(vma);
    }
    return vma;
}

bool fork_next_range(struct mm_struct *child, vaddr from, vaddr *start, vaddr *end, bool *private) {
    struct vm_area_struct *vma = find_vma(child, from);
    if (!vma)
        return false;
    *start = MAX(from, vma->vm_start);
    *private = !(vma->vm_flags & VM_SHARED);
    *end = skip_close(vma, VM_SHARED)->vm_end;
    return true;
}

bool exit_next_range(struct mm_struct *mm, vaddr from, vaddr *start, vaddr *end) {
    struct vm_area_struct *vma = find_vma(mm, from);
    if (!vma)
        return false;
    *start = MAX(from, vma->vm_start);
    *end = skip_close(vma, 0)->vm_end;
    return true;
}

bool exit_mmap_one(struct mm_struct *mm) {
    struct vm_area_struct *vma = TAILQ_FIRST(&mm->mmap);
    if (!vma)
        return false;
    remove_vm_struct(mm, vma);
    vma_close_free(vma);
    return true;
}

/* SPDX-License-Identifier: MIT */
/* fork and exit over the regions, in steps; see mmap.h. Design: Linux 2.4's dup_mmap and exit_mmap. */
#include "mmap.h"

#include <abi/errors.h>
#include <abi/layout.h>
#include <ipc/assert.h>

#define LOOK_AHEAD 64 /* regions that one step looks at, at most */
#define NEAR_BYTES                                                                                           \
    (32 * PAGE_BYTES) /* passing so many absent pages costs less than another call of the kernel */

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
        .pte_low = vma->pte_low,
        .pte_high = vma->pte_high,
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

/* The first region from vma on with entries at or above `from`. After LOOK_AHEAD regions without, the one
 * that follows: its last page is then visited for nothing. */
static struct vm_area_struct *first_touched(struct vm_area_struct *vma, vaddr from) {
    for (int i = 0; vma && MAX(from, vma->pte_low) >= vma->pte_high && i < LOOK_AHEAD; i++)
        vma = vma_next(vma);
    return vma;
}

/* The next range from `from` on that one pass may visit: the entries of a region, and of regions behind it
 * whose entries lie close by and whose flags agree in alike_mask, so that small processes need few kernel
 * calls. NULL if there are no more; else the first region. */
static struct vm_area_struct *next_range(struct mm_struct *mm, vaddr from, u64 alike_mask, vaddr *start,
                                         vaddr *end) {
    struct vm_area_struct *first = first_touched(find_vma(mm, from), from), *next = first;
    if (!first)
        return NULL;
    bool touched = MAX(from, first->pte_low) < first->pte_high;
    *start = touched ? MAX(from, first->pte_low) : first->vm_end - PAGE_BYTES;
    *end = touched ? first->pte_high : first->vm_end;
    for (int i = 0; i < LOOK_AHEAD && (next = vma_next(next)); i++) {
        if (next->pte_low >= next->pte_high)
            continue;
        if (next->pte_low - *end > NEAR_BYTES || (next->vm_flags ^ first->vm_flags) & alike_mask)
            break;
        *end = next->pte_high;
    }
    return first;
}

bool fork_next_range(struct mm_struct *child, vaddr from, vaddr *start, vaddr *end, bool *private) {
    struct vm_area_struct *vma = next_range(child, from, VM_SHARED, start, end);
    if (vma)
        *private = !(vma->vm_flags & VM_SHARED);
    return vma != NULL;
}

bool exit_next_range(struct mm_struct *mm, vaddr from, vaddr *start, vaddr *end) {
    return next_range(mm, from, 0, start, end) != NULL;
}

bool exit_mmap_one(struct mm_struct *mm) {
    struct vm_area_struct *vma = TAILQ_FIRST(&mm->mmap);
    if (!vma)
        return false;
    remove_vm_struct(mm, vma);
    vma_close_free(vma);
    return true;
}

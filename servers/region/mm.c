/* SPDX-License-Identifier: MIT */
/* Making and ending memory descriptors. */
#include "mm.h"

#include <ipc/assert.h>
#include <ipc/gfp.h>
#include <ipc/slab.h>
#include <string.h>

void vm_context_init(struct vm_context *ctx) {
    RB_INIT(&ctx->objects);
    TAILQ_INIT(&ctx->released);
    ctx->piece = PIECE_REGIONS;
}

struct mm_struct *mm_alloc(struct vm_context *ctx) {
    struct mm_struct *mm = kmem_cache_alloc(ctx->mm_cachep, GFP_KERNEL);
    if (!mm)
        return NULL;
    memset(mm, 0, sizeof *mm);
    TAILQ_INIT(&mm->mmap);
    RB_INIT(&mm->mm_rb);
    mm->ctx = ctx;
    mm->free_area_cache = TASK_UNMAPPED_BASE;
    mm->rlim_as = RLIM_INFINITY;
    mm->rlim_data = RLIM_INFINITY;
    mm->rlim_stack = STACK_LIMIT_BYTES;
    return mm;
}

void mm_free(struct mm_struct *mm) {
    ASSERT(TAILQ_EMPTY(&mm->mmap) && mm->map_count == 0 && mm->total_vm == 0);
    kmem_cache_free(mm->ctx->mm_cachep, mm);
}

void mm_forget_layout(struct mm_struct *mm) {
    mm->start_code = mm->end_code = mm->start_data = mm->end_data = 0;
    mm->start_brk = mm->brk = 0;
    mm->start_stack = mm->arg_start = mm->arg_end = 0;
    mm->free_area_cache = TASK_UNMAPPED_BASE;
}

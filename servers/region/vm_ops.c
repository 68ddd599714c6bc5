/* SPDX-License-Identifier: MIT */
/* Operations by kind of memory: what an absent page is to become. Design: Linux 2.4's do_anonymous_page, and
 * filemap_nopage's caller do_no_page. */
#include "vm_ops.h"
#include "fault.h"
#include "object.h"

#include <abi/layout.h>
#include <abi/syscall.h>

static void anonymous_nopage(struct vm_area_struct *vma, const struct fault_words *f,
                             struct fault_verdict *v) {
    do_anonymous_page(vma, f, v);
}

static void object_open(struct vm_area_struct *vma) {
    vm_object_open(vma->vm_mm->ctx, vma->vm_object);
}
static void object_close(struct vm_area_struct *vma) {
    vm_object_close(vma->vm_mm->ctx, vma->vm_object);
}

/* Forwards to cache, with leave to map what lies around: of the object's aligned group of as many pages as
 * one answer may map, those that are the region's and in the fault's 2 MiB block. A private page is never
 * writable: the first write to it faults again and is copied. */
static void object_nopage(struct vm_area_struct *vma, const struct fault_words *f, struct fault_verdict *v) {
    u64 rights = vma_map_rights(vma->vm_flags);
    vaddr block = ROUND_DOWN(f->address, BLOCK_BYTES), page = f->address & ~PAGE_MASK;
    u64 index = vma->vm_pgoff + ((page - vma->vm_start) >> PAGE_SHIFT), place = index % FAULT_ITEMS_MAX;
    vaddr start = MAX(MAX(block, vma->vm_start), page - MIN(page, place * PAGE_BYTES));
    vaddr end = MIN(MIN(block + BLOCK_BYTES, vma->vm_end), page + (FAULT_ITEMS_MAX - place) * PAGE_BYTES);

    if (!(vma->vm_flags & VM_SHARED))
        rights &= ~(u64)MAP_WRITE;
    else if (vma->vm_flags & VM_MAYWRITE)
        rights |= MAP_MAYWRITE;
    vma_touch(vma, start, end);
    v->kind = FAULT_FORWARD;
    v->rights = rights;
    v->object = vma->vm_object->id;
    v->index = index;
    v->first = (start - block) >> PAGE_SHIFT;
    v->count = (end - start) >> PAGE_SHIFT;
}

const struct vm_operations_struct anonymous_vm_ops = {"anonymous", NULL, NULL, anonymous_nopage};
const struct vm_operations_struct stack_vm_ops = {"stack", NULL, NULL, anonymous_nopage};
const struct vm_operations_struct object_vm_ops = {"object", object_open, object_close, object_nopage};

const struct vm_operations_struct *vm_operations(bool has_object, u64 vm_flags) {
    if (has_object)
        return &object_vm_ops;
    return vm_flags & VM_GROWSDOWN ? &stack_vm_ops : &anonymous_vm_ops;
}

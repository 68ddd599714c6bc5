/* SPDX-License-Identifier: MIT */
/* Fault policy; see fault.h. Design: Linux 2.4's do_page_fault, handle_pte_fault and do_wp_page, with the
 * rules of a pager that does not own the page tables. */
#include "fault.h"

#include <ipc/assert.h>

static void raise_signal(const struct mm_struct *mm, struct fault_verdict *v, u32 signal, u32 code) {
    v->kind = mm->busy ? FAULT_WAIT : FAULT_RAISE;
    v->signal = signal;
    v->code = code;
}

/* Extends a stack's region down to the page of addr, if the limits permit. */
static bool expand_stack(struct vm_area_struct *vma, vaddr addr) {
    struct mm_struct *mm = vma->vm_mm;
    vaddr start = addr & ~PAGE_MASK;
    u64 grow = (vma->vm_start - start) >> PAGE_SHIFT;

    if (start < MMAP_MIN_ADDR || vma->vm_end - start > mm->rlim_stack)
        return false;
    if (mm->total_vm + grow > mm->rlim_as >> PAGE_SHIFT)
        return false;
    vma_set_range(vma, start, vma->vm_end);
    vma_merge_range(mm, start, start);
    return true;
}

/* The region for a fault below `vma`, which is the next one above (or NULL), by growing a stack; NULL with a
 * verdict if that may not be. */
static struct vm_area_struct *grow_region(struct mm_struct *mm, struct vm_area_struct *vma,
                                          const struct fault_words *f, struct fault_verdict *v) {
    bool grows = vma && (vma->vm_flags & VM_GROWSDOWN) && f->address + RED_ZONE_BYTES + PUSHA_BYTES >= f->sp;

    if (!grows || mm->busy || !expand_stack(vma, f->address)) {
        raise_signal(mm, v, SIGSEGV, SEGV_MAPERR);
        return NULL;
    }
    return find_vma(mm, f->address);
}

static bool entry_allows(u64 entry, u64 access) {
    if (!(entry & PTE_USER))
        return false;
    if (access == ACCESS_WRITE)
        return entry & PTE_WRITE;
    return access != ACCESS_EXEC || !(entry & PTE_NX);
}

/* A fault on a present entry. */
static void handle_present(struct vm_area_struct *vma, const struct fault_words *f, struct fault_verdict *v) {
    if (entry_allows(f->entry, FAULT_ACCESS(f->info))) {
        v->kind = FAULT_RESUME;
    } else if (FAULT_ACCESS(f->info) == ACCESS_WRITE && is_write_protected(f->entry)) {
        if (vma->vm_flags & VM_SHARED)
            vma->vm_ops->nopage(vma, f,
                                v); /* cache decides: it makes the page writable, or has a reason not to */
        else
            do_wp_page(vma, f, v);
    } else {
        v->kind = FAULT_PROTECT; /* an mprotect that is under way has not come here yet */
        v->rights = vma_map_rights(vma->vm_flags);
    }
}

void do_page_fault(struct mm_struct *mm, const struct fault_words *f, struct fault_verdict *v) {
    if (f->address >= TASK_SIZE) {
        raise_signal(mm, v, SIGSEGV, SEGV_MAPERR);
        return;
    }
    struct vm_area_struct *vma = find_vma(mm, f->address);
    if (!vma || vma->vm_start > f->address) {
        vma = grow_region(mm, vma, f, v);
        if (!vma)
            return;
    }
    if (!access_allowed(vma->vm_flags, FAULT_ACCESS(f->info))) {
        raise_signal(mm, v, SIGSEGV, SEGV_ACCERR);
    } else if (f->repeats > FAULT_REPEATS_MAX) {
        v->kind = FAULT_RAISE;
        v->signal = SIGKILL;
        v->code = 0;
    } else if (f->entry == 0) {
        vma->vm_ops->nopage(vma, f, v);
    } else if (f->entry & PTE_PRESENT) {
        handle_present(vma, f, v);
    } else {
        raise_signal(mm, v, SIGBUS,
                     BUS_ADRERR); /* a word of region's own: none is ever left there without swap */
    }
}

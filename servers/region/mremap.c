/* SPDX-License-Identifier: MIT */
/* mremap: shrinking and growing in place, and moving; see mmap.h. Design: Linux 2.4's mm/mremap.c, parted
 * into decide and commit: what the page tables hold is moved afterwards, in slices (move.c). */
#include "mmap.h"
#include "object.h"

#include <abi/errors.h>
#include <abi/layout.h>

#define GIB (1ull << 30)

static err bad_request(const struct mremap_request *r) {
    u64 known = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, moves = r->flags & MREMAP_MAYMOVE;

    if ((r->flags & ~known) || ((r->flags & MREMAP_FIXED) && !moves))
        return -E_INVAL;
    if ((r->flags & MREMAP_DONTUNMAP) && (!moves || r->old_len != r->new_len))
        return -E_INVAL;
    if ((r->addr & PAGE_MASK) || r->new_len == 0 || r->old_len > TASK_SIZE || r->new_len > TASK_SIZE)
        return -E_INVAL;
    return r->addr > TASK_SIZE - r->old_len ? -E_INVAL : 0;
}

static err bad_target(const struct mremap_request *r) {
    if ((r->new_addr & PAGE_MASK) || r->new_addr > TASK_SIZE - r->new_len)
        return -E_INVAL;
    if (r->new_addr < r->addr + r->old_len && r->addr < r->new_addr + r->new_len)
        return -E_INVAL; /* they overlap */
    return r->new_addr < MMAP_MIN_ADDR ? -E_PERM : 0;
}

/* The region that holds all of the old range, in *found; or why it is none that can be resized. */
static err find_old(struct mm_struct *mm, const struct mremap_request *r, struct vm_area_struct **found) {
    struct vm_area_struct *vma = find_vma(mm, r->addr);
    if (!vma || vma->vm_start > r->addr)
        return -E_FAULT;
    if (r->old_len == 0 && !(vma->vm_flags & VM_SHARED))
        return -E_INVAL; /* a second mapping of private memory there is not */
    if ((r->flags & MREMAP_DONTUNMAP) && vma->vm_object)
        return -E_INVAL;
    if (r->old_len > vma->vm_end - r->addr)
        return -E_FAULT;
    u64 index = vma->vm_pgoff + ((r->addr - vma->vm_start) >> PAGE_SHIFT);
    if (vma->vm_object && index > (~0ull >> PAGE_SHIFT) - (r->new_len >> PAGE_SHIFT))
        return -E_INVAL;
    *found = vma;
    return 0;
}

/* More pages than the program may have? */
static bool too_many(const struct mm_struct *mm, const struct mremap_request *r) {
    u64 gone = r->flags & MREMAP_DONTUNMAP ? 0 : r->old_len;
    if (r->new_len <= gone)
        return false;
    return mm->total_vm + ((r->new_len - gone) >> PAGE_SHIFT) > mm->rlim_as >> PAGE_SHIFT;
}

static bool room_behind(struct vm_area_struct *vma, const struct mremap_request *r) {
    const struct vm_area_struct *next = vma_next(vma);
    vaddr end = r->addr + r->new_len;
    return vma->vm_end == r->addr + r->old_len && r->old_len > 0 && end <= TASK_SIZE &&
           (!next || next->vm_start >= end);
}

static bool stays(struct vm_area_struct *vma, const struct mremap_request *r) {
    if (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
        return false;
    return r->new_len <= r->old_len || room_behind(vma, r);
}

static struct mremap_request rounded(const struct mremap_request *req) {
    struct mremap_request r = *req;
    r.old_len = ROUND_UP(r.old_len, PAGE_BYTES);
    r.new_len = ROUND_UP(r.new_len, PAGE_BYTES);
    return r;
}

/* Of each level, as many tables as a range so long can need wherever it begins. */
u64 mremap_tables(struct mm_struct *mm, const struct mremap_request *req) {
    struct vm_area_struct *vma;
    vaddr low = ~0ull, high = 0;
    if (req->old_len > TASK_SIZE || req->new_len > TASK_SIZE)
        return 0;
    struct mremap_request r = rounded(req);
    if (bad_request(&r) < 0 || find_old(mm, &r, &vma) < 0 || stays(vma, &r))
        return 0;
    vma_add_touched(vma, r.addr, r.addr + MIN(r.old_len, r.new_len), &low, &high);
    if (low >= high || (vma->vm_flags & VM_SHARED))
        return 0;
    u64 bytes = high - low;
    return bytes / BLOCK_BYTES + bytes / GIB + 6;
}

static i64 stay(struct mm_struct *mm, struct vm_area_struct *vma, const struct mremap_request *r,
                struct vm_change *change) {
    if (r->new_len < r->old_len) {
        err e = do_munmap(mm, r->addr + r->new_len, r->old_len - r->new_len, change);
        return e < 0 ? e : (i64)r->addr;
    }
    if (r->new_len > r->old_len) {
        vaddr end = r->addr + r->new_len;
        vma_set_range(vma, vma->vm_start, end);
        vma_merge_range(mm, end, end);
    }
    return (i64)r->addr;
}

/* The region in its new place: what change->like is to be. Returns the touched part of the old one. */
static void describe(struct vm_change *change, const struct vm_area_struct *vma,
                     const struct mremap_request *r, vaddr to) {
    struct vm_area_struct *like = &change->like;
    u64 pages = (r->addr - vma->vm_start) >> PAGE_SHIFT;
    vaddr low = ~0ull, high = 0;

    *like = (struct vm_area_struct){.vm_start = to,
                                    .vm_end = to + r->new_len,
                                    .vm_flags = vma->vm_flags,
                                    .vm_pgoff = vma->vm_object ? vma->vm_pgoff + pages : 0,
                                    .vm_object = vma->vm_object,
                                    .vm_ops = vma->vm_ops};
    vma_untouched(like);
    vma_add_touched(vma, r->addr, r->addr + r->old_len, &change->move_low, &change->move_high);
    change->move_by = to - r->addr;
    change->move_limit = vma->vm_flags & VM_SHARED ? 0 : r->addr + MIN(r->new_len, r->old_len);
    vma_add_touched(vma, r->addr, change->move_limit, &low, &high);
    if (low < high)
        vma_touch(like, low + change->move_by, high + change->move_by);
}

static i64 move(struct mm_struct *mm, struct vm_area_struct *vma, const struct mremap_request *r, vaddr to,
                struct vm_change *change) {
    bool unmaps = !(r->flags & MREMAP_DONTUNMAP) && r->old_len > 0;
    struct vm_object *object = vma->vm_object;

    describe(change, vma, r, to);
    if (object)
        (void)vm_object_hold(mm->ctx, object->id); /* it is there, so this cannot fail */
    err e = vm_change_enter(mm, change, r->addr, unmaps ? r->addr + r->old_len : r->addr);
    if (e < 0) {
        if (object)
            vm_object_unhold(mm->ctx, object);
        return e;
    }
    if (!(r->flags & MREMAP_FIXED) && to >= mm->free_area_cache)
        mm->free_area_cache = to + r->new_len;
    return (i64)to;
}

i64 do_mremap(struct mm_struct *mm, const struct mremap_request *req, struct vm_change *change) {
    struct vm_area_struct *vma;
    vm_change_init(change);
    if (req->old_len > TASK_SIZE || req->new_len > TASK_SIZE)
        return -E_INVAL;
    struct mremap_request r = rounded(req);
    err e = bad_request(&r);
    if (e == 0 && r.flags & MREMAP_FIXED)
        e = bad_target(&r);
    if (e == 0 && r.new_len < r.old_len && !(r.flags & MREMAP_FIXED))
        return stay(mm, NULL, &r, change); /* as munmap: whatever is there */
    if (e == 0)
        e = find_old(mm, &r, &vma);
    if (e == 0 && too_many(mm, &r))
        e = -E_NOMEM;
    if (e < 0)
        return e;
    if (stays(vma, &r))
        return stay(mm, vma, &r, change);
    if (!(r.flags & MREMAP_MAYMOVE))
        return -E_NOMEM;
    vaddr hint = r.flags & MREMAP_DONTUNMAP ? r.new_addr : 0;
    i64 to = r.flags & MREMAP_FIXED ? (i64)r.new_addr : get_unmapped_area(mm, hint, r.new_len, 0);
    return to < 0 ? to : move(mm, vma, &r, (vaddr)to, change);
}

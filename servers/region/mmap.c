/* SPDX-License-Identifier: MIT */
/* mmap and munmap; see mmap.h. Design: Linux 2.4's do_mmap_pgoff and do_munmap, parted into decide and
 * commit. */
#include "mmap.h"
#include "object.h"
#include "vm_ops.h"

#include <abi/errors.h>
#include <abi/object.h>
#include <ipc/assert.h>

/* True if [start, end) lies inside one region with some of it left on both sides. */
static bool makes_hole(struct mm_struct *mm, vaddr start, vaddr end) {
    struct vm_area_struct *vma = find_vma(mm, start);
    return vma && vma->vm_start < start && end < vma->vm_end;
}

/* Takes [start, end) out of the regions, a piece of it: returns where it came to. *low and *high: what of
 * that may have entries. `above` is the second descriptor for a hole. */
static vaddr cut_regions(struct mm_struct *mm, vaddr start, vaddr end, struct vm_area_struct *above,
                         struct vm_change *change, vaddr *low, vaddr *high) {
    struct vm_area_struct *vma = find_vma_intersection(mm, start, end);
    *low = ~0ull;
    *high = 0;
    if (!vma)
        return end;
    if (start < mm->free_area_cache && start >= TASK_UNMAPPED_BASE)
        mm->free_area_cache = start;
    if (vma->vm_start < start && end < vma->vm_end)
        split_vma(vma, end, above);
    for (u32 left = mm->ctx->piece; vma && vma->vm_start < end; left--) {
        struct vm_area_struct *next = vma_next(vma);
        if (!left)
            return vma->vm_start;
        vma_add_touched(vma, start, end, low, high);
        if (vma->vm_start < start) {
            vma_set_range(vma, vma->vm_start, start);
        } else if (vma->vm_end > end) {
            vma_set_range(vma, end, vma->vm_end);
        } else {
            remove_vm_struct(mm, vma);
            TAILQ_INSERT_TAIL(&change->dead, vma, vm_list);
        }
        vma = next;
    }
    return end;
}

static err cut_step(struct mm_struct *mm, struct vm_change *change) {
    vaddr low, high;
    change->rest = cut_regions(mm, change->rest, change->rest_end, NULL, change, &low, &high);
    vm_change_range(change, CHANGE_UNMAP, low, high);
    return 0;
}

/* [start, end) is to be taken out of the regions; the first piece of it. */
static void cut_begin(struct mm_struct *mm, vaddr start, vaddr end, struct vm_area_struct *above,
                      struct vm_change *change) {
    vaddr low, high;
    change->step = cut_step;
    change->rest = cut_regions(mm, start, end, above, change, &low, &high);
    change->rest_end = end;
    vm_change_range(change, CHANGE_UNMAP, low, high);
}

static void close_dead(struct vm_change *change) {
    struct vm_area_struct *vma;
    while ((vma = TAILQ_FIRST(&change->dead))) {
        TAILQ_REMOVE(&change->dead, vma, vm_list);
        vma_close_free(vma);
    }
}

bool vm_change_next(struct mm_struct *mm, struct vm_change *change) {
    if (change->rest >= change->rest_end)
        return false;
    close_dead(change);
    vm_change_range(change, CHANGE_NONE, 0, 0);
    err e = change->step(mm, change);
    if (e < 0)
        change->status = e;
    return true;
}

void vm_change_finish(struct mm_struct *mm, struct vm_change *change) {
    struct vm_object *object = change->enter ? change->like.vm_object : NULL;

    if (change->enter && !vma_enter(mm, &change->like, change->spare))
        vma_free_unused(mm, change->spare);
    if (object)
        vm_object_unhold(mm->ctx, object);
    close_dead(change);
    vm_change_init(change);
}

static bool bad_range(vaddr start, u64 len) {
    return (start & PAGE_MASK) || len == 0 || len > TASK_SIZE || start > TASK_SIZE - len;
}

err do_munmap(struct mm_struct *mm, vaddr start, u64 len, struct vm_change *change) {
    struct vm_area_struct *above = NULL;

    if (bad_range(start, len))
        return -E_INVAL;
    vaddr end = start + ROUND_UP(len, PAGE_BYTES);
    if (makes_hole(mm, start, end)) {
        above = mm->map_count < MAX_MAP_COUNT ? vma_alloc(mm) : NULL;
        if (!above)
            return -E_NOMEM;
    }
    vm_change_init(change);
    cut_begin(mm, start, end, above, change);
    return 0;
}

/* Pages of regions within [start, end). */
static u64 pages_mapped(struct mm_struct *mm, vaddr start, vaddr end) {
    u64 bytes = 0;
    for (struct vm_area_struct *vma = find_vma(mm, start); vma && vma->vm_start < end; vma = vma_next(vma))
        bytes += MIN(end, vma->vm_end) - MAX(start, vma->vm_start);
    return bytes >> PAGE_SHIFT;
}

static bool above_limit(u64 pages, u64 limit_bytes) {
    return pages > limit_bytes >> PAGE_SHIFT;
}

/* The descriptors that vm_change_enter may need; all of them or, for want of memory, none. */
struct spares {
    struct vm_area_struct *region, *above, *above_from;
};

static err take_spares(struct mm_struct *mm, struct spares *s, bool region, bool above, bool above_from) {
    *s = (struct spares){0};
    if (mm->map_count + region + above + above_from > MAX_MAP_COUNT)
        return -E_NOMEM;
    if ((!region || (s->region = vma_alloc(mm))) && (!above || (s->above = vma_alloc(mm))) &&
        (!above_from || (s->above_from = vma_alloc(mm))))
        return 0;
    vma_free_unused(mm, s->region);
    vma_free_unused(mm, s->above);
    return -E_NOMEM;
}

err vm_change_enter(struct mm_struct *mm, struct vm_change *change, vaddr from, vaddr from_end) {
    const struct vm_area_struct *like = &change->like;
    bool replaces = find_vma_intersection(mm, like->vm_start, like->vm_end), moves = from < from_end;
    vaddr unused;
    struct spares spare;

    err e = take_spares(mm, &spare, replaces || moves || !vma_would_merge(mm, like),
                        replaces && makes_hole(mm, like->vm_start, like->vm_end),
                        moves && makes_hole(mm, from, from_end));
    if (e < 0)
        return e;
    change->enter = true;
    change->spare = spare.region;
    if (replaces)
        cut_begin(mm, like->vm_start, like->vm_end, spare.above, change);
    if (moves) {
        if (!makes_hole(mm, from, from_end)) { /* not any more */
            vma_free_unused(mm, spare.above_from);
            spare.above_from = NULL;
        }
        cut_regions(mm, from, from_end, spare.above_from, change, &unused, &unused);
    }
    if (vm_change_over(change))
        vm_change_finish(mm, change);
    return 0;
}

/* Puts a region like change->like in place of whatever is there now; the end of do_mmap and do_brk. */
static err replace_regions(struct mm_struct *mm, struct vm_change *change) {
    const struct vm_area_struct *like = &change->like;
    u64 old_pages = pages_mapped(mm, like->vm_start, like->vm_end);

    if (above_limit(mm->total_vm - old_pages + vma_pages(like), mm->rlim_as))
        return -E_NOMEM;
    vm_change_init(change);
    return vm_change_enter(mm, change, 0, 0);
}

/* The flags of the region that is asked for, or an error. */
static i64 requested_flags(const struct mmap_request *req) {
    u64 prot = req->prot & PROT_MASK, type = req->flags & MAP_TYPE;
    u64 max_prot = req->object ? req->max_prot & PROT_MASK : PROT_MASK;
    bool shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE;

    if (!shared && type != MAP_PRIVATE)
        return -E_INVAL;
    if (req->object ? req->flags & MAP_GROWSDOWN : shared)
        return -E_INVAL; /* only private memory grows; shared memory needs an object */
    if (!(max_prot & PROT_READ) || (prot & ~max_prot))
        return -E_ACCES;
    u64 vm_flags = prot | max_prot << VM_MAY_SHIFT;
    if (shared)
        vm_flags |= VM_SHARED;
    if (req->flags & MAP_GROWSDOWN)
        vm_flags |= VM_GROWSDOWN;
    if (req->flags & MAP_LOCKED)
        vm_flags |= VM_LOCKED;
    return (i64)vm_flags;
}

/* The address of the new region, len rounded to pages. */
static i64 requested_address(struct mm_struct *mm, const struct mmap_request *req, u64 len) {
    if (!(req->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
        return get_unmapped_area(mm, req->addr, len, req->flags);
    if (req->addr & PAGE_MASK)
        return -E_INVAL;
    if (req->addr > TASK_SIZE - len)
        return -E_NOMEM;
    if (req->addr < MMAP_MIN_ADDR)
        return -E_PERM;
    if ((req->flags & MAP_FIXED_NOREPLACE) && find_vma_intersection(mm, req->addr, req->addr + len))
        return -E_EXIST;
    return (i64)req->addr;
}

i64 do_mmap(struct mm_struct *mm, const struct mmap_request *req, struct vm_change *change) {
    if (req->len == 0)
        return -E_INVAL;
    if (req->len > TASK_SIZE)
        return -E_NOMEM;
    u64 len = ROUND_UP(req->len, PAGE_BYTES);
    i64 vm_flags = requested_flags(req);
    if (vm_flags < 0)
        return vm_flags;
    if (req->object && req->pgoff > (~0ull >> PAGE_SHIFT) - (len >> PAGE_SHIFT))
        return -E_OVERFLOW;
    i64 addr = requested_address(mm, req, len);
    if (addr < 0)
        return addr;

    struct vm_area_struct *like = &change->like;
    *like = (struct vm_area_struct){
        .vm_start = (vaddr)addr,
        .vm_end = (vaddr)addr + len,
        .vm_flags = (u64)vm_flags | mm->def_flags,
        .pte_low = ~0ull,
        .vm_ops = vm_operations(req->object != 0, (u64)vm_flags),
    };
    struct vm_object *object = NULL;
    if (req->object) {
        object = vm_object_hold(mm->ctx, req->object);
        if (!object)
            return -E_NOMEM;
        like->vm_pgoff = req->pgoff;
        like->vm_object = object;
    }
    err e = replace_regions(mm, change);
    if (e < 0) {
        if (object)
            vm_object_unhold(mm->ctx, object);
        return e;
    }
    bool searched = !(req->flags & (MAP_32BIT | MAP_FIXED | MAP_FIXED_NOREPLACE)) &&
                    (vaddr)addr != ROUND_UP(req->addr, PAGE_BYTES);
    if (searched && (vaddr)addr >= mm->free_area_cache)
        mm->free_area_cache = (vaddr)addr + len;
    return addr;
}

err do_brk(struct mm_struct *mm, vaddr addr, u64 len, struct vm_change *change) {
    if (bad_range(addr, len))
        return -E_INVAL;
    change->like = (struct vm_area_struct){
        .vm_start = addr,
        .vm_end = addr + ROUND_UP(len, PAGE_BYTES),
        .vm_flags = VM_READ | VM_WRITE | VM_MAYRIGHTS | mm->def_flags,
        .pte_low = ~0ull,
        .vm_ops = vm_operations(false, 0),
    };
    return replace_regions(mm, change);
}

vaddr sys_brk(struct mm_struct *mm, vaddr brk, struct vm_change *change) {
    vaddr old_end = ROUND_UP(mm->brk, PAGE_BYTES);

    vm_change_init(change);
    if (brk < mm->start_brk || brk > TASK_SIZE)
        return mm->brk;
    vaddr new_end = ROUND_UP(brk, PAGE_BYTES);
    if (new_end < old_end) {
        if (do_munmap(mm, new_end, old_end - new_end, change) < 0)
            return mm->brk;
    } else if (new_end > old_end) {
        if (brk - mm->start_brk > mm->rlim_data || new_end > TASK_SIZE - PAGE_BYTES)
            return mm->brk;
        if (find_vma_intersection(mm, old_end,
                                  new_end + PAGE_BYTES)) /* a page of distance to the next region */
            return mm->brk;
        if (do_brk(mm, old_end, new_end - old_end, change) < 0)
            return mm->brk;
    }
    mm->brk = brk;
    return brk;
}

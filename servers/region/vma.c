/* SPDX-License-Identifier: MIT */
/* Regions in list and tree: finding, linking, cutting and merging. Design: Linux 2.4's mm/mmap.c, with a
 * red-black tree in place of its AVL tree. Callers: mmap.c, protect.c, fork.c, fault.c. */
#include "mm.h"

#include <abi/errors.h>
#include <ipc/assert.h>
#include <ipc/gfp.h>
#include <ipc/slab.h>

static int vma_compare(const struct vm_area_struct *a, const struct vm_area_struct *b) {
    return (a->vm_start > b->vm_start) - (a->vm_start < b->vm_start);
}

RB_GENERATE_STATIC(vma_tree, vm_area_struct, vm_rb, vma_compare)

/* True if vma is the first region that ends above addr: addr lies in it, or in the hole below it. */
static bool is_first_above(const struct vm_area_struct *vma, vaddr addr) {
    if (addr >= vma->vm_end)
        return false;
    if (addr >= vma->vm_start)
        return true;
    const struct vm_area_struct *prev = TAILQ_PREV(vma, vma_list, vm_list);
    return !prev || prev->vm_end <= addr;
}

struct vm_area_struct *find_vma(struct mm_struct *mm, vaddr addr) {
    struct vm_area_struct *vma = mm->mmap_cache;
    if (vma && is_first_above(vma, addr))
        return vma;
    vma = TAILQ_LAST(&mm->mmap, vma_list);
    if (!vma || vma->vm_end <= addr)
        return NULL;
    vma = NULL;
    struct vm_area_struct *node = RB_ROOT(&mm->mm_rb);
    while (node) {
        if (addr < node->vm_end) {
            vma = node;
            if (node->vm_start <= addr)
                break;
            node = RB_LEFT(node, vm_rb);
        } else {
            node = RB_RIGHT(node, vm_rb);
        }
    }
    if (vma)
        mm->mmap_cache = vma;
    return vma;
}

struct vm_area_struct *find_vma_prev(struct mm_struct *mm, vaddr addr, struct vm_area_struct **prev) {
    struct vm_area_struct *vma = find_vma(mm, addr);
    *prev = vma ? TAILQ_PREV(vma, vma_list, vm_list) : TAILQ_LAST(&mm->mmap, vma_list);
    return vma;
}

struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, vaddr start, vaddr end) {
    struct vm_area_struct *vma = find_vma(mm, start);
    return vma && vma->vm_start < end ? vma : NULL;
}

/* First fit in [from, limit): the address, or 0. */
static vaddr first_hole(struct mm_struct *mm, vaddr from, vaddr limit, u64 len) {
    vaddr addr = from;
    for (struct vm_area_struct *vma = find_vma(mm, addr);; vma = vma_next(vma)) {
        if (addr > limit || limit - addr < len)
            return 0;
        if (!vma || vma->vm_start >= addr + len)
            return addr;
        addr = MAX(addr, vma->vm_end);
    }
}

i64 get_unmapped_area(struct mm_struct *mm, vaddr hint, u64 len, u64 map_flags) {
    bool low = map_flags & MAP_32BIT;
    vaddr base = low ? MAP_32BIT_BASE : TASK_UNMAPPED_BASE, limit = low ? MAP_32BIT_END : TASK_SIZE;

    if (len > limit)
        return -E_NOMEM;
    if (hint > 0 && hint <= limit - len) {
        vaddr addr = ROUND_UP(hint, PAGE_BYTES);
        if (addr >= MMAP_MIN_ADDR && addr <= limit - len && !find_vma_intersection(mm, addr, addr + len))
            return (i64)addr;
    }
    vaddr addr = 0;
    if (!low && mm->free_area_cache > base)
        addr = first_hole(mm, mm->free_area_cache, limit, len);
    if (addr == 0)
        addr = first_hole(mm, base, limit, len);
    return addr == 0 ? -E_NOMEM : (i64)addr;
}

static void count_pages(struct mm_struct *mm, const struct vm_area_struct *vma, u64 pages) {
    mm->total_vm += pages;
    if (vma->vm_flags & VM_LOCKED)
        mm->locked_vm += pages;
}

static void uncount_pages(struct mm_struct *mm, const struct vm_area_struct *vma, u64 pages) {
    ASSERT(mm->total_vm >= pages);
    mm->total_vm -= pages;
    if (vma->vm_flags & VM_LOCKED)
        mm->locked_vm -= pages;
}

/* RB_INSERT where the neighbours are known already: of two, one has no child on the side of the other. */
static void link_between(struct mm_struct *mm, struct vm_area_struct *prev, struct vm_area_struct *vma,
                         struct vm_area_struct *next) {
    bool left = next && !RB_LEFT(next, vm_rb);
    struct vm_area_struct *parent = left ? next : prev;

    RB_SET(vma, parent, vm_rb);
    if (!parent)
        RB_ROOT(&mm->mm_rb) = vma;
    else if (left)
        RB_LEFT(parent, vm_rb) = vma;
    else
        RB_RIGHT(parent, vm_rb) = vma;
    vma_tree_RB_INSERT_COLOR(&mm->mm_rb, vma);
}

/* As insert_vm_struct, where the neighbours are known. */
static void insert_between(struct mm_struct *mm, struct vm_area_struct *prev, struct vm_area_struct *vma,
                           struct vm_area_struct *next) {
    ASSERT(vma->vm_start < vma->vm_end && (!next || vma->vm_end <= next->vm_start));
    ASSERT(!prev || prev->vm_end <= vma->vm_start);
    ASSERT(mm->map_count < MAX_MAP_COUNT);
    vma->vm_mm = mm;
    if (next)
        TAILQ_INSERT_BEFORE(next, vma, vm_list);
    else
        TAILQ_INSERT_TAIL(&mm->mmap, vma, vm_list);
    link_between(mm, prev, vma, next);
    mm->mmap_cache = vma;
    mm->map_count++;
    count_pages(mm, vma, vma_pages(vma));
}

void insert_vm_struct(struct mm_struct *mm, struct vm_area_struct *vma) {
    struct vm_area_struct *prev;
    struct vm_area_struct *next = find_vma_prev(mm, vma->vm_start, &prev);
    insert_between(mm, prev, vma, next);
}

void remove_vm_struct(struct mm_struct *mm, struct vm_area_struct *vma) {
    struct vm_area_struct *next = vma_next(vma);
    TAILQ_REMOVE(&mm->mmap, vma, vm_list);
    RB_REMOVE(vma_tree, &mm->mm_rb, vma);
    if (mm->mmap_cache == vma)
        mm->mmap_cache = next; /* who looks here again finds the hole below it */
    mm->map_count--;
    uncount_pages(mm, vma, vma_pages(vma));
}

struct vm_area_struct *vma_alloc(struct mm_struct *mm) {
    return kmem_cache_alloc(mm->ctx->vm_area_cachep, GFP_KERNEL);
}

void vma_close_free(struct vm_area_struct *vma) {
    struct vm_context *ctx = vma->vm_mm->ctx;
    if (vma->vm_ops->close)
        vma->vm_ops->close(vma);
    kmem_cache_free(ctx->vm_area_cachep, vma);
}

void vma_free_unused(struct mm_struct *mm, struct vm_area_struct *vma) {
    if (vma)
        kmem_cache_free(mm->ctx->vm_area_cachep, vma);
}

void vma_set_range(struct vm_area_struct *vma, vaddr start, vaddr end) {
    ASSERT(start < end);
    uncount_pages(vma->vm_mm, vma, vma_pages(vma));
    if (vma->vm_object)
        vma->vm_pgoff += (i64)(start - vma->vm_start) >> PAGE_SHIFT;
    vma->pte_low = MAX(vma->pte_low, start);
    vma->pte_high = MIN(vma->pte_high, end);
    if (vma->pte_low >= vma->pte_high)
        vma_untouched(vma);
    vma->vm_start = start; /* order among the regions stays: the tree's key may change in place */
    vma->vm_end = end;
    count_pages(vma->vm_mm, vma, vma_pages(vma));
}

void split_vma(struct vm_area_struct *vma, vaddr addr, struct vm_area_struct *above) {
    ASSERT(vma->vm_start < addr && addr < vma->vm_end);
    above->vm_flags = vma->vm_flags;
    above->vm_object = vma->vm_object;
    above->vm_ops = vma->vm_ops;
    above->vm_start = addr;
    above->vm_end = vma->vm_end;
    above->vm_pgoff = vma->vm_object ? vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT) : 0;
    vma_untouched(above);
    vma_add_touched(vma, addr, above->vm_end, &above->pte_low, &above->pte_high);
    vma_set_range(vma, vma->vm_start, addr);
    insert_between(vma->vm_mm, vma, above, vma_next(vma));
    if (above->vm_ops->open)
        above->vm_ops->open(above);
}

/* True if `below` and `above` touch and agree in everything: they may be one region. */
static bool can_merge(const struct vm_area_struct *below, const struct vm_area_struct *above) {
    return below->vm_end == above->vm_start && below->vm_flags == above->vm_flags &&
           below->vm_ops == above->vm_ops && below->vm_object == above->vm_object &&
           (!below->vm_object || below->vm_pgoff + vma_pages(below) == above->vm_pgoff);
}

/* Lets `below` take over the pages of `above`, which touch it and agree with it. */
static void absorb(struct vm_area_struct *below, struct vm_area_struct *above) {
    vaddr end = above->vm_end;
    vma_touch(below, above->pte_low, above->pte_high);
    remove_vm_struct(above->vm_mm, above);
    vma_close_free(above);
    vma_set_range(below, below->vm_start, end);
}

void vma_merge_range(struct mm_struct *mm, vaddr start, vaddr end) {
    struct vm_area_struct *vma;
    struct vm_area_struct *next = find_vma_prev(mm, start, &vma);

    if (!vma) {
        vma = next;
        next = vma ? vma_next(vma) : NULL;
    }
    while (vma && next && next->vm_start <= end) {
        if (can_merge(vma, next))
            absorb(vma, next);
        else
            vma = next;
        next = vma_next(vma);
    }
}

bool vma_would_merge(struct mm_struct *mm, const struct vm_area_struct *like) {
    struct vm_area_struct *prev;
    struct vm_area_struct *next = find_vma_prev(mm, like->vm_start, &prev);
    return (prev && can_merge(prev, like)) || (next && can_merge(like, next));
}

bool vma_enter(struct mm_struct *mm, const struct vm_area_struct *like, struct vm_area_struct *spare) {
    struct vm_area_struct *prev;
    struct vm_area_struct *next = find_vma_prev(mm, like->vm_start, &prev);

    if (prev && can_merge(prev, like)) {
        vma_set_range(prev, prev->vm_start, like->vm_end);
        vma_touch(prev, like->pte_low, like->pte_high);
        if (next && can_merge(prev, next))
            absorb(prev, next);
        return false;
    }
    if (next && can_merge(like, next)) {
        vma_set_range(next, like->vm_start, next->vm_end);
        vma_touch(next, like->pte_low, like->pte_high);
        return false;
    }
    ASSERT(spare);
    *spare = *like;
    insert_between(mm, prev, spare, next);
    if (spare->vm_ops->open)
        spare->vm_ops->open(spare);
    return true;
}

static const char *check_region(const struct mm_struct *mm, const struct vm_area_struct *vma,
                                const struct vm_area_struct *prev) {
    if (vma->vm_mm != mm)
        return "a region of another descriptor";
    if (vma->vm_start >= vma->vm_end || (vma->vm_start | vma->vm_end) & PAGE_MASK)
        return "a region is empty or not page-aligned";
    if (vma->vm_end > TASK_SIZE)
        return "a region lies above TASK_SIZE";
    if (prev && prev->vm_end > vma->vm_start)
        return "regions overlap or are not sorted";
    if (prev && can_merge(prev, vma))
        return "neighbours that agree are not merged";
    bool untouched = vma->pte_low == ~0ull && vma->pte_high == 0;
    if (!untouched &&
        !(vma->vm_start <= vma->pte_low && vma->pte_low < vma->pte_high && vma->pte_high <= vma->vm_end))
        return "a region knows of entries outside of it";
    if (!vma->vm_object && vma->vm_pgoff != 0)
        return "an anonymous region has a page offset";
    return NULL;
}

const char *mm_check(struct mm_struct *mm) {
    struct vm_area_struct *vma, *prev = NULL, *node = RB_MIN(vma_tree, &mm->mm_rb);
    u64 count = 0, pages = 0, locked = 0;

    TAILQ_FOREACH(vma, &mm->mmap, vm_list) {
        if (node != vma)
            return "list and tree differ";
        const char *wrong = check_region(mm, vma, prev);
        if (wrong)
            return wrong;
        count++;
        pages += vma_pages(vma);
        locked += vma->vm_flags & VM_LOCKED ? vma_pages(vma) : 0;
        prev = vma;
        node = RB_NEXT(vma_tree, &mm->mm_rb, node);
    }
    if (node)
        return "the tree has more regions than the list";
    if (count != mm->map_count || pages != mm->total_vm || locked != mm->locked_vm)
        return "counts do not match the regions";
    return NULL;
}

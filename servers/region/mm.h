/* SPDX-License-Identifier: MIT */
/* Memory descriptors and regions: what a process may address, as a sorted list and as a red-black tree.
 *
 * Invariants (checked by mm_check): regions are disjoint, not empty, page-aligned and below TASK_SIZE; list
 * and tree hold the same regions in the same order; neighbours that could be one region are one region;
 * total_vm is the sum of their pages; entries of page tables lie within their region's pte_low and pte_high.
 * All functions are pure logic: they never wait and never touch page-table entries. */
#pragma once

#include <abi/types.h>
#include <ipc/queue.h>
#include <ipc/tree.h>
#include "mman.h"

struct kmem_cache;
struct mm_struct;
struct vm_area_struct;
struct vm_object;
struct fault_words;
struct fault_verdict;

/* What differs between kinds of memory. */
struct vm_operations_struct {
    const char *name;
    /* A region of this kind came to be (open) or goes away (close), by mmap, fork, a split or a merge. */
    void (*open)(struct vm_area_struct *vma);
    void (*close)(struct vm_area_struct *vma);
    /* The verdict on a permitted access to a page whose entry is empty. */
    void (*nopage)(struct vm_area_struct *vma, const struct fault_words *f, struct fault_verdict *v);
};

struct vm_area_struct {
    vaddr vm_start; /* first byte, page-aligned */
    vaddr vm_end;   /* first byte behind, page-aligned */
    u64 vm_flags;   /* VM_xxx */
    u64 vm_pgoff;   /* page of the object at vm_start; 0 where there is no object */
    /* Page-table entries may exist within [pte_low, pte_high) only; where there never was one: ~0 and 0. What
     * lies outside needs no work at the page tables. */
    vaddr pte_low, pte_high;
    struct vm_object *vm_object; /* counted by open and close; NULL for anonymous memory */
    const struct vm_operations_struct *vm_ops;
    struct mm_struct *vm_mm;
    TAILQ_ENTRY(vm_area_struct) vm_list;
    RB_ENTRY(vm_area_struct) vm_rb;
};

TAILQ_HEAD(vma_list, vm_area_struct);
RB_HEAD(vma_tree, vm_area_struct);
RB_HEAD(vm_object_tree, vm_object);
TAILQ_HEAD(vm_object_list, vm_object);

#define PIECE_REGIONS 32

/* What all memory descriptors of one region server share; owned by the shell (or the test). */
struct vm_context {
    struct kmem_cache *mm_cachep;      /* "mm_struct" */
    struct kmem_cache *vm_area_cachep; /* "vm_area_struct" */
    struct kmem_cache *object_cachep;  /* "vm_object" */
    struct vm_object_tree objects;     /* every object that some region maps */
    struct vm_object_list released; /* objects whose count fell to 0, until the shell names them to linux */
    u32 piece;                      /* regions that a call changes at a time, at most: PIECE_REGIONS */
    pfn zero_page;                  /* the shared page of zeroes, a frame of region's own */
    u8 account;                     /* region's account: owner of all private anonymous frames */
};

struct mm_struct {
    struct vma_list mmap;
    struct vma_tree mm_rb;
    struct vm_area_struct *mmap_cache; /* the region that find_vma returned last, or one near by, or NULL */
    vaddr free_area_cache;             /* behind what it found last: where get_unmapped_area starts to look */
    struct vm_context *ctx;
    u32 id;        /* number of the descriptor: what linux calls it, and the badge of its space's messages */
    u32 space;     /* slot of the capability to its space */
    u32 map_count; /* regions */
    bool busy;     /* a call in slices is under way: faults that would grow or raise wait for its end */
    u64 total_vm;  /* pages in all regions */
    u64 locked_vm; /* pages in regions with VM_LOCKED */
    u64 def_flags; /* VM_LOCKED for all new regions (mlockall), or 0 */
    u64 tables;    /* frames that the space's table pool was fed */
    u64 faults;    /* answered, or forwarded */
    u64 forwards;  /* of them, those that cache answers */
    vaddr forwarded; /* the page whose fault was forwarded last, */
    u32 in_a_row;    /* and how often */
    u64 fault_key;   /* what cache counts faults that wait under: never the same again, and not 0 */
    vaddr start_code, end_code, start_data, end_data;
    vaddr start_brk, brk; /* the heap: brk is what the program asked for, not rounded */
    vaddr start_stack, arg_start, arg_end;
    u64 rlim_as, rlim_data, rlim_stack; /* bytes */
};

/* Sets up a context without objects. */
void vm_context_init(struct vm_context *ctx);

/* A new empty descriptor, or NULL without memory. */
struct mm_struct *mm_alloc(struct vm_context *ctx);
/* Gives back a descriptor that has no regions left. */
void mm_free(struct mm_struct *mm);

/* Forgets borders (not limits) of a descriptor that has no regions left. */
void mm_forget_layout(struct mm_struct *mm);

/* The first region that ends above addr: it need not contain addr. NULL if there is none. */
struct vm_area_struct *find_vma(struct mm_struct *mm, vaddr addr);
/* The same, and in *prev the region before it (the last one if the result is NULL; NULL if there is none). */
struct vm_area_struct *find_vma_prev(struct mm_struct *mm, vaddr addr, struct vm_area_struct **prev);
/* The first region that has bytes in [start, end), or NULL. */
struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, vaddr start, vaddr end);

/* Finds room for len bytes (page multiple, not 0): at the hint if that is free, else the first hole behind
 * the place of the last search, else the first hole above TASK_UNMAPPED_BASE. With MAP_32BIT below 2 GiB.
 * Returns the address, or -E_NOMEM. */
i64 get_unmapped_area(struct mm_struct *mm, vaddr hint, u64 len, u64 map_flags);

/* Links a region into list, tree and counts. Its place must be free, map_count below MAX_MAP_COUNT. */
void insert_vm_struct(struct mm_struct *mm, struct vm_area_struct *vma);
/* Unlinks a region from list, tree and counts; it stays allocated and open. */
void remove_vm_struct(struct mm_struct *mm, struct vm_area_struct *vma);

/* A descriptor from the slab cache, contents undefined; NULL without memory. */
struct vm_area_struct *vma_alloc(struct mm_struct *mm);
/* Closes a region and gives its descriptor back. */
void vma_close_free(struct vm_area_struct *vma);
/* Gives back a descriptor that never was a region; NULL is allowed. */
void vma_free_unused(struct mm_struct *mm, struct vm_area_struct *vma);

/* Cuts vma at addr (inside it, page-aligned): vma keeps the part below, `above` becomes the part from addr
 * on. */
void split_vma(struct vm_area_struct *vma, vaddr addr, struct vm_area_struct *above);
/* Makes one region of each two neighbours that touch, agree, and meet within [start, end]. */
void vma_merge_range(struct mm_struct *mm, vaddr start, vaddr end);
/* Puts a region like *like (start, end, flags, object, ...) into a free place, by extending a neighbour that
 * agrees where there is one; otherwise `spare` becomes the region. Returns true if the spare was used. */
bool vma_enter(struct mm_struct *mm, const struct vm_area_struct *like, struct vm_area_struct *spare);
/* True if vma_enter would extend a neighbour. */
bool vma_would_merge(struct mm_struct *mm, const struct vm_area_struct *like);
/* Moves one end of a region (never past the other or into a neighbour) and keeps the counts. */
void vma_set_range(struct vm_area_struct *vma, vaddr start, vaddr end);

/* Checks the invariants above; NULL, or what is wrong. For tests and debug builds; O(regions). */
const char *mm_check(struct mm_struct *mm);

/* Entries may come to be in [start, end), which lies inside the region. An empty range is given as ~0, 0. */
static inline void vma_touch(struct vm_area_struct *vma, vaddr start, vaddr end) {
    vma->pte_low = MIN(vma->pte_low, start);
    vma->pte_high = MAX(vma->pte_high, end);
}

/* No entries yet: for a new region. */
static inline void vma_untouched(struct vm_area_struct *vma) {
    vma->pte_low = ~0ull;
    vma->pte_high = 0;
}

/* Extends [*low, *high) over what of [start, end) the region may have entries in. Begin with ~0, 0. */
static inline void vma_add_touched(const struct vm_area_struct *vma, vaddr start, vaddr end, vaddr *low,
                                   vaddr *high) {
    vaddr from = MAX(start, vma->pte_low), to = MIN(end, vma->pte_high);
    if (from < to) {
        *low = MIN(*low, from);
        *high = MAX(*high, to);
    }
}

static inline u64 vma_pages(const struct vm_area_struct *vma) {
    return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

static inline struct vm_area_struct *vma_next(struct vm_area_struct *vma) {
    return TAILQ_NEXT(vma, vm_list);
}

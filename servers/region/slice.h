/* SPDX-License-Identifier: MIT */
/* Long work on a memory descriptor, in slices that are each bounded: unmapping, protecting, fork, taking all
 * down, counting resident pages. Pure logic: page tables are reached through a table of callbacks.
 *
 * A call under way holds its descriptors busy: other calls on them wait their turn, faults do not.
 *
 *   WORK_CHANGE   range by range, until no more regions change ----> finish the change
 *   WORK_MREMAP   feed tables --> change the regions --> the same --> move page by page --> finish; out of
 *                 memory: nothing has changed
 *   WORK_FORK     copy regions --> clone range by range --> done;  out of memory: take the child down again
 *   WORK_RESET    unmap range by range --> close regions ----------> (the space stays)
 *   WORK_EXIT     the same ---------------------------> destroy space, free descriptor
 *   WORK_COUNT    add up regions --> scan range by range */
#pragma once

#include <abi/syscall.h>

#include "mmap.h"

#define MOVE_PAGES    64   /* entries that one step of mremap moves */
#define SLICE_REGIONS 24   /* regions copied or closed in one slice */
#define SLICE_COUNTED 1024 /* regions added up in one slice */
#define SLICE_CALLS   8    /* range calls in one slice, if each comes to its end */
#define SLICE_PAGES   256  /* pages passed in one slice: then it is over */
#define SLICE_FREED   48 /* frames that came back: then it is over, as freeing one costs ten times a visit */
#define UNMAP_PAGES   64 /* of one call that unmaps; twice as many after a call that freed hardly any */
#define UNMAP_MOST    (1u << 27)

/* What the kernel does for region; `at` is the address that a range call has come to, or -E_xxx. */
struct vm_kernel {
    void *self;
    /* Unmaps, and takes back the frames of region's own whose last mapping went; adds their number to
     * *freed. */
    i64 (*unmap)(void *self, u32 space, vaddr first, u64 pages, u64 *freed);
    i64 (*protect)(void *self, u32 space, vaddr first, u64 pages, u64 rights);
    /* -E_NEED_TABLES if the target's pool is empty and nothing could be done; another error ends the fork. */
    i64 (*clone)(void *self, u32 from, u32 to, vaddr first, u64 pages, bool private);
    /* Adds to *resident the present entries. */
    i64 (*scan)(void *self, u32 space, vaddr first, u64 pages, u64 *resident);
    /* Puts frames into the space's table pool: how many, or -E_NOMEM. */
    i64 (*feed)(void *self, u32 space);
    /* Takes up to `count` unused ones out again: how many. */
    u64 (*unfeed)(void *self, u32 space, u64 count);
    /* The first entries that are not 0, up to MOVE_PAGES of them; their number in *count. */
    i64 (*entries)(void *self, u32 space, vaddr first, u64 pages, struct range_record *entry, u64 *count);
    /* Maps frames into empty entries: how many, and in *why what stopped it (0 or an E_xxx). */
    u64 (*map)(void *self, u32 space, const struct map_item *items, u64 count, err *why);
    /* One step of ending a space: 0, -E_AGAIN, or what forbids it (its threads still run). */
    err (*destroy)(void *self, u32 space);
};

enum work_kind { WORK_CHANGE, WORK_MREMAP, WORK_FORK, WORK_RESET, WORK_EXIT, WORK_COUNT };
enum work_phase {
    PHASE_FEED,
    PHASE_REGIONS,
    PHASE_RANGES,
    PHASE_MOVE,
    PHASE_CLOSE,
    PHASE_DESTROY,
    PHASE_DONE
};

/* Pages: those present, and of the regions by kind. */
struct vm_counts {
    u64 resident, shared, stack, data, text;
};

struct vm_work {
    enum work_kind kind;
    enum work_phase phase;
    struct mm_struct *owner; /* the descriptor that the call names; NULL when it is gone */
    struct mm_struct *mm;    /* the one worked on: the owner, or the child of a fork that failed */
    struct mm_struct *child; /* WORK_FORK; NULL after it if the fork failed */
    vaddr at;                /* where the next range begins */
    i64 result;              /* what the call answers: 0, a value, or -E_xxx */
    struct vm_counts counts; /* WORK_COUNT */
    u64 freed;               /* frames that this slice has brought back */
    u64 chunk;               /* pages that the next call may unmap */
    struct vm_change change; /* WORK_CHANGE, WORK_MREMAP */
    struct mremap_request mremap;
    u64 fed; /* WORK_MREMAP: frames that the pool got for it */
};

/* Begin; *work is the caller's and stays where it is until done. The descriptors become busy. For WORK_CHANGE
 * the regions have been changed already, work->change holds what remains. For WORK_FORK child is a new
 * descriptor with a space. For WORK_MREMAP work->mremap is the request; the result is its answer. */
void work_begin(struct vm_work *work, enum work_kind kind, struct mm_struct *mm, struct mm_struct *child);

/* One slice. True when all is done; the descriptors are then not busy any more (mm is gone after WORK_EXIT,
 * child if result is negative). */
bool work_slice(struct vm_work *work, const struct vm_kernel *k) must_check;

/* move.c: a step of WORK_MREMAP in PHASE_MOVE: what the entries from work->at on hold goes to its new place.
 * True when all is moved. */
bool move_step(struct vm_work *work, const struct vm_kernel *k) must_check;

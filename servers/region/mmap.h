/* SPDX-License-Identifier: MIT */
/* The calls that change regions: mmap, munmap, mprotect, brk, mremap, mlock, fork. Pure logic.
 *
 * Each call decides and changes the regions at once, and leaves what remains to be done at the page tables in
 * a struct vm_change: the caller unmaps or protects [start, end), in slices, with mm->busy set, and then
 * calls vm_change_next. A call over many regions changes them in pieces: as long as vm_change_next is true
 * there is another range. Then vm_change_finish, which cannot fail. A range is no larger than what programs
 * have touched, and where they touched nothing there is nothing to do (CHANGE_NONE). Until the end faults see
 * what the regions say: in a range that is being unmapped there is no region, not even the one that
 * mmap(MAP_FIXED) will put there.
 *
 * On an error nothing has changed, and the vm_change is to be forgotten. Errors are Linux's. */
#pragma once

#include <abi/object.h>
#include "mm.h"

enum change_kind {
    CHANGE_NONE,   /* the page tables need nothing */
    CHANGE_UNMAP,  /* unmap [start, end) */
    CHANGE_PROTECT /* set the entries of [start, end) to `rights` */
};

struct vm_change {
    enum change_kind kind;
    vaddr start, end;
    u64 rights; /* MAP_xxx, for CHANGE_PROTECT */
    err status; /* what the call answers when all is done: not 0 if it stopped half way, as Linux's may */
    /* What has not been done yet to the regions of [rest, rest_end); step does a piece of it, as *change and
     * its own argument say. */
    vaddr rest, rest_end;
    err (*step)(struct mm_struct *mm, struct vm_change *change);
    u64 argument;
    bool begun;                   /* a piece has been done */
    struct vma_list dead;         /* regions that went; they hold their objects until the pages are gone */
    bool enter;                   /* then the region `like` is to be entered */
    struct vm_area_struct like;   /* the new region, if enter */
    struct vm_area_struct *spare; /* a descriptor for it, NULL if a neighbour will be extended */
    /* mremap, after that: what is in [move_low, move_high) goes, and of the part below move_limit the frames
     * of region's own to the address that is higher by move_by (modulo 2^64). */
    vaddr move_low, move_high, move_limit;
    u64 move_by;
};

struct mremap_request {
    vaddr addr;
    u64 old_len, new_len; /* bytes; rounded up to pages */
    u64 flags;            /* MREMAP_xxx */
    vaddr new_addr;       /* with MREMAP_FIXED */
};

struct mmap_request {
    vaddr addr;   /* with MAP_FIXED the address, otherwise a hint */
    u64 len;      /* bytes; rounded up to pages */
    u64 prot;     /* PROT_xxx */
    u64 flags;    /* MAP_xxx */
    u64 object;   /* cache's number of the object; 0: private anonymous memory */
    u64 max_prot; /* PROT_xxx that the object's opening mode permits; unused for anonymous memory */
    u64 pgoff;    /* first page in the object */
};

/* A change that asks for nothing. */
static inline void vm_change_init(struct vm_change *change) {
    change->kind = CHANGE_NONE;
    change->start = change->end = 0;
    change->rest = change->rest_end = 0;
    change->begun = false;
    change->status = 0;
    change->enter = false;
    TAILQ_INIT(&change->dead);
    change->move_low = ~0ull;
    change->move_high = 0;
}

/* True if there is nothing left to be done at the page tables or to regions. */
static inline bool vm_change_over(const struct vm_change *change) {
    return change->kind == CHANGE_NONE && change->move_low >= change->move_high &&
           change->rest >= change->rest_end;
}

/* What is to be done at the page tables within [low, high): nothing if that is empty. */
static inline void vm_change_range(struct vm_change *change, enum change_kind kind, vaddr low, vaddr high) {
    change->kind = low < high ? kind : CHANGE_NONE;
    change->start = low;
    change->end = high;
}

/* mmap. Returns the address; change->enter is set if old pages must go first, otherwise the region stands
 * already. -E_INVAL: length 0, bad type, misaligned MAP_FIXED address. -E_ACCES: the object's opening mode.
 * -E_EXIST: NOREPLACE. -E_OVERFLOW: object offset. -E_PERM: fixed below MMAP_MIN_ADDR. -E_NOMEM: room,
 * RLIMIT_AS, regions, descriptors. */
i64 do_mmap(struct mm_struct *mm, const struct mmap_request *req, struct vm_change *change) must_check;

/* munmap. 0, -E_INVAL (alignment, length 0, outside of user addresses), -E_NOMEM (a hole needs one region
 * more). */
err do_munmap(struct mm_struct *mm, vaddr start, u64 len, struct vm_change *change) must_check;

/* mprotect. 0; -E_INVAL (alignment, unknown bits); -E_NOMEM (the first page has no region, or no
 * descriptors); -E_ACCES (more than VM_MAY... of the first region allows). Nothing changes on an error; but
 * what such a page or region follows is changed, and change->status is that error, as Linux does it. */
err do_mprotect(struct mm_struct *mm, vaddr start, u64 len, u64 prot, struct vm_change *change) must_check;

/* brk. Returns the new break, or the current one if the wish cannot be met (below start_brk, RLIMIT_DATA,
 * RLIMIT_AS, overlap, no descriptor). */
vaddr sys_brk(struct mm_struct *mm, vaddr brk, struct vm_change *change) must_check;
/* Anonymous memory at [addr, addr + len), writable; the heap's growth, and exec's bss. Pages that are there
 * go first, as with MAP_FIXED. 0, -E_INVAL or -E_NOMEM. */
err do_brk(struct mm_struct *mm, vaddr addr, u64 len, struct vm_change *change) must_check;

/* mremap. Returns the address; -E_INVAL, -E_FAULT (no such region), -E_PERM (fixed below MMAP_MIN_ADDR),
 * -E_NOMEM (no room, or it would have to move and may not; RLIMIT_AS; regions, descriptors). */
i64 do_mremap(struct mm_struct *mm, const struct mremap_request *req, struct vm_change *change) must_check;
/* How many frames the space's table pool must be fed before that call, so that moving cannot fail. */
u64 mremap_tables(struct mm_struct *mm, const struct mremap_request *req);

/* Puts a region like change->like in place of whatever is there, and takes [from, from_end) away, which does
 * not overlap it. The rest of *change is filled in, but for what mremap moves. 0 or -E_NOMEM. */
err vm_change_enter(struct mm_struct *mm, struct vm_change *change, vaddr from, vaddr from_end) must_check;

/* madvise(MADV_DONTNEED): the pages of [start, start + len) are to go, the regions stay. 0; -E_INVAL
 * (alignment); in change->status -E_INVAL if locked pages stopped it, -E_NOMEM if some of it has no region.
 * With only_anonymous (MADV_FREE) anything but private anonymous memory stops it too. */
err madvise_dontneed(struct mm_struct *mm, vaddr start, u64 len, bool only_anonymous,
                     struct vm_change *change) must_check;

/* mlock, munlock: sets or clears VM_LOCKED. As do_mprotect: 0, and in change->status -E_NOMEM if there was a
 * hole. */
err do_mlock(struct mm_struct *mm, vaddr start, u64 len, bool lock, struct vm_change *change) must_check;
/* mlockall, munlockall: all regions now, all regions that come. */
void do_mlockall(struct mm_struct *mm, bool now, bool future, struct vm_change *change);

/* The page tables are done with [start, end): closes the regions that went, and changes the next ones. False
 * if there are none; else there is another range. */
bool vm_change_next(struct mm_struct *mm, struct vm_change *change) must_check;
/* What remains after that: closes regions that went and enters the new one. */
void vm_change_finish(struct mm_struct *mm, struct vm_change *change);

/* fork: gives child a copy of each region of parent from address `from` on, at most `max` of them. Returns
 * the address to go on from, TASK_SIZE when all are copied, or -E_NOMEM (child keeps those that it has). The
 * first call (from 0) also copies borders and limits. */
i64 dup_mmap(struct mm_struct *child, struct mm_struct *parent, vaddr from, u64 max) must_check;

/* The next range of parent's page tables, at or after `from`, to be repeated in the child's: true, and
 * [*start, *end) with *private: clone_private (copy on write) or clone. */
bool fork_next_range(struct mm_struct *child, vaddr from, vaddr *start, vaddr *end, bool *private);

/* exit, exec: takes the first region away; its pages must be gone. False if there is none left. */
bool exit_mmap_one(struct mm_struct *mm);
/* The range around the lowest region that one pass may unmap: neighbours that lie close together. False if
 * there is none left. */
bool exit_next_range(struct mm_struct *mm, vaddr from, vaddr *start, vaddr *end);

/* The rights (MAP_xxx) that entries of a region with these flags may have; x86-64 cannot write or execute
 * without reading. */
static inline u64 vma_map_rights(u64 vm_flags) {
    u64 rights = vm_flags & VM_RIGHTS;
    return rights ? rights | MAP_READ : 0;
}
_Static_assert((int)VM_READ == (int)MAP_READ && (int)VM_WRITE == (int)MAP_WRITE &&
                   (int)VM_EXEC == (int)MAP_EXEC,
               "same bits");

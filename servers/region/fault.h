/* SPDX-License-Identifier: MIT */
/* Fault policy: from what the kernel tells of a fault and from the regions, the verdict. Pure logic: the
 * shell acts on it.
 *
 *   empty entry ---------------- region's kind: fill with zeroes, map the page of zeroes, or forward to cache
 *   present, write, read-only -- do_wp_page: upgrade in place, fill with zeroes, or copy
 *   present, permitted --------- resume (another thread, or a protect under way, was first)
 *   not permitted -------------- raise; or wait, if a call on this descriptor is under way */
#pragma once

#include <abi/fault.h>
#include <abi/object.h>
#include "mm.h"
#include "mmap.h"

#define RED_ZONE_BYTES    128 /* below the stack pointer, the program's own by the ABI */
#define PUSHA_BYTES       32  /* an instruction may write so far below the stack pointer before it moves it */
#define FAULT_REPEATS_MAX 1000 /* more faults on a page that was entered each time: something is wrong */

/* Linux's signal numbers and codes, as raise passes them on. */
#define SIGBUS      7
#define SIGKILL     9
#define SIGSEGV     11
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRERR  2

enum fault_verdict_kind {
    FAULT_RESUME,  /* nothing to do: answer without items */
    FAULT_FILL,    /* a frame of region's own is needed: FILL_ZERO or FILL_COPY it */
    FAULT_ITEM,    /* map `frame` by `op` (the page of zeroes as it is, or upgrade) */
    FAULT_FORWARD, /* object, index; cache may map pages [first, first + count) of the 2 MiB block with
                      `rights` */
    FAULT_PROTECT, /* set the entry's rights to `rights`, then resume */
    FAULT_WAIT,    /* look again when the call that is under way on this descriptor has ended */
    FAULT_RAISE    /* signal, code */
};

struct fault_verdict {
    enum fault_verdict_kind kind;
    enum fault_op op;
    u64 rights; /* MAP_xxx */
    pfn frame;
    u64 object, index, first, count;
    u32 signal, code;
};

static inline void fault_fill(struct fault_verdict *v, enum fault_op op, u64 rights) {
    v->kind = FAULT_FILL;
    v->op = op;
    v->rights = rights;
}

static inline void fault_map_zero_page(struct fault_verdict *v, pfn zero_page, u64 rights) {
    v->kind = FAULT_ITEM;
    v->op = FILL_AS_IS;
    v->frame = zero_page;
    v->rights = rights;
}

static inline bool access_allowed(u64 vm_flags, u64 access) {
    if (access == ACCESS_WRITE)
        return vm_flags & VM_WRITE;
    if (access == ACCESS_EXEC)
        return vm_flags & VM_EXEC;
    return vm_flags & VM_RIGHTS; /* the processor cannot forbid reading what may be written or executed */
}

/* An absent page of anonymous memory. Reads get the shared page of zeroes, read-only; writes a zeroed
 * frame. */
static inline void do_anonymous_page(struct vm_area_struct *vma, const struct fault_words *f,
                                     struct fault_verdict *v) {
    u64 rights = vma_map_rights(vma->vm_flags);
    vaddr page = f->address & ~PAGE_MASK;

    vma_touch(vma, page, page + PAGE_BYTES);
    if (FAULT_ACCESS(f->info) == ACCESS_WRITE)
        fault_fill(v, FILL_ZERO, rights | MAP_MAYWRITE);
    else
        fault_map_zero_page(v, vma->vm_mm->ctx->zero_page, rights & ~(u64)MAP_WRITE);
}

/* A write to a page that is present and read-only, in a private region that may be written. The frame may be
 * made writable in place only if it is region's own, not the page of zeroes, and mapped nowhere else. */
static inline void do_wp_page(const struct vm_area_struct *vma, const struct fault_words *f,
                              struct fault_verdict *v) {
    const struct vm_context *ctx = vma->vm_mm->ctx;
    bool own = FAULT_ACCOUNT(f->info) == ctx->account;
    pfn frame = PTE_FRAME(f->entry);
    u64 rights = vma_map_rights(vma->vm_flags) | MAP_MAYWRITE;

    if (own && frame == ctx->zero_page) {
        fault_fill(v, FILL_ZERO, rights); /* cheaper than a copy of zeroes */
    } else if (own && FAULT_SHARES(f->info) == 1) {
        v->kind = FAULT_ITEM;
        v->op = FILL_UPGRADE;
        v->frame = frame;
        v->rights = rights;
    } else {
        fault_fill(v, FILL_COPY, rights);
    }
}

static inline bool is_write_protected(u64 entry) {
    return (entry & (PTE_PRESENT | PTE_USER | PTE_WRITE)) == (PTE_PRESENT | PTE_USER);
}

/* The usual faults, in the region found last: the first access to a page of anonymous memory, and a write to
 * a private page that is write-protected. True: *v is the verdict, FAULT_FILL or FAULT_ITEM. False: the fault
 * is another one, for do_page_fault, and nothing has happened. */
static inline bool do_usual_fault(struct mm_struct *mm, const struct fault_words *f,
                                  struct fault_verdict *v) {
    struct vm_area_struct *vma = mm->mmap_cache;
    u64 access = FAULT_ACCESS(f->info);

    if (!vma || f->address < vma->vm_start || f->address >= vma->vm_end)
        return false;
    if (!access_allowed(vma->vm_flags, access) || f->repeats > FAULT_REPEATS_MAX)
        return false;
    if (f->entry == 0 && !vma->vm_object)
        do_anonymous_page(vma, f, v);
    else if (access == ACCESS_WRITE && is_write_protected(f->entry) && !(vma->vm_flags & VM_SHARED))
        do_wp_page(vma, f, v);
    else
        return false;
    return true;
}

/* The verdict on a fault. May grow the stack's region, and counts nothing else. */
void do_page_fault(struct mm_struct *mm, const struct fault_words *f, struct fault_verdict *v);

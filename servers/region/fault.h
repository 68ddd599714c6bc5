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

/* The verdict on a fault. May grow the stack's region, and counts nothing else. */
void do_page_fault(struct mm_struct *mm, const struct fault_words *f, struct fault_verdict *v);

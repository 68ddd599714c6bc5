/* SPDX-License-Identifier: MIT */
/* Which pages are in memory, and bringing them there: mincore, mlock, mlockall, madvise, fadvise64. region
 * knows what is mapped, cache what it holds. There is no swap, so a page of a program's own that is present
 * stays so; locking is therefore a mark (VmLck) and a promise kept once: all pages are made present, by
 * faults of the calling thread. */
#include <string.h>

#include <abi/layout.h>
#include <ipc/server.h>
#include <proto/cache.def>
#include <proto/region.def>

#include "file.h"
#include "kern.h"
#include "state.h"
#include "sys.h"

#define REGION SERVICE(SRV_REGION)
#define CACHE  SERVICE(SRV_CACHE)

/* A call over much memory is long, and no program runs meanwhile: so it stops now and then. */
#define TURN_MS  10
#define PAUSE_MS 1

enum { MCL_CURRENT = 1, MCL_FUTURE = 2, MCL_ONFAULT = 4, MLOCK_ONFAULT = 1 };
enum { MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE = 8 };
enum { FADV_WILLNEED = 3, FADV_NOREUSE = 5 };

/* A part of a region, and which of its pages are present. */
struct piece {
    struct region_resident_rep r;
    u64 present[REGION_RESIDENT_MAX / 64];
};

static u32 mm_of(struct call *k) {
    return k->task->process->mm->number;
}

/* The call begins, or goes on after a pause: not if it comes again after a fault. */
static void begin_turn(struct call *k) {
    if (!(k->flags & IPC_AGAIN))
        k->task->turn = kern_tsc();
}

/* True if the call has had its turn: it will come again with `progress`, and the handler is to return. */
static bool turn_is_over(struct call *k, u64 progress) {
    u64 now = kern_tsc(), ms = kern_tsc_per_ms();
    if (now - k->task->turn < TURN_MS * ms)
        return false;
    k->progress = progress;
    (void)block(k, &state.asleep, now + PAUSE_MS * ms, BLOCK_DEAF);
    return true;
}

static err find_piece(struct call *k, u64 at, u64 pages, bool write, struct piece *p) {
    err e = region_resident(REGION, &(struct region_resident_req){mm_of(k), at, pages, write}, 0, &p->r);
    if (e >= 0 && p->r.pages > REGION_RESIDENT_MAX)
        return -E_PROTO;
    if (e >= 0)
        memcpy(p->present, ipc_tail(), sizeof p->present);
    return e < 0 ? e : 0;
}

/* The range in pages: 0, or -E_INVAL, -E_NOMEM if it is none of the user's. */
static err page_range(u64 start, u64 bytes, u64 *end) {
    if (start & PAGE_MASK)
        return -E_INVAL;
    if (bytes > USER_END || start > USER_END - bytes)
        return -E_NOMEM;
    *end = ROUND_UP(start + bytes, PAGE_BYTES);
    return 0;
}

/* What cache holds of the piece's object counts as present, though it is not mapped. */
static void add_cached(struct piece *p) {
    struct cache_resident_rep rep;
    u64 pages = MIN(p->r.pages, (u64)CACHE_RESIDENT_MAX);
    err e = cache_resident(CACHE, &(struct cache_resident_req){p->r.object, p->r.index, pages}, 0, &rep);
    for (u64 i = 0; e >= 0 && i < CACHE_RESIDENT_MAX / 64; i++)
        p->present[i] |= ipc_tail()[i];
}

/* k->progress: pages done. */
i64 linux_mincore(struct call *k) {
    u64 end, at = k->w[0] + k->progress * PAGE_BYTES;
    u8 bytes[REGION_RESIDENT_MAX];
    struct piece p;
    err e = page_range(k->w[0], k->w[1], &end);
    begin_turn(k);
    for (; e == 0 && at < end; at += p.r.pages * PAGE_BYTES) {
        if (turn_is_over(k, (at - k->w[0]) / PAGE_BYTES))
            return 0;
        e = find_piece(k, at, (end - at) / PAGE_BYTES, false, &p);
        if (e < 0 || p.r.pages == 0 || p.r.start != at)
            return e < 0 ? e : -E_NOMEM;
        if (p.r.object)
            add_cached(&p);
        for (u64 i = 0; i < p.r.pages; i++)
            bytes[i] = p.present[i / 64] >> i % 64 & 1;
        k->progress = (at - k->w[0]) / PAGE_BYTES;
        i64 copied = copy_out(k, k->w[2] + k->progress, bytes, p.r.pages);
        if (copied)
            return copied;
    }
    return e;
}

/* How `populate` goes on where a page cannot be had. */
enum populate { ALL_OR_ERROR, WHAT_CAN_BE };

/* Has the caller fault at the first page of [at, end) that is not there. 0: all are. k->progress is the
 * caller's, set to what the call is to begin with when it comes again. */
static i64 populate(struct call *k, u64 at, u64 end, enum populate how, u64 (*progress)(struct call *, u64)) {
    struct piece p;
    begin_turn(k);
    while (at < end) {
        if (turn_is_over(k, progress(k, at)))
            return 0;
        err e = find_piece(k, at, (end - at) / PAGE_BYTES, false, &p);
        if (e < 0 || p.r.pages == 0)
            return e;
        bool write = p.r.flags & PROT_WRITE && !(p.r.flags >> 8 & MAP_SHARED);
        if (write)
            e = find_piece(k, p.r.start, p.r.pages, true, &p);
        if (e < 0)
            return e;
        at = p.r.start;
        u64 i = 0;
        while (i < p.r.pages && p.present[i / 64] >> i % 64 & 1)
            i++;
        at += i * PAGE_BYTES;
        if (i == p.r.pages)
            continue;
        if (p.r.flags & (PROT_READ | PROT_WRITE | PROT_EXEC)) {
            u64 access = write ? ACCESS_WRITE : p.r.flags & PROT_READ ? ACCESS_READ : ACCESS_EXEC;
            k->progress = progress(k, at);
            k->flags &= (u8)~IPC_FAULTED; /* looked at already */
            i64 r = fault_at(k, at, access);
            return r ? r : -E_RESTART;
        }
        if (how == ALL_OR_ERROR)
            return -E_NOMEM;
        at = p.r.start + p.r.pages * PAGE_BYTES;
    }
    return 0;
}

static u64 progress_is_address(struct call *k, u64 at) {
    (void)k;
    return at;
}

static i64 set_lock(struct call *k, bool lock) {
    struct region_lock_rep rep;
    err e = region_lock(REGION, &(struct region_lock_req){mm_of(k), k->w[0], k->w[1], lock}, &rep);
    return e < 0 ? e : 0;
}

static i64 lock(struct call *k, bool on_fault) {
    u64 end = ROUND_UP(k->w[0] + k->w[1], PAGE_BYTES), at = k->progress;
    if (k->flags & IPC_FAULTED)
        return -E_NOMEM;
    if (!at) {
        i64 e = set_lock(k, true);
        if (e || on_fault)
            return e;
        at = ROUND_DOWN(k->w[0], PAGE_BYTES);
    }
    return populate(k, at, end, ALL_OR_ERROR, progress_is_address);
}

i64 linux_mlock(struct call *k) {
    return lock(k, false);
}
i64 linux_mlock2(struct call *k) {
    return k->w[2] & ~(u64)MLOCK_ONFAULT ? -E_INVAL : lock(k, k->w[2] & MLOCK_ONFAULT);
}
i64 linux_munlock(struct call *k) {
    return set_lock(k, false);
}

static i64 set_lock_all(struct call *k, bool now, bool future) {
    struct region_lock_all_rep rep;
    err e = region_lock_all(REGION, &(struct region_lock_all_req){mm_of(k), now, future}, &rep);
    if (e < 0)
        return e;
    k->task->process->mm->lock_future = future;
    return 0;
}

i64 linux_mlockall(struct call *k) {
    u64 how = k->w[0], at = k->progress;
    if (how & ~(u64)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || how == 0 || how == MCL_ONFAULT)
        return -E_INVAL;
    if (!at) {
        i64 e = set_lock_all(k, how & MCL_CURRENT, how & MCL_FUTURE);
        if (e || (how & MCL_ONFAULT) || !(how & MCL_CURRENT))
            return e;
    }
    if (k->flags & IPC_FAULTED)
        at += PAGE_BYTES; /* one that cannot be had */
    return populate(k, at, USER_END, WHAT_CAN_BE, progress_is_address);
}
i64 linux_munlockall(struct call *k) {
    return set_lock_all(k, false, false);
}

/* A mapping's first page and, above it, how many of its pages are there: mmap's progress after its work is
 * done. */
#define START_BITS 36
static u64 progress_of_mmap(struct call *k, u64 at) {
    u64 start = k->progress & ((1ull << START_BITS) - 1);
    return start | (at / PAGE_BYTES - start) << START_BITS;
}

i64 mmap_populate(struct call *k, u64 address) {
    k->progress = address / PAGE_BYTES;
    return mmap_populate_on(k);
}

i64 mmap_populate_on(struct call *k) {
    u64 start = (k->progress & ((1ull << START_BITS) - 1)) * PAGE_BYTES;
    u64 at = start + (k->progress >> START_BITS) * PAGE_BYTES;
    if (k->flags & IPC_FAULTED)
        return (i64)start; /* as far as it goes: mmap has succeeded */
    i64 r = populate(k, at, start + ROUND_UP(k->w[1], PAGE_BYTES), WHAT_CAN_BE, progress_of_mmap);
    return k->verdict == ANSWER ? (i64)start : r;
}

i64 heap_populate(struct call *k, u64 from) {
    i64 brk = (i64)k->w[0];
    if (k->flags & IPC_FAULTED)
        return brk; /* as far as it goes */
    i64 r = populate(k, from, ROUND_UP(k->w[0], PAGE_BYTES), WHAT_CAN_BE, progress_is_address);
    return k->verdict == FAULTING ? r : brk;
}

/* Has cache begin to read what the range's regions map of files. -E_NOMEM if there was a hole; and for the
 * advices that change nothing that alone. k->progress: where it goes on; odd if there was a hole. */
static i64 advise(struct call *k, u64 at, u64 end, bool read) {
    i64 result = k->progress & 1 ? -E_NOMEM : 0;
    struct piece p;
    at = k->progress ? k->progress & ~1ull : at;
    begin_turn(k);
    while (at < end) {
        if (turn_is_over(k, at | (result != 0)))
            return 0;
        err e = find_piece(k, at, (end - at) / PAGE_BYTES, false, &p);
        if (e < 0)
            return e;
        if (p.r.pages == 0)
            return -E_NOMEM;
        if (p.r.start > at)
            result = -E_NOMEM;
        if (p.r.object && read) {
            struct cache_readahead_rep rep;
            e = cache_readahead(CACHE, &(struct cache_readahead_req){p.r.object, p.r.index, p.r.pages}, &rep);
        }
        at = p.r.start + p.r.pages * PAGE_BYTES;
    }
    return result;
}

i64 linux_madvise(struct call *k) {
    u64 end, advice = k->w[2];
    struct region_madvise_rep rep;
    err e = page_range(k->w[0], k->w[1], &end);
    if (e < 0)
        return -E_INVAL;
    switch (advice) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
        return advise(k, k->w[0], end, advice == MADV_WILLNEED);
    case MADV_DONTNEED:
    case MADV_FREE:
        e = region_madvise(REGION, &(struct region_madvise_req){mm_of(k), k->w[0], k->w[1], advice}, &rep);
        return e < 0 ? e : 0;
    default:
        return -E_INVAL;
    }
}

i64 linux_fadvise64(struct call *k) {
    struct file *f = files_get(k->task->process->files, k->w[0]);
    if (!f)
        return -E_BADF;
    if (f->pipe)
        return -E_SPIPE;
    if (k->w[3] > FADV_NOREUSE || (i64)k->w[2] < 0)
        return -E_INVAL;
    if (k->w[3] != FADV_WILLNEED || f->node.fs != FS_DISK || !S_ISREG(f->node.mode))
        return 0;
    u64 first = k->w[1] / PAGE_BYTES, pages = k->w[2] ? k->w[2] / PAGE_BYTES + 1 : ~0ull;
    struct cache_readahead_rep rep;
    err e = cache_readahead(CACHE, &(struct cache_readahead_req){f->node.id, first, pages}, &rep);
    return e < 0 ? e : 0;
}

/* SPDX-License-Identifier: MIT */
/* The frame table: one entry per physical frame, and the accounts that own frames.
 *
 * Invariants (mm/audit.c checks them):
 *  1. Only DATA frames have own, shares or pins other than 0.
 *  2. Account and kind change only when all three are 0 and the frame is not QUEUED; but an account that is
 *     closed hands over pinned frames with their pins.
 *  3. own and shares equal the entries in all page tables.
 *  4. Every TABLE frame is in exactly one space's tree or pool.
 *  6. QUEUED exactly if the frame is on its account's collect list.
 *
 * `next` by kind: DATA and QUEUED: next of the collect list; TABLE in a pool: next of the pool; TABLE in a
 * tree: how many of its entries are not zero (so that an emptied table is seen without a search); else 0. */
#pragma once

#include "core/endpoint.h"
#include <abi/errors.h>
#include <abi/object.h>
#include <abi/syscall.h>

struct frame {
    u32 shares; /* entries that map it in spaces of other accounts, or of none */
    union {
        struct {
            u8 account; /* owner; ACCOUNT_KERNEL: kernel's or reserved */
            u8 state;   /* enum frame_kind | enum frame_flag << 4 */
            u8 own;     /* entries that map it in spaces of the owner's account */
            u8 pins;    /* by users (DMA under way) in PINS_USER, by the kernel (message pages) in
                           PINS_KERNEL */
        };
        u32 tag; /* all four, for loops over many frames */
    };
    u32 generation; /* raised at every end of an object that lived here; never reset */
    u32 next;       /* see above; 0 ends a list (frame 0 is never in one) */
};
_Static_assert(sizeof(struct frame) == 16, "a frame table entry is 16 bytes");

/* Of frame.pins. Users can't take away the kernel's: it writes to those pages. */
#define PINS_USER   0x3f
#define PINS_KERNEL 0xc0
#define PIN_KERNEL  0x40 /* one of the kernel's */

enum account_state { ACCOUNT_FREE, ACCOUNT_OPEN, ACCOUNT_CLOSING };

struct account {
    u8 state; /* enum account_state */
    u8 parent;
    u32 spaces;                    /* spaces bound to it; it can't be closed before */
    u32 generation;                /* of capabilities to it: raised when closed */
    u32 collect;                   /* head of the collect list, 0: empty */
    u32 cursor;                    /* closing: next frame to look at */
    struct endpoint_ref collector; /* told when the list becomes non-empty */
};

extern struct frame *frame_table;
extern pfn frame_count; /* frame numbers are below this */
extern struct account accounts[ACCOUNTS];

static inline enum frame_kind frame_kind(const struct frame *f) {
    return (enum frame_kind)(f->state & 15);
}

static inline bool frame_has(const struct frame *f, enum frame_flag flag) {
    return f->state & flag << 4;
}

static inline void frame_set(struct frame *f, u8 flags) {
    f->state |= (u8)(flags << 4);
}

static inline void frame_clear(struct frame *f, u8 flags) {
    f->state &= (u8) ~(flags << 4);
}

/* The tag of an idle frame. */
static inline u32 frame_idle_tag(u8 account, enum frame_kind kind, u8 flags) {
    return account | (u32)kind << 8 | (u32)flags << 12;
}

/* Neither mapped, pinned nor queued: its account and kind may change. */
static inline bool frame_is_idle(const struct frame *f) {
    return !(f->shares | f->own | f->pins) && !frame_has(f, FRAME_QUEUED);
}

static inline pfn frame_number(const struct frame *f) {
    return (pfn)(f - frame_table);
}

/* The entry of frame `n` if it is a DATA frame of `account`, else NULL; any n is allowed. The kernel's
 * account has no DATA frames, so this is never one for a caller without an account. */
static inline struct frame *frame_own(pfn n, u8 account) {
    if (n >= frame_count)
        return NULL;
    struct frame *f = &frame_table[n];
    return (f->tag & 0xfff) == frame_idle_tag(account, KIND_DATA, 0) ? f : NULL;
}

/* Result of the calls that walk a range or a table. Goes out as rax = next, rdx = records | stop << 32. */
struct range_result {
    i64 next;    /* where to go on; the range's end if done; -E_xxx: nothing was done */
    u32 records; /* in the area, two words each */
    u32 stop;    /* enum stop */
};

#define CLEAR_MAX 32 /* pages that one call clears at most */

/* Put a DATA frame on its account's collect list unless it is on it; sets the account's bits if the list was
 * empty. */
void frame_queue(struct frame *f);

/* retype and destroy. `frame_begin`: make `count` idle DATA frames of `account` from `first` on an object's
 * (kind SPACE .. TRACE): clears the pages unless known to be zero. 0, -E_OWNER (no DATA frame of the
 * account), -E_MAPPED; -E_AGAIN: CLEAR_MAX pages have been cleared, call again. `frame_end`: an object's
 * frames become DATA again and all capabilities to it are dead. Does not queue them. */
must_check err frame_begin(pfn first, u64 count, u8 account, enum frame_kind kind);
void frame_end(pfn first, u64 count);

/* The kernel's own pins (message pages, the information page), three of a frame at most. 0, -E_OWNER,
 * -E_OVERRUN. */
must_check err frame_pin_one(pfn n, u8 account);
void frame_unpin_one(pfn n);

/* The calls give, pin, unpin. Return how many frames were done, counted from the first; if the very first is
 * refused, its error: -E_OWNER, -E_MAPPED (mapped, pinned or queued), -E_OVERRUN (pins), -E_INVAL (count over
 * LIST_MAX, frames over RUN_MAX; unpin without a pin). frame_give_list: `count` words FRAME_RUN. `to` must be
 * open, else -E_BADCAP. */
must_check i64 frame_give_run(u8 from, u8 to, pfn first, u64 count);
must_check i64 frame_give_list(u8 from, u8 to, const u64 *list, u64 count);
must_check i64 frame_pin(u8 account, const u64 *list, u64 count, bool on);

#define AREA_RECORDS (AREA_WORDS / 2) /* records of two words that fit the area */

/* The calls frames, frames_list, collect; `area`: AREA_WORDS words of the caller's message page. flags:
 * CLEAR_BITS. frame_scan: all frames of the account (of any kind) from `from` on, neighbours that are alike
 * in one record; next = first frame not visited, 0 at the end. frame_scan_list: the first `count` (<=
 * LIST_MAX) words of the area are frames and become records; returns count, or -E_OWNER if one is not the
 * account's, -E_INVAL. frame_collect: takes up to `count` (more than AREA_RECORDS counts as that) frames off
 * the collect list; returns how many. */
struct range_result frame_scan(u8 account, pfn from, u64 flags, u64 *area);
must_check i64 frame_scan_list(u8 account, u64 count, u64 flags, u64 *area);
must_check i64 frame_collect(u8 account, u64 count, u64 *area);

/* account_open: number of a new account, child of `parent`; -E_NOSPC. */
must_check i64 account_open(u8 parent);

/* account_close: one bounded step. 0: closed; > 0: the frame to visit next, call again; -E_BUSY: a space is
 * bound to it; -E_MAPPED: the frame at the cursor is mapped; -E_INVAL: accounts of kernel and root. Its
 * frames become the parent's, with their pins, and its children the parent's children. From the first step on
 * nothing can be given to it. */
must_check i64 account_close(u8 account);

/* account_bind: who is told of collect; told at once if the list is not empty. */
void account_bind(u8 account, struct endpoint_ref collector);

/* SPDX-License-Identifier: MIT */
/* A space: page tables, the pool that feeds them, and what is bound to it. Lives in one frame of kind SPACE,
 * whose page is zero when the space begins. */
#pragma once

#include "mm/frame.h"
#include "mm/phys.h"

#define SPACE_PORTS_MAX 8

struct captable;

struct permit {
    vaddr lo, hi;   /* page-aligned; hi exclusive */
    u32 generation; /* raised when it ends: capabilities to it are dead */
    u8 rights;      /* most rights of a mapping made with it: MAP_xxx */
    bool live;
};

/* The leaf table that was found last is most often that of the next fault or mapping too. None is empty, so it
 * is good until pt_prune takes it away. */
struct near {
    vaddr first;          /* of the user's pages that it maps */
    u64 bytes;            /* of them; 0: none is known */
    u64 *entries;         /* theirs */
    struct frame *holder; /* of the table */
};

struct port_range {
    u16 first, last; /* inclusive */
};

struct space {
    u64 top;   /* physical address of the top table, 0: none yet */
    u64 cr3;   /* the same, or the kernel's */
    u64 epoch; /* raised by unmap, protect and clone */
    u32 pool;  /* first frame of the table pool, linked by frame.next; all of them are zero */
    u32 pool_last;
    u32 pool_count;
    u8 pool_level; /* the same as far as faults show it: 255: that or more */
    u8 account;    /* whose mappings count as `own`; 0: a program's */
    u8 flags;      /* enum space_flag */
    bool dying;    /* destroy has begun: it can't be bound, fed or mapped into */
    u8 ports_count;
    u16 ports_at; /* for the TSS: where the I/O bitmap begins, if it is this space's; else beyond its end */
    u32 threads;  /* bound to it */
    union {
        struct {
            struct endpoint_ref pager, system_call, exception;
        };
        struct endpoint_ref handlers[3]; /* by enum msg_kind, from MSG_FAULT on */
    };
    struct captable *table; /* capabilities of its threads */
    struct near near;
    vaddr cursor; /* destroy: next address to take down */
    struct permit permits[PERMITS_PER_SPACE];
    struct port_range ports[SPACE_PORTS_MAX];
};
_Static_assert(sizeof(struct space) <= PAGE_BYTES, "a space is one frame");

/* The kernel's half of every top table: slots 256..511, filled once at boot, before the first space is
 * fed. */
extern u64 kernel_half[SPACE_TOP_SLOTS];

static inline pfn space_frame(const struct space *s) {
    return virt_to_frame(s);
}

/* Is there an entry that is not zero? */
static inline bool space_has_entries(const struct space *s) {
    return s->top && frame_table[s->top >> PAGE_SHIFT].next;
}

/* Make a space of a cleared frame. */
void space_init(struct space *s);

/* feed: DATA frames of `account` become tables of the space: the first one ever its top table, the rest its
 * pool. Frames must be idle. Returns how many; if the first is refused -E_OWNER, -E_MAPPED; -E_INVAL: count
 * over FEED_MAX or a dying space. unfeed: up to `count` (<= FEED_MAX) unused tables that are `account`'s
 * become DATA and are written to `list`; returns how many. Looks at RANGE_VISITS_MAX pool entries at most,
 * and puts those that stay at its end, so that the next call comes to the others. */
must_check i64 space_feed(struct space *s, u8 account, const u64 *list, u64 count);
must_check i64 space_unfeed(struct space *s, u8 account, u64 *list, u64 count);

/* Change the account whose space this is: only while nothing is mapped by the user's half (-E_MAPPED). The
 * caller has checked the account's capability. account 0: none. Counts account.spaces. */
must_check err space_set_account(struct space *s, u8 account);

/* permit: index of a new permit, -E_NOSPC, -E_INVAL (range empty, unaligned or not user's; rights).
 * permit_end: -E_INVAL. */
must_check i64 space_permit(struct space *s, vaddr first, u64 pages, u64 rights);
must_check err space_permit_end(struct space *s, u64 index);

/* destroy, one bounded step: takes mappings and tables down; all tables and the pool become DATA on their
 * accounts' collect lists, marked ZEROED. -E_AGAIN: call again. 0: the space is empty; the caller then ends
 * its frame (frame_end) and drops captable and bindings. No thread may be bound to it. If it is the one in
 * CR3, it is left (arch_leave_space). */
must_check err space_destroy_step(struct space *s);

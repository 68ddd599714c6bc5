/* SPDX-License-Identifier: MIT */
/* What the shell's files share: spaces with their calls under way, parked faults, and the way to the
 * kernel. */
#pragma once

#include <ipc/server.h>
#include <proto/region.def>

#include "fault.h"
#include "mm.h"
#include "slice.h"

#define SPACES_MAX  1024 /* memory descriptors; their numbers are 1 .. SPACES_MAX - 1 */
#define PARKED_MAX  512  /* faults that wait; more are answered without items, and come again */
#define TABLES_NEW  12   /* frames in a new space's table pool: as many as a small program needs */
#define TABLES_LOW  4    /* below this the pool is fed: one fault needs three at most */
#define TABLES_FEED 8
#define ZEROED_MAX  32 /* as two new spaces need */

#define FAULT_KEY_SHIFT 10 /* a descriptor's fault_key: its number, and above it what no other ever has */
_Static_assert(SPACES_MAX <= 1 << FAULT_KEY_SHIFT, "numbers fit");

/* The label of the pump's calls; no protocol of others has it. */
#define LABEL_PUMP 0x03ff

/* A call that waits for its turn. */
struct deferred {
    u32 reply;
    u8 kind; /* enum msg_kind */
    u64 label;
    u64 words[MSG_REG_WORDS];
    TAILQ_ENTRY(deferred) link;
};
TAILQ_HEAD(deferred_list, deferred);

/* A memory descriptor, its space, and the call under way on it (mm->busy). */
struct space {
    struct mm_struct *mm;
    pfn frame;  /* the kernel object lives in it */
    u64 tables; /* frames fed to it */
    struct vm_work work;
    bool first; /* mmap: the object had no region before */
    u32 id;     /* its number, while a call is under way */
    u32 reply;  /* who waits for the call under way; 0: its handler will answer */
    u64 label;
    i64 value;             /* mmap: the address; brk: the break; fork: the child's number */
    u64 faults, fault_key; /* exit: what the answer tells; the descriptor is gone by then */
    struct deferred_list waiting;
    TAILQ_ENTRY(space) link; /* in shell.works, if work goes on between messages */
};
TAILQ_HEAD(space_list, space);

struct parked {
    u32 reply;
    u32 id;      /* of the descriptor */
    bool memory; /* waits for frames; otherwise for the call under way on its descriptor */
    bool call;   /* made by fault_as: raising it fails the call that touched the page */
};

struct shell {
    struct vm_context ctx;
    struct vm_kernel kernel;
    struct kmem_cache *space_cachep, *deferred_cachep;
    struct space *space[SPACES_MAX];
    u32 next_id;
    u64 spaces_made;    /* since boot */
    u32 linux_slot;     /* linux's endpoint, of which each space gets a badged copy; 0 before attach */
    u32 badge_slots[3]; /* for copies on their way: pager, linux, and the space for linux */
    struct space_list works;
    u32 pump;           /* slot of the pump's right to an answer, while there is no work for it; else 0 */
    u64 slice_deadline; /* TSC; 0: no work */
    struct parked parked[PARKED_MAX];
    u32 parked_count;
    u64 oom_deadline;       /* TSC; 0: no fault waits for frames */
    u64 oom_since;          /* TSC: since when faults wait for frames, if they do */
    u64 oom_ended;          /* TSC: when a program was last ended for want of memory; 0: never */
    u64 frames_out;         /* frames that programs and their tables have */
    pfn zeroed[ZEROED_MAX]; /* frames that the kernel knows to be zero, for tables */
    u32 zeroed_count;
    bool zeroed_drained; /* until the next one is taken, none is kept */
};
extern struct shell shell;

/* spaces.c. A new descriptor with its space; NULL, and nothing is left: then *why is -E_NOMEM, or -E_AGAIN as
 * there are SPACES_MAX. */
struct space *space_create(err *why);
struct space *space_of(u64 id);
/* After its descriptor is gone: forgets the space and answers who still waits for it. */
void space_forget(u32 id);
/* A capability for linux (COPY, CONTROL) in a slot that is good until the next answer; 0 if there is none. */
u32 space_for_linux(const struct space *s);

/* kernel.c. */
void kernel_init(void);
/* Feeds the pool of a space: 0 or -E_NOMEM. */
err tables_feed(u32 slot, u32 count);
/* A frame for a table or a space, one for a page, 0 without memory; and those kept for tables go to the
 * magazine. */
pfn frame_for_table(void);
pfn frame_for_page(void);
void zeroed_drain(void);
/* Takes frames from the collect list; true if there may be more. */
bool collect_some(void);

/* work.c: calls in slices. */
/* Begins a call on s->mm, for the message c, and answers it in w if one slice is enough; otherwise later.
 * child: of a fork. Handlers return what this returns. */
err work_start(struct ipc_ctx *c, struct space *s, enum work_kind kind, struct space *child, u64 *w);
/* The call waits until the one under way on s has ended; handlers return what this returns. */
err work_defer(struct ipc_ctx *c, struct space *s, const void *words, u64 bytes);
/* One slice of one call under way. False if none is left. */
bool works_slice(void);

/* pump.c: whose time calls in slices take. Starts the pump's thread. */
void pump_start(void);
/* There is work for the pump. */
void pump_wake(void);
/* When the next slice comes if the pump does not get its turn before, absolute TSC; 0: no work. */
u64 slice_deadline(void);
/* Objects whose last region went, into the tail of the answer; returns how many, and in *again whether there
 * are more. */
u32 released_tail(u64 *again);
/* A program is answered: if there are such objects, linux is told to ask. */
void released_tell(void);

/* calls.c: what linux asks. */
err call_dispatch(struct ipc_ctx *c, u64 label, u64 *w);
/* Calls of programs, which linux forwards: their words are the descriptor's number and a to d. */
static inline bool is_programs(u64 label) {
    return label == region_label_map || label == region_label_munmap || label == region_label_mprotect ||
           label == region_label_brk;
}
/* Begins one on s, whose descriptor is not busy; true: it is over, with *result; otherwise work goes on. */
bool change_begin(struct space *s, u64 label, u64 a, u64 b, u64 c, u64 d, i64 *result);
/* The counters of a descriptor. */
void stat_fill(const struct mm_struct *mm, const struct vm_counts *c, struct region_stat *st);

/* faults.c, usual.c: the next answer of the loop. */
enum out_kind { OUT_NONE, OUT_REPLY, OUT_ITEMS, OUT_FORWARD };
struct loop {
    struct ipc_io
        io; /* in: the message; out: the answer's words, label, rax and rbx, but for the wait's part */
    enum out_kind out;
    u32 reply;           /* slot of the right to answer the message */
    u32 spare;           /* slot for the next right */
    u32 recv;            /* slot for the next capability */
    u32 space;           /* OUT_FORWARD: slot of the faulting space */
    struct space *begun; /* of a program's call whose work at page tables is to begin */
    pfn offered;         /* OUT_ITEMS: a frame that comes back if it is not entered; 0: none */
};
/* Decides on the fault in l->io and prepares the answer. */
void fault_handle(struct loop *l);
/* The answer was sent, and `entered` items were entered. */
void fault_answered(struct loop *l, u64 entered);
/* Sends what l->io holds and waits; answers the usual faults by itself; comes back with whatever else came,
 * in l->io. */
void wait_answering_faults(struct loop *l);

/* park.c: faults that wait. */
void park(struct parked p);
/* All that wait for frames, or for a call on descriptor id, try again. */
void unpark_memory(void);
void unpark_space(u32 id);
/* Frames did not come back in time: one program has to go. */
void out_of_memory(void);

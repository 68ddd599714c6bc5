/* SPDX-License-Identifier: MIT */
/* The model kernel: frame table, accounts, spaces and page tables as the kernel's interface promises them, on
 * the host and in the plainest way. Logic is tested against it; model_check is the audit of its invariants.
 *
 * Page tables are real ones: x86-64 entries in the contents of TABLE frames. Every frame has its 4096 bytes.
 * Accounts are plain numbers, a caller names its own in `by`; spaces are small numbers. No capabilities,
 * threads or time. Results are as the kernel's: >= 0, or -E_xxx and nothing has changed. */
#pragma once

#include <abi/errors.h>
#include <abi/fault.h>
#include <abi/layout.h>
#include <abi/object.h>
#include <abi/syscall.h>
#include <abi/types.h>

enum { MODEL_SPACES = 64, MODEL_RECORDS = AREA_WORDS / 2 };

struct model_frame {
    u32 shares, own, pins;
    u32 next; /* collect list or table pool; 0 ends */
    u8 account, kind, flags;
    u64 data[512];
};

struct model_space {
    bool used;
    u8 account; /* 0: a program's */
    u32 frame;  /* the frame that it lives in */
    u32 top;    /* top table; 0: none was fed yet */
    u32 pool;   /* first frame of the table pool */
    u32 pool_count;
    u64 epoch;
};

struct kernel_model {
    u64 frames; /* numbers 1 .. frames - 1 are DATA at first, 0 is reserved */
    struct model_frame *frame;
    struct model_space space[MODEL_SPACES];
    u32 collect_head[ACCOUNTS], collect_tail[ACCOUNTS];
    u64 copies, clears; /* pages copied and cleared by fault answers */
};

/* What unmap, scan and clone tell. */
struct model_range {
    vaddr next; /* where to go on; the end of the range when all is done */
    enum stop stop;
    u64 count;
    struct range_record record[MODEL_RECORDS];
};

/* A fault between its delivery to a pager and the answer. */
struct model_fault {
    u32 space;
    u64 epoch;
    u32 first, count, rights; /* the range that the answer may map: pages of the 2 MiB block, most rights */
    struct fault_words words;
};

/* All frames belong to `account`. The memory is model_end's to free. */
void model_init(struct kernel_model *k, u64 frames, u8 account);
void model_end(struct kernel_model *k);

err model_give(struct kernel_model *k, u8 by, pfn frame, u8 to);
err model_pin(struct kernel_model *k, u8 by, pfn frame, int change);
/* Takes a frame off the account's collect list; 0 if it is empty. */
pfn model_collect(struct kernel_model *k, u8 account);

/* A space that lives in `frame`; its number. account: 0 for a program. */
err model_space_create(struct kernel_model *k, u8 by, pfn frame, u8 account);
/* Removes all entries, turns tables and pool into DATA and queues them for their accounts; the space's frame
 * becomes DATA. */
void model_space_destroy(struct kernel_model *k, u32 space);
err model_feed(struct kernel_model *k, u8 by, u32 space, pfn frame);
pfn model_unfeed(struct kernel_model *k, u32 space);

/* One item into a zero entry: 0, -E_OCCUPIED, -E_NEED_TABLES, -E_OWNER, -E_KIND, -E_INVAL. */
err model_map(struct kernel_model *k, u8 by, u32 space, struct map_item item);
/* Range calls over [first, first + pages): 0 and *r, or -E_INVAL. Frames of account `by` whose last mapping
 * went are in the records, others go to their accounts' collect lists. */
err model_unmap(struct kernel_model *k, u8 by, u32 space, vaddr first, u64 pages, u64 flags,
                struct model_range *r);
err model_protect(struct kernel_model *k, u32 space, vaddr first, u64 pages, u64 rights,
                  struct model_range *r);
err model_scan(struct kernel_model *k, u32 space, vaddr first, u64 pages, u64 flags, struct model_range *r);
err model_clone(struct kernel_model *k, u32 from, u32 to, vaddr first, u64 pages, bool private,
                struct model_range *r);

/* A program's access: the page's bytes, accessed and dirty bits set; or NULL and, in *f, the fault as it is
 * delivered. f may be NULL. f->words.ip, sp and repeats are the caller's. */
u8 *model_access(struct kernel_model *k, u32 space, vaddr address, enum access access, struct model_fault *f);
/* forward: narrows or widens the range that the answer may map. */
void model_forward(struct model_fault *f, u64 first, u64 count, u64 rights);
/* The pager's answer: how many items were entered (0: stale or short of tables), or an error and nothing has
 * changed. */
err model_fault_answer(struct kernel_model *k, u8 by, const struct model_fault *f,
                       const struct fault_item *items, u64 n);

/* The entry at an address, 0 if there is none. */
u64 model_entry(const struct kernel_model *k, u32 space, vaddr address);
/* Leaves the pager's own word in a zero entry, as region does for a page in the swap. */
err model_pager_entry(struct kernel_model *k, u32 space, vaddr address, u64 word);
u64 model_frames_of(const struct kernel_model *k, u8 account, u8 kind);

/* NULL, or the first broken invariant of the frame table and the spaces. */
const char *model_check(const struct kernel_model *k);

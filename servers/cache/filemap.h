/* SPDX-License-Identifier: MIT */
/* Pages of regular files: found in the page cache, or read from the disk straight into their frame, with
 * others ahead of them. A page's blocks need not adjoin on the disk; a page that is a hole as a whole takes
 * no frame: readers get c->zero_frame. */
#pragma once

#include <abi/types.h>

struct cache;
struct inode;

enum {
    READ_AHEAD_MIN = 3,
    READ_AHEAD_MAX = 31,
    FAULT_CLUSTER = 16, /* pages that a fault reads at once, aligned; = FAULT_ITEMS_MAX */
};

/* What one reader of a file has read so far; zeroed for a new one. A sequential reader's window doubles from
 * READ_AHEAD_MIN to READ_AHEAD_MAX, anything else closes it. */
struct read_ahead {
    u64 expected; /* the index that continues it */
    u64 end;      /* pages below have been asked for */
    u32 window;   /* pages; 0: closed */
};

/* How the page came. */
enum page_source { PAGE_HIT, PAGE_READ, PAGE_HOLE };

struct page_answer {
    pfn frame; /* its contents are valid until the caller waits next, and as long as a program maps it */
    enum page_source source;
};

/* The page at `index` of a regular file. `ahead` is the reader's, or NULL for a fault, which reads the
 * aligned cluster around the page. Bytes beyond the end of the file are 0. -E_NXIO: index beyond the end;
 * -E_IO: this very page could not be read; -E_NOMEM; -E_AGAIN: this worker may not wait. Long wait; the
 * caller has the inode counted. */
err page_get(struct cache *c, struct inode *inode, u64 index, struct read_ahead *ahead,
             struct page_answer *out) must_check;

/* Goes on to `index` behind the page that the reader was given last, without waiting at all: true if that
 * page is here, nothing is to be read ahead for it, and its frame is `frame`. It is read then; otherwise
 * nothing has happened. */
bool page_next(struct cache *c, struct inode *inode, u64 index, struct read_ahead *ahead, pfn frame);

/* Begins to read those of the n pages from `first` on that are not here, as far as that is possible without
 * waiting for the disk. Short wait; the caller has the inode counted. */
void page_read_ahead(struct cache *c, struct inode *inode, u64 first, u64 n);

/* The page at `index` of shared memory, made of zeroes if it is new. -E_NXIO: beyond the end; -E_NOSPC: the
 * limit of page.h; -E_NOMEM. Short wait. */
err shm_page(struct cache *c, struct inode *inode, u64 index, struct page_answer *out) must_check;

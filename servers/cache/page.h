/* SPDX-License-Identifier: MIT */
/* The page cache: pages of files and of shared memory by (inode, index). Which pages exist, and in which
 * order they may go; filling them is filemap.c's and shm.c's business.
 *
 *   new: neither flag --start--> LOCKED --all pieces read--> UPTODATE --reclaim--> gone
 *             ^                    |
 *             +---- a piece failed +     ERROR: the failed read was for this page alone, its waiters get
 * -E_IO. FAILED: it was for several pages; each of them is to be read alone.
 *
 * A page is in the hash table and in its inode's queue; those that reclaim may take are in the LRU list as
 * well. Who holds a page across a wait raises its count. Dropped are pages that are not LOCKED, not counted,
 * and mapped by no program. */
#pragma once

#include <abi/types.h>
#include <ipc/queue.h>

struct cache;
struct inode;
struct kmem_cache;

enum page_flag {
    PG_LOCKED = 1,
    PG_UPTODATE = 2,
    PG_ERROR = 4,
    PG_FAILED = 8,
    PG_REFERENCED = 16, /* used since reclaim last came by */
    PG_LRU = 32,        /* in the LRU list */
};

struct page {
    LIST_ENTRY(page) hash;
    TAILQ_ENTRY(page) queue; /* of its inode */
    TAILQ_ENTRY(page) lru;   /* if PG_LRU */
    struct inode *inode;
    u64 index; /* offset in the file / PAGE_BYTES */
    pfn frame;
    u32 flags;
    u16 count;   /* holders that may wait */
    u16 pending; /* while LOCKED: segments not yet read, and 1 for whoever is still adding some */
};

LIST_HEAD(page_bucket, page);
TAILQ_HEAD(page_list, page);

struct page_cache {
    struct page_bucket *bucket;
    u32 bucket_count;         /* a power of two */
    struct page_list lru;     /* least recently added or spared first */
    struct kmem_cache *heads; /* "page" */
    u64 pages, lru_pages;
    u64 shm_most;     /* more pages of shared memory, which can't be dropped, are refused; 0: no limit */
    u64 hits, misses; /* of page_get and shm_page */
    u64 read_ahead;   /* pages read before anyone asked */
};

err page_init(struct page_cache *pc, struct page_bucket *buckets, u32 bucket_count) must_check;

/* The page at that index, in any state, or NULL. Valid until the caller waits, or as long as counted. */
struct page *find_page(const struct cache *c, const struct inode *inode, u64 index) must_check;

/* Sets frames[i] to the frame at index first + i if that page is here and valid, else to 0, for n pages. For
 * what lies around a fault: so it costs little and reads nothing. */
void find_frames(const struct cache *c, const struct inode *inode, u64 first, u32 n, pfn *frames);

/* Makes the page if it is not there: new, in the hash and the queue, and if `lru` in the LRU list. 1: made;
 * 0: it was there, perhaps by now; -E_NOMEM. Short wait. */
err page_make(struct cache *c, struct inode *inode, u64 index, bool lru, struct page **out) must_check;

/* Takes a page that is neither locked nor counted nor mapped out of all lists: nobody finds it any more.
 * Never waits. */
void page_unlink(struct cache *c, struct page *page);

/* Gives back a page that is in no list, and its frame. Short wait. */
void page_free(struct cache *c, struct page *page);

/* Puts a page into the LRU list, where it goes first; nothing if it is there. */
void page_lru_first(struct cache *c, struct page *page);

/* SPDX-License-Identifier: MIT */
/* What goes straight to a program: its system calls read, pread and getdents, which linux forwards, and its
 * faults, which region forwards. No page is locked meanwhile. */
#include <abi/info.h>
#include <abi/layout.h>
#include <abi/trace.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <proto/bits.h>
#include <proto/cache.def>
#include <proto/limits.h>

#include "shell.h"
#include "waits.h"

enum {
    SIGBUS = 7,
    BUS_ADRERR = 2,
    YIELD_PAGES = 64, /* a long read lets other requests through now and then */
};
_Static_assert((u32)FAULT_CLUSTER == FAULT_ITEMS_MAX, "what a fault reads is what its answer may map");

/* A hit or a miss, in the trace before what comes of it. */
static void trace_lookup(const struct ipc_ctx *c, const struct inode *inode, u64 index) {
    const struct info_page *info = (const struct info_page *)INFO_PAGE;
    pfn frame;
    if (!(info->trace_mask & BIT(TRACE_USER)))
        return;
    find_frames(&cache, inode, index, 1, &frame);
    u64 what = frame ? TRACE_USER_cache_hit : TRACE_USER_cache_miss;
    (void)sys_trace_event(what, c->call, inode->ino, index, 1, 0); /* nobody could be told of an error */
}

/* Copies own memory to a program. 0: all of it. 1: the program faults there and will call again with
 * `progress`, this call is over. Otherwise the error: the caller is gone (-E_BADCAP), or the address can't be
 * the program's. */
static err copy_out(struct ipc_ctx *c, vaddr to, u64 from, u64 bytes, u64 *progress) {
    struct pair p = sys_copy(c->reply, to, COPY_FRAMES, from, bytes);
    if (p.r < 0)
        return p.r;
    *progress += (u64)p.r;
    if (p.r == (err)bytes)
        return 0;
    err e = sys_fault_as(c->reply, to + (u64)p.r, ACCESS_WRITE, *progress);
    if (e)
        return e;
    ipc_answered(c);
    return 1;
}

struct transfer {
    struct inode *inode;
    struct read_ahead *ahead;
    u64 offset; /* in the file */
    vaddr buffer;
    u64 bytes; /* to read */
    u64 done;  /* of them */
};

/* How many of the `most` bytes from `at` in the file on lie behind one another in memory, the first of them
 * in `page`: pages that were read together are often neighbours, and one copy is cheaper than several. */
static u64 adjoining(const struct transfer *t, u64 at, const struct page_answer *page, u64 most) {
    u64 n = PAGE_BYTES - at % PAGE_BYTES, index = at / PAGE_BYTES;
    if (page->source == PAGE_HOLE)
        return MIN(n, most);
    for (u64 i = 1; n < most && page_next(&cache, t->inode, index + i, t->ahead, page->frame + i); i++)
        n += PAGE_BYTES;
    return MIN(n, most);
}

/* The share of a page, and of those that adjoin it in memory. As copy_out, or the error of page_get. */
static err transfer_pages(struct ipc_ctx *c, struct transfer *t) {
    u64 at = t->offset + t->done;
    u64 most = MIN(MIN(t->bytes - t->done, (u64)COPY_BYTES_MAX), t->inode->size - at);
    struct page_answer page;
    trace_lookup(c, t->inode, at / PAGE_BYTES);
    err e = page_get(&cache, t->inode, at / PAGE_BYTES, t->ahead, &page);
    if (e)
        return e;
    u64 n = adjoining(t, at, &page, most);
    return copy_out(c, t->buffer + t->done, page.frame * PAGE_BYTES + at % PAGE_BYTES, n, &t->done);
}

/* Reads into the program's buffer. Bytes read, or the error if there are none; -E_AGAIN keeps what is done as
 * the request's progress; *over: the program was made to fault instead. */
static err read_file(struct ipc_ctx *c, struct transfer *t, bool *over) {
    t->done = c->flags & IPC_AGAIN ? c->progress : 0;
    if (t->done > t->bytes)
        return -E_PROTO;
    if (c->flags & IPC_FAULTED)
        return t->done ? (err)t->done : -E_FAULT;
    u64 yield_at = t->done + YIELD_PAGES * PAGE_BYTES;
    while (t->done < t->bytes && t->offset + t->done < t->inode->size) {
        err e = transfer_pages(c, t);
        if (e == -E_AGAIN) {
            c->progress = t->done;
            c->flags |= IPC_AGAIN;
            return e;
        }
        if (e < 0)
            return t->done ? (err)t->done : e;
        if (e > 0) {
            *over = true;
            return 0;
        }
        if (t->done >= yield_at) {
            yield_at = t->done + YIELD_PAGES * PAGE_BYTES;
            (void)sys_yield();
        }
    }
    return (err)t->done;
}

/* A read takes its part of the file before it waits or lets the program fault: the position is behind it at
 * once, so that reads of other tasks meanwhile begin there, as if one came after the other. Where each task's
 * read under way began; file 0: nowhere. */
static struct taken { u64 file, start; } taken[TASKS_MAX];

static u64 take(const struct ipc_ctx *c, struct filp *filp, u64 *bytes) {
    struct taken *t = &taken[c->tag];
    bool again = c->flags & IPC_AGAIN && t->file == filp->number;
    if (!again)
        *t = (struct taken){filp->number, filp->position};
    *bytes = MIN(*bytes, filp->inode->size - MIN(filp->inode->size, t->start));
    if (!again)
        filp->position += *bytes;
    return t->start;
}

/* What was not read goes back, unless somebody has gone on behind it. */
static void give_back(const struct ipc_ctx *c, struct filp *filp, const struct transfer *t, err read) {
    taken[c->tag].file = 0;
    if (filp->position == t->offset + t->bytes)
        filp->position = t->offset + (u64)MAX(read, 0);
}

/* offset: NULL: the file's position, which then moves. */
static err read_at(struct ipc_ctx *c, u64 file, const u64 *offset, vaddr buffer, u64 bytes, i64 *result) {
    if (c->kind != MSG_ALIEN || c->tag >= TASKS_MAX)
        return -E_PROTO;
    struct filp *filp = file_find(&cache, file);
    if (!filp)
        return -E_BADF;
    struct transfer t = {.inode = filp->inode,
                         .ahead = &filp->ahead,
                         .offset = offset ? *offset : 0,
                         .buffer = buffer,
                         .bytes = MIN(bytes, (u64)INT32_MAX & ~PAGE_MASK)}; /* as Linux does */
    bool over = false, took = !offset && filp->inode->kind == INODE_FILE;
    err n = -E_INVAL;
    if (took)
        t.offset = take(c, filp, &t.bytes);
    if (t.inode->kind == INODE_DIR)
        n = -E_ISDIR;
    else if (t.inode->kind == INODE_FILE && t.offset <= INT64_MAX)
        n = read_file(c, &t, &over);
    if (took && !over && n != -E_AGAIN)
        give_back(c, filp, &t, n);
    file_release(&cache, filp);
    if (n < 0 || over)
        return n;
    *result = n;
    return 0;
}

err cache_on_read(struct ipc_ctx *c, const struct cache_read_req *req, struct cache_read_rep *rep) {
    return read_at(c, req->file, NULL, req->buffer, req->bytes, &rep->bytes);
}

err cache_on_pread(struct ipc_ctx *c, const struct cache_pread_req *req, struct cache_pread_rep *rep) {
    return read_at(c, req->file, &req->offset, req->buffer, req->bytes, &rep->bytes);
}

/* Names into the worker's scratch page, and from there to the program in one piece. */
static err get_names(struct ipc_ctx *c, struct filp *filp, vaddr buffer, u64 bytes, i64 *result) {
    char *scratch = worker_self()->scratch;
    u64 position = filp->position, progress = 0;
    err n = dir_names(&cache, filp->inode, &position, filp->border, scratch, MIN(bytes, (u64)SCRATCH_BYTES));
    if (n < 0)
        return n;
    err e = n ? copy_out(c, buffer, virt_to_pfn(scratch) * PAGE_BYTES, (u64)n, &progress) : 0;
    if (e < 0)
        return e;
    if (e == 0) {
        filp->position = filp->border = position;
        *result = n;
    }
    return 0;
}

err cache_on_getdents(struct ipc_ctx *c, const struct cache_getdents_req *req,
                      struct cache_getdents_rep *rep) {
    if (c->kind != MSG_ALIEN)
        return -E_PROTO;
    if (c->flags & IPC_FAULTED)
        return -E_FAULT;
    struct filp *filp = file_find(&cache, req->file);
    if (!filp)
        return -E_BADF;
    err e = get_names(c, filp, req->buffer, req->bytes, &rep->bytes);
    file_release(&cache, filp);
    return e;
}

/* Where a fault's answer may map, in pages of the object: part of the aligned cluster around the fault. */
struct reach {
    u64 first, end;
};

static struct reach reach_of(const struct cache_page_in_req *req) {
    u64 here = req->address % BLOCK_BYTES / PAGE_BYTES; /* of the block, as the window is */
    u64 first = req->window & 0xffff, end = MIN(first + (req->window >> 16), BLOCK_BYTES / PAGE_BYTES);
    u64 before = here - MIN(first, here), after = MAX(end, here + 1) - here;
    u64 cluster = req->index % FAULT_CLUSTER;
    return (struct reach){req->index - MIN(before, cluster),
                          req->index + MIN(after, FAULT_CLUSTER - cluster)};
}

/* The page of the fault and those around it that are here; how many items. */
static u32 fill_items(const struct inode *inode, const struct cache_page_in_req *req, pfn frame,
                      struct fault_item *items) {
    u64 rights = req->rights & (MAP_READ | MAP_WRITE | MAP_EXEC | MAP_MAYWRITE);
    if (inode->kind != INODE_SHM) /* the disk is read-only in this step */
        rights &= ~(u64)(MAP_WRITE | MAP_MAYWRITE);
    struct reach reach = reach_of(req);
    pfn frames[FAULT_CLUSTER];
    find_frames(&cache, inode, reach.first, (u32)(reach.end - reach.first), frames);
    frames[req->index - reach.first] = frame; /* of a hole, too */
    u64 at = ROUND_DOWN(req->address, PAGE_BYTES) - (req->index - reach.first) * PAGE_BYTES;
    u32 n = 0;
    for (u32 i = 0; i < reach.end - reach.first; i++, at += PAGE_BYTES)
        if (frames[i])
            items[n++] = (struct fault_item){at | rights, ITEM_FRAME(frames[i], FILL_AS_IS)};
    return n;
}

static struct waits waits;

err cache_on_waits(struct ipc_ctx *c, const struct cache_waits_req *req, struct cache_waits_rep *rep) {
    (void)c;
    rep->faults = waits_of(&waits, req->key);
    return 0;
}

/* The fault is over, or comes back to be served once more: has it waited? */
static void note_wait(struct ipc_ctx *c, const struct cache_page_in_req *req, err e,
                      enum page_source source) {
    if (e == -E_AGAIN)
        c->flags |= IPC_AGAIN; /* the kernel sets it for calls only */
    else if (e == 0 && (source == PAGE_READ || c->flags & IPC_AGAIN))
        waits_count(&waits, req->access >> 8);
}

err cache_on_page_in(struct ipc_ctx *c, const struct cache_page_in_req *req, struct cache_page_in_rep *rep) {
    (void)rep;
    if (c->kind != MSG_FAULT)
        return -E_PROTO;
    struct page_answer page = {0};
    err e = -E_STALE;
    struct inode *inode = object_find(&cache, req->object);
    if (inode)
        trace_lookup(c, inode, req->index);
    if (inode && inode->kind == INODE_SHM)
        e = shm_page(&cache, inode, req->index, &page);
    else if (inode && inode->kind == INODE_FILE)
        e = page_get(&cache, inode, req->index, NULL, &page);
    note_wait(c, req, e, page.source);
    if (e == 0) {
        struct fault_item items[FAULT_ITEMS_MAX];
        u32 n = fill_items(inode, req, page.frame, items);
        ipc_map(c, items, n);
    }
    if (inode)
        iput(&cache, inode);
    if (e == -E_NOMEM) { /* it faults again, and region, which decides who waits for memory, sees it */
        ipc_map(c, NULL, 0);
        return 0;
    }
    if (e && e != -E_AGAIN) {
        e = sys_raise(c->reply, RAISE_CODE(SIGBUS, BUS_ADRERR), req->address);
        ASSERT(e == 0);
        ipc_answered(c);
    }
    return e;
}

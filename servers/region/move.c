/* SPDX-License-Identifier: MIT */
/* Moving what page tables hold, for mremap: scan, map, unmap. A frame of region's own is mapped in its new
 * place before the old entry goes, so it is never without one, and a thread that still writes through the old
 * entry writes into the same frame. Frames of others (cache's) only go: they come back by a fault. The old
 * range and the new one have no region meanwhile, so faults there wait. Caller: slice.c. */
#include "slice.h"

#include <abi/errors.h>
#include <ipc/assert.h>

static u64 rights_of(u64 entry) {
    u64 rights = entry & PTE_MAYWRITE ? MAP_MAYWRITE : 0;
    if (!(entry & PTE_USER))
        return rights; /* kept, but not accessible */
    rights |= MAP_READ;
    rights |= entry & PTE_WRITE ? MAP_WRITE : 0;
    return rights | (entry & PTE_NX ? 0 : MAP_EXEC);
}

/* Maps what lies below the limit; returns where it had to stop for want of tables, or `end`. */
static vaddr map_entries(struct vm_work *work, const struct vm_kernel *k, const struct range_record *entry,
                         u64 count, vaddr end) {
    struct map_item items[MOVE_PAGES];
    u64 n = 0;
    for (; n < count && entry[n].address < work->change.move_limit; n++)
        items[n] = (struct map_item){((entry[n].address & ~PAGE_MASK) + work->change.move_by) |
                                         rights_of(entry[n].value),
                                     PTE_FRAME(entry[n].value)};
    for (u64 done = 0; done < n;) {
        err why = 0;
        done += k->map(k->self, work->mm->space, items + done, n - done, &why);
        if (done < n && why == E_NEED_TABLES)
            return entry[done].address & ~PAGE_MASK;
        done += done < n; /* a frame of another account, or the page of zeroes mapped too often */
    }
    return end;
}

bool move_step(struct vm_work *work, const struct vm_kernel *k) {
    const struct vm_change *c = &work->change;
    struct range_record entry[MOVE_PAGES];
    u32 space = work->mm->space;
    u64 count = 0;

    if (work->at >= c->move_high)
        return true;
    if (work->at < c->move_limit) {
        vaddr last = MIN(c->move_high, c->move_limit);
        i64 at = k->entries(k->self, space, work->at, (last - work->at) >> PAGE_SHIFT, entry, &count);
        ASSERT(at > (i64)work->at && at <= (i64)last && count <= MOVE_PAGES);
        vaddr end = map_entries(work, k, entry, count, (vaddr)at);
        if (end == work->at) { /* other threads' faults took the tables: more, now or in a later slice */
            i64 fed = k->feed(k->self, space);
            work->fed += fed > 0 ? (u64)fed : 0;
            work->mm->tables += fed > 0 ? (u64)fed : 0;
            return false;
        }
        while (count && work->at < end) {
            i64 gone = k->unmap(k->self, space, work->at, (end - work->at) >> PAGE_SHIFT, &work->freed);
            ASSERT(gone > (i64)work->at && gone <= (i64)end);
            work->at = (vaddr)gone;
        }
        work->at = end;
        return false;
    }
    u64 pages = MIN((c->move_high - work->at) >> PAGE_SHIFT, UNMAP_PAGES);
    i64 at = k->unmap(k->self, space, work->at, pages, &work->freed);
    ASSERT(at > (i64)work->at);
    work->at = (vaddr)at;
    return false;
}

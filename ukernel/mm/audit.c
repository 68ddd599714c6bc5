/* SPDX-License-Identifier: MIT */
/* The audit: do the frame table's counts, lists and trees agree with the page tables? It has no memory of its
 * own, so it uses the frame table: a first pass takes off what it finds (counts, QUEUED marks; a table that
 * is found gets a mark), then everything must be 0, and a second pass puts it back. */

#include "mm/pt.h"

#define TABLE_MARK 0xff /* in `pins` of a TABLE frame that was found */

struct audit {
    bool undo; /* the second pass */
    const char *wrong;
    pfn where;
};

static void blame(struct audit *a, const char *what, pfn where) {
    if (a->wrong)
        return;
    a->wrong = what;
    a->where = where;
}

/* A TABLE frame was found in a tree or pool. False: don't look into it. */
static bool found_table(struct audit *a, pfn n) {
    if (n == 0 || n >= frame_count || frame_kind(&frame_table[n]) != KIND_TABLE) {
        blame(a, "a tree or pool names a frame that is no table", n);
        return false;
    }
    struct frame *f = &frame_table[n];
    if (f->pins == (a->undo ? 0 : TABLE_MARK)) {
        blame(a, "a table is in two places", n);
        return false;
    }
    f->pins = a->undo ? 0 : TABLE_MARK;
    return true;
}

static void found_mapping(struct audit *a, const struct space *s, u64 entry) {
    pfn n = PTE_FRAME(entry);
    if (n >= frame_count) {
        blame(a, "an entry names no frame", n);
        return;
    }
    struct frame *f = &frame_table[n];
    if (!a->undo && frame_kind(f) != KIND_DATA)
        blame(a, "a mapped frame is not DATA", n);
    if (!a->undo && entry & PTE_WRITE && !(entry & PTE_MAYWRITE))
        blame(a, "a writable entry without MAYWRITE", n);
    if (!a->undo && entry & PTE_MAYWRITE && frame_has(f, FRAME_ZEROED))
        blame(a, "a frame that may be written is marked ZEROED", n);
    if (!a->undo && entry & PTE_WRITE && !(entry & PTE_NX) && !(s->flags & SPACE_WX))
        blame(a, "an entry is writable and executable", n);
    if (pt_is_own(s, f))
        f->own += a->undo ? 1 : -1;
    else
        f->shares += a->undo ? 1 : -1;
}

static void audit_table(struct audit *a, const struct space *s, pfn n, unsigned level) {
    if (!found_table(a, n))
        return;
    const u64 *table = frame_to_virt(n);
    u32 slots = level == LEVELS - 1 ? SPACE_TOP_SLOTS : TABLE_SLOTS, used = 0;
    for (u32 i = 0; i < slots; i++) {
        used += table[i] != 0;
        if (!(table[i] & PTE_PRESENT))
            continue;
        if (level)
            audit_table(a, s, PTE_FRAME(table[i]), level - 1);
        else
            found_mapping(a, s, table[i]);
    }
    if (!a->undo && used != frame_table[n].next)
        blame(a, "a table's count of entries is wrong", n);
    if (!a->undo && !used && level != LEVELS - 1)
        blame(a, "an empty table is in a tree", n);
}

static void audit_space(struct audit *a, const struct space *s) {
    if (s->top)
        audit_table(a, s, s->top >> PAGE_SHIFT, LEVELS - 1);
    u32 count = 0;
    for (pfn n = s->pool; n && found_table(a, n); n = frame_table[n].next) {
        const u64 *table = frame_to_virt(n);
        for (u32 i = 0; i < TABLE_SLOTS && !a->undo; i++)
            if (table[i])
                blame(a, "a table of a pool is not zero", n);
        count++;
    }
    if (count != s->pool_count || MIN(count, 255u) != s->pool_level)
        blame(a, "a pool's count is wrong", space_frame(s));
    if (s->near.bytes && (pt_leaf(s, s->near.first) != s->near.entries ||
                          pt_holder(s->near.entries) != s->near.holder || !s->near.holder->next))
        blame(a, "the table found last is not the space's", space_frame(s));
}

static void audit_queue(struct audit *a, u32 account) {
    pfn n = accounts[account].collect;
    while (n) {
        struct frame *f = &frame_table[n];
        if (n >= frame_count || frame_has(f, FRAME_QUEUED) == a->undo || f->account != account) {
            blame(a, "a collect list names a frame that does not belong there", n);
            return;
        }
        f->state ^= FRAME_QUEUED << 4;
        n = f->next;
    }
}

static void audit_all(struct audit *a) {
    for (pfn n = 0; n < frame_count; n++)
        if (frame_kind(&frame_table[n]) == KIND_SPACE)
            audit_space(a, frame_to_virt(n));
    for (u32 i = 0; i < ACCOUNTS; i++)
        audit_queue(a, i);
}

/* After the first pass: nothing may be left over. Pins are the one count that entries do not explain. */
static void audit_rest(struct audit *a) {
    for (pfn n = 0; n < frame_count; n++) {
        const struct frame *f = &frame_table[n];
        enum frame_kind kind = frame_kind(f);
        if (f->shares | f->own)
            blame(a, "more mappings are counted than there are", n);
        if (frame_has(f, FRAME_QUEUED))
            blame(a, "a QUEUED frame is on no collect list", n);
        if (kind == KIND_TABLE && f->pins != TABLE_MARK)
            blame(a, "a table is in no space", n);
        if (kind != KIND_TABLE && kind != KIND_DATA && f->pins)
            blame(a, "an object's frame is pinned", n);
        if (kind != KIND_DATA && f->state >> 4)
            blame(a, "an object's frame has flags", n);
        if (kind != KIND_RESERVED && kind != KIND_TRACE && accounts[f->account].state == ACCOUNT_FREE)
            blame(a, "a frame's account does not exist", n);
    }
}

const char *mm_audit(pfn *where) {
    struct audit a = {0};
    audit_all(&a);
    if (!a.wrong)
        audit_rest(&a);
    a.undo = true;
    audit_all(&a);
    *where = a.where;
    return a.wrong;
}

/* SPDX-License-Identifier: MIT */
/* Page tables: see pt.h. */

#include "mm/pt.h"

#define BITS(user, write, may, exec)                                                                         \
    (PTE_PRESENT | (user ? PTE_USER : 0) | (write ? PTE_WRITE : 0) | (may ? PTE_MAYWRITE : 0) |              \
     (exec ? 0 : PTE_NX))
#define BITS_OF(r)                                                                                           \
    [r] = BITS((r) & (MAP_READ | MAP_WRITE | MAP_EXEC), (r)&MAP_WRITE, (r) & (MAP_WRITE | MAP_MAYWRITE),     \
               (r)&MAP_EXEC)
const u64 pt_bits_of[] = {BITS_OF(0),  BITS_OF(1),  BITS_OF(2),  BITS_OF(3), BITS_OF(4),  BITS_OF(5),
                          BITS_OF(6),  BITS_OF(7),  BITS_OF(8),  BITS_OF(9), BITS_OF(10), BITS_OF(11),
                          BITS_OF(12), BITS_OF(13), BITS_OF(14), BITS_OF(15)};

static u64 *near_set(struct space *s, vaddr va, u64 *leaf) {
    vaddr block = ROUND_DOWN(va, BLOCK_BYTES), first = MAX(block, USER_FIRST);
    s->near = (struct near){first, MIN(block + BLOCK_BYTES, USER_END) - first,
                            leaf - pt_index(va, 0) + pt_index(first, 0), pt_holder(leaf)};
    return leaf;
}

u64 *pt_leaf_far(struct space *s, vaddr va) {
    u64 *leaf = pt_leaf(s, va);
    return leaf ? near_set(s, va, leaf) : NULL;
}

/* Take a table off the pool, which is not empty; it becomes the (empty) target of the entry. */
static u64 *table_make(struct space *s, u64 *entry) {
    pfn n = frame_number(pool_pop(s));
    pt_holder(entry)->next++;
    *entry = n << PAGE_SHIFT | PTE_TABLE;
    return frame_to_virt(n);
}

u64 *pt_leaf_make(struct space *s, vaddr va) {
    ASSERT(va < USER_END);
    if (!s->top)
        return NULL;
    u64 *table = phys_to_virt(s->top);
    for (unsigned level = LEVELS - 1; level > 0; level--) {
        u64 *entry = &table[pt_index(va, level)];
        /* All that are missing below are needed, or none. */
        if (!*entry && s->pool_count < level)
            return NULL;
        table = *entry ? pt_table(*entry) : table_make(s, entry);
    }
    return near_set(s, va, &table[pt_index(va, 0)]);
}

void pt_prune(struct space *s, vaddr va) {
    u64 *path[LEVELS]; /* path[level]: the entry of va in the table of that level */
    u64 *table = phys_to_virt(s->top);
    for (unsigned level = LEVELS - 1; level > 0; level--) {
        path[level] = &table[pt_index(va, level)];
        if (!*path[level])
            return;
        table = pt_table(*path[level]);
    }
    for (unsigned level = 1; level < LEVELS; level++) {
        struct frame *f = pt_frame(*path[level]);
        if (f->next)
            return;
        s->near.bytes = 0;
        pool_push(s, f);
        *path[level] = 0;
        pt_holder(path[level])->next--;
        pt_flush(s, va); /* the processor keeps upper entries too */
    }
}

err range_begin(struct range *r, struct space *s, vaddr first, u64 pages, vaddr lo, vaddr hi, u64 *area) {
    if (first & PAGE_MASK || first < lo || first > hi || pages > (hi - first) >> PAGE_SHIFT)
        return -E_INVAL;
    *r = (struct range){.walk = {s, first, first + (pages << PAGE_SHIFT), RANGE_VISITS_MAX}, .area = area};
    return 0;
}

/* The leaf entry of the first address from w->at on that has a leaf table; w->at goes there. NULL: there is
 * none in the first table that has a gap there, and w->at is behind that table. */
static u64 *walk_find(struct walk *w) {
    u64 *table = phys_to_virt(w->space->top);
    for (unsigned level = LEVELS - 1; level > 0; level--) {
        u64 first = pt_index(w->at, level), i = first;
        while (i < TABLE_SLOTS && !table[i])
            i++;
        if (i > first) {
            w->left -= MIN(w->left, (i - first) / ABSENT_FOR_A_VISIT + 1);
            w->at = MIN(w->end, ((w->at >> LEVEL_SHIFT(level)) + i - first) << LEVEL_SHIFT(level));
        }
        if (i == TABLE_SLOTS || w->at == w->end)
            return NULL;
        table = pt_table(table[i]);
    }
    return &table[pt_index(w->at, 0)];
}

/* The next run; `at` is then behind it. False: at the end (at == end) or out of visits (at < end). */
static bool walk_next(struct walk *w, struct run *r) {
    if (!w->space->top)
        w->at = w->end;
    while (w->at < w->end && w->left) {
        u64 *entry = walk_find(w);
        if (!entry || !w->left)
            continue;
        u64 count = MIN(TABLE_SLOTS - pt_index(w->at, 0), (w->end - w->at) >> PAGE_SHIFT);
        *r = (struct run){entry, w->at, MIN(count, MIN(w->left, (u64)RUN_ENTRIES_MAX))};
        w->left -= r->count;
        w->at += r->count << PAGE_SHIFT;
        return true;
    }
    return false;
}

struct range_result range_go(struct range *r, range_step *step) {
    struct walk *w = &r->walk;
    enum stop stop = STOP_BOUND;
    for (struct run run; stop == STOP_BOUND && walk_next(w, &run);) {
        r->worked = 0;
        u64 done = step(r, &run);
        if (done < run.count) {
            w->at = run.va + (done << PAGE_SHIFT);
            stop = r->stop;
        }
        w->left -= MIN(w->left, r->worked);
    }
    return (struct range_result){.next = (i64)w->at, .records = r->records, .stop = stop};
}

/* SPDX-License-Identifier: MIT */
#include "model.h"
#include <criterion/criterion.h>

/* Pages on both sides of every border between tables of every level. */
const vaddr pages[PAGES] = {0x1000,
                            0x2000,
                            0x3000,
                            0x1fe000,
                            0x1ff000,
                            0x200000,
                            0x201000,
                            0x400000,
                            0x401000,
                            0x3fffe000,
                            0x3ffff000,
                            0x40000000,
                            0x40001000,
                            0x40200000,
                            0x7fffffe000,
                            0x7ffffff000,
                            0x8000000000,
                            0x8000001000,
                            0x8000200000,
                            0x8040000000,
                            0x10000000000,
                            0x10000001000,
                            0x10000002000,
                            USER_END - 0x201000,
                            USER_END - 0x200000,
                            USER_END - 0x3000,
                            USER_END - 0x2000,
                            USER_END - 0x1000};

struct model m[SPACES];
struct model_frame f[WORLD_FRAMES];
u64 seed;
u64 rnd(u64 n) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (seed >> 33) % n;
}

void counts(pfn n, u32 *own_count, u32 *shares) {
    *own_count = *shares = 0;
    for (u32 s = 0; s < SPACES; s++)
        for (u32 p = 0; p < PAGES; p++)
            if (m[s].entry[p] & PTE_PRESENT && PTE_FRAME(m[s].entry[p]) == n)
                ++*(m[s].account && m[s].account == f[n].account ? own_count : shares);
}

bool idle(pfn n) {
    u32 o, s;
    counts(n, &o, &s);
    return !o && !s && !f[n].pins && !(f[n].flags & FRAME_QUEUED);
}

bool is_data(pfn n, u8 account) {
    return n < WORLD_FRAMES && f[n].kind == KIND_DATA && f[n].account == account && account;
}

/* Tables in the tree of a model space, the top one included. */
u64 tree(const struct model *x) {
    u64 n = 1;
    for (unsigned level = 1; level < LEVELS; level++)
        for (u32 p = 0; p < PAGES; p++) {
            bool first = x->entry[p] != 0;
            for (u32 q = 0; q < p && first; q++)
                first = !(x->entry[q] && pages[q] >> LEVEL_SHIFT(level) == pages[p] >> LEVEL_SHIFT(level));
            n += first;
        }
    return n;
}

bool tables_for(struct model *x, u32 p) {
    u64 before = tree(x);
    u64 old = x->entry[p];
    if (old)
        return true;
    x->entry[p] = 2;
    u64 after = tree(x);
    x->entry[p] = 0;
    return after - before <= x->tables - before;
}

u64 bits_of(u64 rights) {
    u64 e = PTE_PRESENT;
    if (rights & 7)
        e |= PTE_USER;
    if (rights & MAP_WRITE)
        e |= PTE_WRITE;
    if (!(rights & MAP_EXEC))
        e |= PTE_NX;
    return e;
}

u64 entry_of(pfn n, u64 rights) {
    return n << 12 | bits_of(rights) | (rights & (MAP_WRITE | MAP_MAYWRITE) ? PTE_MAYWRITE : 0);
}

void note_bits(u64 e) {
    if (e & PTE_ACCESSED)
        f[PTE_FRAME(e)].flags |= FRAME_ACCESSED;
    if (e & PTE_DIRTY)
        f[PTE_FRAME(e)].flags |= FRAME_DIRTY;
}

/* Remove an entry; the frame goes to its collect list if its shares fell to 0. */
void model_remove(struct model *x, u32 p, bool keep_from_queue) {
    u64 e = x->entry[p];
    x->entry[p] = 0;
    if (!(e & PTE_PRESENT))
        return;
    pfn n = PTE_FRAME(e);
    note_bits(e);
    u32 o, s;
    counts(n, &o, &s);
    bool was_share = !(x->account && x->account == f[n].account);
    if (was_share && !s && !(keep_from_queue && !o))
        f[n].flags |= FRAME_QUEUED;
}

void model_enter(struct model *x, u32 p, pfn n, u64 rights) {
    x->entry[p] = entry_of(n, rights);
    if (x->entry[p] & PTE_MAYWRITE)
        f[n].flags &= ~FRAME_ZEROED;
}

bool room(const struct model *x, pfn n) {
    u32 o, s;
    counts(n, &o, &s);
    return !(x->account && x->account == f[n].account) || o < 255;
}

/* Comparing. */
void compare(u32 step, const char *op) {
    for (u32 s = 0; s < SPACES; s++) {
        for (u32 p = 0; p < PAGES; p++) {
            const u64 *e = pt_leaf(m[s].space, pages[p]);
            cr_assert_eq(e ? *e : 0, m[s].entry[p], "step %u %s: space %u page %lx: %lx, model %lx", step, op,
                         s, pages[p], e ? *e : 0, m[s].entry[p]);
        }
        cr_assert_eq(m[s].space->pool_count, m[s].tables - tree(&m[s]),
                     "step %u %s: pool %u, model %lu - %lu", step, op, m[s].space->pool_count, m[s].tables,
                     tree(&m[s]));
    }
    for (pfn n = 0; n < WORLD_FRAMES; n++) {
        u32 o, s;
        counts(n, &o, &s);
        const struct frame *g = &frame_table[n];
        cr_assert(g->own == o && g->shares == s && g->pins == f[n].pins && g->account == f[n].account &&
                      frame_kind(g) == f[n].kind,
                  "step %u %s: frame %lu: own %u shares %u pins %u account %u kind %u; model %u %u %u %u %u",
                  step, op, n, g->own, g->shares, g->pins, g->account, frame_kind(g), o, s, f[n].pins,
                  f[n].account, f[n].kind);
        cr_assert_eq(g->state >> 4, f[n].flags, "step %u %s: frame %lu: flags %x, model %x", step, op, n,
                     g->state >> 4, f[n].flags);
        if (f[n].kind == KIND_DATA && n >= FIRST_FREE)
            cr_assert_eq(content(n), f[n].content, "step %u %s: content of frame %lu", step, op, n);
    }
    pfn where;
    const char *wrong = mm_audit(&where);
    cr_assert_null(wrong, "step %u %s: audit: %s (%lu)", step, op, wrong, where);
    cr_assert(!world_tlb_is_stale(), "step %u %s: the TLB is stale", step, op);
}

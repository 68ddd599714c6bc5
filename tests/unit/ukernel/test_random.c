/* SPDX-License-Identifier: MIT */
/* Random calls over several spaces and accounts against a flat model. After each step everything is compared,
 * and the audit runs. QUIRE_SEED overrides the seed. */
#include "model.h"
#include "ranges.h"
#include <criterion/criterion.h>
#include <stdlib.h>

enum { STEPS = 4000 };

static u8 some_account(void) {
    return (u8)(1 + rnd(3));
}
static pfn some_frame(void) {
    return rnd(20) ? FIRST_FREE + 170 + rnd(60) : rnd(WORLD_FRAMES + 2);
}
/* Most often one that the account may map. */
static pfn frame_for(u8 account) {
    pfn n = some_frame();
    for (u32 tries = 0; tries < 8 && !is_data(n, account); tries++)
        n = some_frame();
    return n;
}
/* Half of the times one that the space maps already. */
static u32 some_page(const struct model *x) {
    u32 p = (u32)rnd(PAGES);
    for (u32 tries = 0; rnd(2) && tries < PAGES && !(x->entry[p] & PTE_PRESENT); tries++)
        p = (p + 1) % PAGES;
    return p;
}
static u64 some_rights(void) {
    static const u64 usual[] = {1, 3, 3, 5, 9, 11, 0, 7, 13};
    return usual[rnd(ARRAY_LEN(usual))];
}
static bool wx_ok(const struct model *x, u64 rights) {
    return !(rights & MAP_WRITE && rights & MAP_EXEC) || x->space->flags & SPACE_WX;
}

static void op_feed(void) {
    struct model *x = &m[rnd(SPACES)];
    u8 account = some_account();
    u64 n = some_frame();
    bool good = is_data(n, account) && idle(n);
    i64 r = space_feed(x->space, account, &n, 1);
    cr_assert_eq(r == 1, good);
    if (!good)
        return;
    f[n].kind = KIND_TABLE;
    f[n].flags = 0;
    x->tables++;
}

static void op_unfeed(void) {
    struct model *x = &m[rnd(SPACES)];
    u64 list[FEED_MAX];
    u8 account = some_account();
    if (x->space->pool_count < 4)
        return;
    i64 r = space_unfeed(x->space, account, list, 1 + rnd(2));
    cr_assert(r >= 0 && r <= 2);
    for (i64 i = 0; i < r; i++) {
        cr_assert(f[list[i]].kind == KIND_TABLE && f[list[i]].account == account);
        f[list[i]] = (struct model_frame){account, KIND_DATA, 0, FRAME_ZEROED, 0};
        x->tables--;
    }
}

static void op_map(void) {
    struct model *x = &m[rnd(SPACES)];
    struct window w = window_of_space(x->space, some_account());
    w.own_only = rnd(4) == 0;
    u32 p = (u32)rnd(PAGES);
    u64 rights = rnd(10) ? some_rights() : MAP_PAGER;
    pfn n = frame_for(w.account);
    if (rights == MAP_PAGER)
        n = rnd(6) * 2 + (rnd(8) == 0);
    struct map_item item = {pages[p] | rights, n};
    bool good = !x->entry[p] && tables_for(x, p);
    if (rights == MAP_PAGER)
        good = good && n && !(n & 1) && !w.own_only;
    else
        good = good && is_data(n, w.account) && wx_ok(x, rights) && room(x, n);
    struct map_result r = mm_map(&w, &item, 1);
    cr_assert_eq(r.done == 1, good, "map: %ld, why %lu, page %lx rights %lx frame %lu", r.done, r.why,
                 pages[p], rights, n);
    if (good && rights == MAP_PAGER)
        x->entry[p] = n;
    else if (good)
        model_enter(x, p, n, rights);
}

static struct window some_window(struct model *x) {
    struct window w = window_of_space(x->space, some_account());
    w.own_only = rnd(4) == 0;
    return w;
}

/* Would a window that sees only own frames leave this entry alone? */
static bool hidden(const struct window *w, u64 e) {
    return w->own_only && (!(e & PTE_PRESENT) || f[PTE_FRAME(e)].account != w->account);
}

static void op_unmap(void) {
    struct model *x = &m[rnd(SPACES)];
    struct window w = some_window(x);
    u64 flags = rnd(3) ? 0 : UNMAP_KEEP, expected = 0;
    u32 lo, hi;
    some_range(&lo, &hi);
    u64 records = repeat(mm_unmap, &w, lo, hi, flags);
    x->epoch_passed = true;
    for (u32 p = lo; p <= hi; p++) {
        u64 e = x->entry[p];
        bool present = e & PTE_PRESENT;
        if (!e || hidden(&w, e) || (!present && flags))
            continue;
        bool mine =
            present && f[PTE_FRAME(e)].account == w.account && !(f[PTE_FRAME(e)].flags & FRAME_QUEUED);
        model_remove(x, p, mine);
        u32 o = 1, s = 1;
        if (present)
            counts(PTE_FRAME(e), &o, &s);
        expected += !present || (mine && !o && !s);
    }
    cr_assert_eq(records, expected, "unmap: %lu records, %lu expected", records, expected);
}

static void op_protect(void) {
    struct model *x = &m[rnd(SPACES)];
    struct window w = some_window(x);
    u64 rights = some_rights();
    u32 lo, hi;
    some_range(&lo, &hi);
    if (!wx_ok(x, rights)) {
        cr_assert_eq(mm_protect(&w, pages[lo], 1, rights).next, -E_RIGHTS);
        return;
    }
    repeat(protect_call, &w, lo, hi, rights);
    x->epoch_passed = true;
    for (u32 p = lo; p <= hi; p++) {
        u64 e = x->entry[p];
        if (!(e & PTE_PRESENT) || hidden(&w, e))
            continue;
        u64 may = e & PTE_MAYWRITE;
        u64 now = PTE_FRAME(e) << 12 | may | (bits_of(rights) & ~(may ? 0 : PTE_WRITE));
        if (now != e)
            note_bits(e);
        x->entry[p] = now;
    }
}

static void op_scan(void) {
    struct model *x = &m[rnd(SPACES)];
    struct window w = some_window(x);
    u64 flags = rnd(2), expected = 0;
    u32 lo, hi;
    some_range(&lo, &hi);
    u64 records = repeat(scan_call, &w, lo, hi, flags);
    for (u32 p = lo; p <= hi; p++) {
        expected += x->entry[p] != 0;
        if (!(x->entry[p] & PTE_PRESENT))
            continue;
        note_bits(x->entry[p]);
        if (flags)
            x->entry[p] &= ~PTE_HARVEST;
    }
    cr_assert_eq(records, expected);
}

/* One page of a clone; false: it must stop here for that reason. */
static bool model_clone_page(struct model *x, struct model *y, u32 p, bool private, u32 *stop) {
    u64 e = x->entry[p];
    if (!e || y->entry[p])
        return true;
    *stop = STOP_OVERFLOW;
    if (e & PTE_PRESENT && !room(y, PTE_FRAME(e)))
        return false;
    *stop = STOP_TABLES;
    if (!tables_for(y, p))
        return false;
    if (e & PTE_PRESENT && private)
        x->entry[p] = e &= ~(PTE_WRITE | PTE_MAYWRITE);
    y->entry[p] = e & PTE_PRESENT ? e & ~PTE_HARVEST : e;
    return true;
}

static void op_clone(void) {
    struct model *x = &m[rnd(SPACES)], *y = &m[rnd(SPACES)];
    bool private = rnd(2);
    u32 lo, hi;
    some_range(&lo, &hi);
    if (x == y || x->space->flags & ~y->space->flags)
        return;
    vaddr at = pages[lo], end = pages[hi] + PAGE_BYTES;
    struct range_result r = {0};
    while (at < end) {
        r = mm_clone(x->space, y->space, at, (end - at) >> PAGE_SHIFT, private, word_area);
        cr_assert(r.next >= (i64)at);
        at = (vaddr)r.next;
        if (r.stop != STOP_BOUND)
            break;
    }
    x->epoch_passed = y->epoch_passed = true;
    for (u32 p = lo; p <= hi; p++) {
        u32 stop;
        if (!model_clone_page(x, y, p, private, &stop)) {
            cr_assert(at == pages[p] && r.stop == stop, "clone stopped at %lx for %u, expected %lx for %u",
                      at, r.stop, pages[p], stop);
            return;
        }
    }
    cr_assert_eq(at, end, "clone stopped at %lx for %u", at, r.stop);
}

static void op_fault(void) {
    struct model *x = &m[rnd(SPACES)];
    x->view_page = some_page(x);
    const u64 *leaf = pt_leaf(x->space, pages[x->view_page]);
    x->view.entry = leaf ? *leaf : 0;
    x->view.epoch = x->space->epoch;
    x->epoch_passed = false;
    cr_assert_eq(x->view.entry, x->entry[x->view_page]);
}

static bool model_upgrade(struct model *x, u32 p, pfn n, u8 account, u64 rights) {
    u64 e = x->entry[p];
    u32 o, s;
    if (!(e & PTE_PRESENT) || PTE_FRAME(e) != n || !(rights & MAP_WRITE) || f[n].account != account)
        return false;
    counts(n, &o, &s);
    if (s != 1 || (!(e & PTE_NX) && !(x->space->flags & SPACE_WX)))
        return false;
    x->entry[p] |= PTE_WRITE | PTE_USER | PTE_MAYWRITE;
    f[n].flags &= ~FRAME_ZEROED;
    return true;
}

static bool model_answer_item(struct model *x, const struct answer *a, u32 p, pfn n, u32 op, u64 rights) {
    vaddr va = pages[p];
    u64 e = x->entry[p];
    if (va < a->lo || va >= a->hi || va / BLOCK_BYTES != a->fault / BLOCK_BYTES)
        return false;
    u64 ignore = a->shown & PTE_PRESENT ? PTE_HARVEST : 0;
    if (va == a->fault ? (e | ignore) != (a->shown | ignore) : e != 0)
        return false;
    rights &= a->rights;
    if (op == FILL_UPGRADE)
        return model_upgrade(x, p, n, a->account, rights);
    if (!is_data(n, a->account) || !wx_ok(x, rights) || !room(x, n))
        return false;
    u32 o, s;
    counts(n, &o, &s);
    if (op != FILL_AS_IS && (o || s || f[n].pins))
        return false;
    if (op == FILL_COPY) {
        if (!(e & PTE_PRESENT))
            return false;
        f[n].content = f[PTE_FRAME(e)].content;
        f[n].flags &= ~FRAME_ZEROED;
        f[PTE_FRAME(e)].flags |= FRAME_ACCESSED;
    } else if (op == FILL_ZERO) {
        f[n].content = 0;
        f[n].flags |= FRAME_ZEROED;
    }
    if (e & PTE_PRESENT && PTE_FRAME(e) == n)
        note_bits(e); /* in place of itself: never unmapped in between */
    else
        model_remove(x, p, false);
    model_enter(x, p, n, rights);
    return true;
}

static void op_answer(void) {
    struct model *x = &m[rnd(SPACES)];
    if (x->view_page == PAGES)
        return;
    vaddr fault = pages[x->view_page];
    bool table = pt_leaf(x->space, fault);
    struct answer a = {.space = x->space,
                       .shown = x->view.entry,
                       .epoch = x->view.epoch,
                       .fault = fault,
                       .account = some_account(),
                       .rights = (u8)(rnd(4) ? MAP_ALL : some_rights()),
                       .lo = fault & ~(BLOCK_BYTES - 1),
                       .hi = (fault & ~(BLOCK_BYTES - 1)) + BLOCK_BYTES};
    if (rnd(4) == 0) {
        a.lo = fault;
        a.hi = fault + PAGE_BYTES;
    }
    if (rnd(2) && x->entry[x->view_page] & PTE_PRESENT)
        a.account = f[PTE_FRAME(x->entry[x->view_page])].account;
    struct fault_item items[8];
    u32 where[8], count = 1 + (u32)rnd(rnd(3) ? 8 : 2), expected = 0;
    u64 usual = some_rights();
    for (u32 i = 0; i < count; i++) {
        where[i] = i ? page_after(x->view_page, 4) : x->view_page;
        u64 op = rnd(4);
        pfn n = op == FILL_UPGRADE && rnd(4) ? PTE_FRAME(x->entry[where[i]]) : frame_for(a.account);
        items[i] = (struct fault_item){pages[where[i]] | (rnd(3) ? usual : some_rights()), ITEM_FRAME(n, op)};
    }
    if (rnd(4) == 0) { /* what the short path of a fault leaves */
        mm_answer_whole(&a);
        a.absent = true;
        a.lo = a.hi = 0;
    }
    u64 op = items[0].frame >> 60;
    u32 mask =
        count == 1 && a.absent && !a.shown && !x->epoch_passed && op <= FILL_ZERO &&
        pt_map_near(x->space, a.account, items[0].address, items[0].frame & ~(15ull << 60), op == FILL_ZERO);
    if (mask)
        mm_answer_whole(&a);
    else
        mask = mm_answer(&a, items, count);
    bool stale = x->epoch_passed || (!table && !tables_for(x, x->view_page));
    for (u32 i = 0; i < count && !stale; i++)
        if (model_answer_item(x, &a, where[i], items[i].frame & ~(15ull << 60), (u32)(items[i].frame >> 60),
                              items[i].address & PAGE_MASK))
            expected |= 1u << i;
    cr_assert_eq(mask, expected, "answer: %x, expected %x", mask, expected);
    x->view_page = PAGES;
}

static void op_give(void) {
    u8 from = some_account(), to = some_account();
    pfn n = frame_for(from);
    bool good = is_data(n, from) && idle(n);
    cr_assert_eq(frame_give_run(from, to, n, 1) == 1, good);
    if (!good)
        return;
    f[n].account = to;
    f[n].flags &= ~(FRAME_DIRTY | FRAME_ACCESSED);
}

static void op_pin(void) {
    u8 account = some_account();
    u64 n = frame_for(account);
    bool up = rnd(2), good = is_data(n, account) && (up ? f[n].pins < 63 : f[n].pins > 0);
    cr_assert_eq(frame_pin(account, &n, 1, up) == 1, good);
    if (!good)
        return;
    f[n].pins = (u8)(f[n].pins + (up ? 1 : -1));
    if (up)
        f[n].flags &= ~FRAME_ZEROED;
}

static void op_collect(void) {
    u8 account = some_account();
    u64 queued = 0, max = 1 + rnd(4);
    for (pfn n = 0; n < WORLD_FRAMES; n++)
        queued += f[n].flags & FRAME_QUEUED && f[n].account == account;
    i64 r = frame_collect(account, max, word_area);
    cr_assert_eq(r, (i64)MIN(queued, max));
    for (i64 i = 0; i < r; i++) {
        pfn n = FRAME_OF(word_area[2 * i]);
        cr_assert(f[n].flags & FRAME_QUEUED && f[n].account == account);
        f[n].flags &= ~FRAME_QUEUED;
    }
}

static void op_copy(void) {
    struct model *x = &m[rnd(SPACES)], *y = &m[rnd(SPACES)];
    u32 p = some_page(x), q = some_page(y);
    struct copy_side from = {x->space, pages[p], 0}, to = {y->space, pages[q], 0};
    struct copy_result r = mm_copy(&to, &from, PAGE_BYTES);
    u64 e = x->entry[p], g = y->entry[q];
    bool read = (e & (PTE_PRESENT | PTE_USER)) == (PTE_PRESENT | PTE_USER);
    bool write = (g & (PTE_PRESENT | PTE_USER | PTE_WRITE)) == (PTE_PRESENT | PTE_USER | PTE_WRITE);
    cr_assert(r.done == (read && write ? (i64)PAGE_BYTES : 0));
    cr_assert_eq(r.stopped, !read ? pages[p] : !write ? pages[q] | COPY_AT_TARGET : 0);
    if (read)
        f[PTE_FRAME(e)].flags |= FRAME_ACCESSED;
    if (read && write) {
        f[PTE_FRAME(g)].content = f[PTE_FRAME(e)].content;
        f[PTE_FRAME(g)].flags |= FRAME_ACCESSED | FRAME_DIRTY;
    }
}

static void op_enter(void) {
    world_enter(m[rnd(SPACES)].space);
}

static void op_access(void) {
    struct model *x = m;
    while (x < m + SPACES && x->space != cpu.space)
        x++;
    if (x == m + SPACES)
        return;
    u32 p = some_page(x);
    enum access access = (enum access)rnd(3);
    u64 e = x->entry[p];
    bool good = e & PTE_PRESENT && e & PTE_USER && !(access == ACCESS_WRITE && !(e & PTE_WRITE)) &&
                !(access == ACCESS_EXEC && e & PTE_NX);
    cr_assert_eq(world_access(pages[p], access), good);
    if (!good)
        return;
    x->entry[p] |= PTE_ACCESSED | (access == ACCESS_WRITE ? PTE_DIRTY : 0);
    if (access == ACCESS_WRITE) {
        u64 value = rnd(1u << 30);
        set_content(PTE_FRAME(e), value);
        f[PTE_FRAME(e)].content = value;
    }
}

/* Destroy a space to the end and make a new one of the same account. */
static void op_destroy(void) {
    if (rnd(20))
        return;
    struct model *x = &m[rnd(SPACES)];
    struct space *s = x->space;
    pfn frame = space_frame(s), top = s->top >> PAGE_SHIFT;
    u32 steps = 0;
    while (space_destroy_step(s))
        cr_assert(++steps < 1000);
    frame_end(frame, 1);
    for (u32 p = 0; p < PAGES; p++)
        model_remove(x, p, false);
    /* All tables that the space had are DATA now, known to be zero but for the top one, and queued. */
    u64 found = 0;
    for (pfn n = 0; n < WORLD_FRAMES; n++)
        if (f[n].kind == KIND_TABLE && frame_kind(&frame_table[n]) == KIND_DATA) {
            f[n] =
                (struct model_frame){f[n].account, KIND_DATA, 0, FRAME_QUEUED | (n == top ? 0 : FRAME_ZEROED),
                                     n == top ? content(n) : 0};
            found++;
        }
    cr_assert_eq(found, x->tables);
    f[frame] = (struct model_frame){f[frame].account, KIND_DATA, 0, 0, content(frame)};
    *x = (struct model){.account = x->account, .view_page = PAGES};
    /* The new one, of the same frame. */
    cr_assert_eq(frame_begin(frame, 1, f[frame].account, KIND_SPACE), 0);
    f[frame].kind = KIND_SPACE;
    x->space = s;
    cr_assert_eq(space_set_account(s, x->account), 0);
    for (pfn n = FIRST_FREE + 230; n < WORLD_FRAMES && x->tables < 30; n++)
        if (is_data(n, 2) && idle(n)) {
            u64 one = n;
            cr_assert_eq(space_feed(s, 2, &one, 1), 1);
            f[n] = (struct model_frame){2, KIND_TABLE, 0, 0, 0};
            x->tables++;
        }
    cr_assert(x->tables > 0, "out of frames for tables");
}

static void begin(void) {
    world_init();
    static const u8 account_of[SPACES] = {0, 0, 1, 2};
    static const u64 tables[SPACES] = {40, 20, 60, 12};
    for (u32 s = 0; s < SPACES; s++) {
        m[s] = (struct model){.space = world_space(account_of[s], tables[s]),
                              .account = account_of[s],
                              .tables = tables[s],
                              .view_page = PAGES};
        m[s].space->flags = s == 1 ? SPACE_WX : 0;
    }
    for (pfn n = 0; n < WORLD_FRAMES; n++)
        f[n] = (struct model_frame){frame_table[n].account, (u8)frame_kind(&frame_table[n]), 0,
                                    frame_table[n].state >> 4, content(n)};
}

static void run(u64 from) {
    static const struct {
        const char *name;
        void (*run)(void);
        u32 weight;
    } ops[] = {{"feed", op_feed, 1},      {"unfeed", op_unfeed, 1},   {"map", op_map, 12},
               {"unmap", op_unmap, 3},    {"protect", op_protect, 4}, {"scan", op_scan, 2},
               {"clone", op_clone, 4},    {"fault", op_fault, 8},     {"answer", op_answer, 8},
               {"give", op_give, 6},      {"pin", op_pin, 3},         {"collect", op_collect, 3},
               {"copy", op_copy, 4},      {"enter", op_enter, 2},     {"access", op_access, 12},
               {"destroy", op_destroy, 1}};
    u32 total = 0;
    for (u32 i = 0; i < ARRAY_LEN(ops); i++)
        total += ops[i].weight;
    const char *given = getenv("QUIRE_SEED");
    seed = given ? strtoull(given, NULL, 0) : from;
    cr_log_info("seed %lu", seed);
    begin();
    compare(0, "begin");
    for (u32 step = 1; step <= STEPS; step++) {
        u32 pick = (u32)rnd(total), i = 0;
        while (pick >= ops[i].weight)
            pick -= ops[i++].weight;
        ops[i].run();
        compare(step, ops[i].name);
    }
}

Test(random, seed_1) {
    run(1);
}
Test(random, seed_2) {
    run(20011);
}
Test(random, seed_3) {
    run(777);
}

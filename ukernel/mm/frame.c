/* SPDX-License-Identifier: MIT */
/* The frame table: what a frame is, whose it is, who may change that. Mappings are counted by mm/pt.c. */

#include <string.h>

#include "arch/log.h"
#include "mm/frame.h"
#include "mm/phys.h"

#define FREED_JUNK 0x5a

struct frame *frame_table;
pfn frame_count;

#ifdef HOST_TEST
u8 *phys_base;
#endif

/* 0 if the frame may change account or kind at the wish of `account`, else the error. */
static err idle_own(pfn n, u8 account) {
    const struct frame *f = frame_own(n, account);
    if (!f)
        return -E_OWNER;
    return frame_is_idle(f) ? 0 : -E_MAPPED;
}

err frame_begin(pfn first, u64 count, u8 account, enum frame_kind kind) {
    if (count > frame_count || first > frame_count - count)
        return -E_OWNER;
    for (u64 i = 0; i < count; i++) {
        err e = idle_own(first + i, account);
        if (e)
            return e;
    }
    u64 cleared = 0;
    for (u64 i = 0; i < count; i++) {
        struct frame *f = &frame_table[first + i];
        if (frame_has(f, FRAME_ZEROED))
            continue;
        if (cleared++ == CLEAR_MAX)
            return -E_AGAIN;
        page_clear(frame_to_virt(first + i));
        frame_set(f, FRAME_ZEROED);
    }
    for (u64 i = 0; i < count; i++) {
        frame_table[first + i].state = (u8)kind;
        frame_table[first + i].next = 0;
    }
    return 0;
}

void frame_end(pfn first, u64 count) {
    for (u64 i = 0; i < count; i++) {
        struct frame *f = &frame_table[first + i];
        ASSERT(frame_kind(f) > KIND_TABLE && frame_is_idle(f));
        f->state = KIND_DATA;
        f->generation++;
#ifdef DEBUG /* who still uses the object shall notice; no more than a page in all, so that the call stays   \
                short */
        memset(frame_to_virt(first + i), FREED_JUNK, PAGE_BYTES / count);
#endif
    }
}

/* One more pin of the kind that is counted in these bits of `pins`. */
static err pin(pfn n, u8 account, u8 bits, u8 one) {
    struct frame *f = frame_own(n, account);
    if (!f)
        return -E_OWNER;
    if ((f->pins & bits) == bits)
        return -E_OVERRUN;
    f->pins += one;
    frame_clear(f, FRAME_ZEROED);
    return 0;
}

err frame_pin_one(pfn n, u8 account) {
    return pin(n, account, PINS_KERNEL, PIN_KERNEL);
}

void frame_unpin_one(pfn n) {
    ASSERT(n < frame_count && frame_table[n].pins & PINS_KERNEL);
    frame_table[n].pins -= PIN_KERNEL;
}

/* Give: by runs. */

/* The frames of a run change hands up to the first that can't; how many did. */
static u64 hand_over(u8 from, u8 to, pfn first, u64 count) {
    const u32 any = frame_idle_tag(0, 0, FRAME_DIRTY | FRAME_ACCESSED | FRAME_ZEROED);
    const u32 kept = frame_idle_tag(0, 0, FRAME_ZEROED);
    const u32 before = frame_idle_tag(from, KIND_DATA, 0), after = frame_idle_tag(to, KIND_DATA, 0);
    if (from == ACCOUNT_KERNEL || first >= frame_count)
        return 0;
    struct frame *begin = &frame_table[first], *end = begin + MIN(count, frame_count - first), *f = begin;
    for (u32 differs; f < end && !f->shares && !((differs = f->tag ^ before) & ~any); f++)
        f->tag = (differs & kept) | after;
    return (u64)(f - begin);
}

i64 frame_give_run(u8 from, u8 to, pfn first, u64 count) {
    if (accounts[to].state != ACCOUNT_OPEN)
        return -E_BADCAP;
    if (count > RUN_MAX)
        return -E_INVAL;
    u64 done = hand_over(from, to, first, count);
    return done || !count ? (i64)done : idle_own(first, from);
}

i64 frame_give_list(u8 from, u8 to, const u64 *list, u64 count) {
    if (accounts[to].state != ACCOUNT_OPEN)
        return -E_BADCAP;
    if (count > LIST_MAX)
        return -E_INVAL;
    u64 done = 0;
    for (u64 i = 0; i < count; i++) {
        u64 run = list[i], frames = RUN_COUNT(run);
        u64 went = frames <= RUN_MAX - done ? hand_over(from, to, RUN_FIRST(run), frames) : 0;
        done += went;
        if (went < frames)
            return done ? (i64)done : frames > RUN_MAX ? -E_INVAL : idle_own(RUN_FIRST(run), from);
    }
    return (i64)done;
}

/* Pin, unpin. */

static err unpin(pfn n, u8 account) {
    struct frame *f = frame_own(n, account);
    if (!f)
        return -E_OWNER;
    if (!(f->pins & PINS_USER))
        return -E_INVAL;
    f->pins--;
    return 0;
}

i64 frame_pin(u8 account, const u64 *list, u64 count, bool on) {
    if (count > LIST_MAX)
        return -E_INVAL;
    for (u64 i = 0; i < count; i++) {
        err e = on ? pin(list[i], account, PINS_USER, 1) : unpin(list[i], account);
        if (e)
            return i ? (i64)i : e;
    }
    return (i64)count;
}

/* Records. */

static struct frame_record record_of(const struct frame *f, u64 alike) {
    return (struct frame_record){
        .id = frame_number(f) | (u64)frame_kind(f) << 40 | (u64)(f->state >> 4) << 48 | (u64)f->account << 56,
        .counts = f->shares | (u64)f->own << 32 | (u64)f->pins << 40 | (alike - 1) << 48,
    };
}

/* The record of `alike` frames; with CLEAR_BITS the accessed and dirty bits that it shows are cleared. */
static void put_record(u64 *area, u64 i, struct frame *f, u64 alike, u64 flags) {
    struct frame_record r = record_of(f, alike);
    area[2 * i] = r.id;
    area[2 * i + 1] = r.counts;
    if (flags & CLEAR_BITS && f->state & (FRAME_DIRTY | FRAME_ACCESSED) << 4)
        for (u64 k = 0; k < alike; k++)
            frame_clear(f + k, FRAME_DIRTY | FRAME_ACCESSED);
}

/* Owner, kind, flags and counts: side by side, and so one load. */
static u64 shown(const struct frame *f) {
    return f->shares | (u64)f->tag << 32;
}

/* How many frames from f on, before `end`, are alike in what is shown. At least 1. */
static u64 alike(const struct frame *f, const struct frame *end) {
    const struct frame *g = f + 1;
    u64 first = shown(f);
    while (g + 4 <= end && shown(g) == first && shown(g + 1) == first && shown(g + 2) == first &&
           shown(g + 3) == first)
        g += 4;
    while (g < end && shown(g) == first)
        g++;
    return (u64)(g - f);
}

struct range_result frame_scan(u8 account, pfn from, u64 flags, u64 *area) {
    struct range_result r = {0};
    if (from >= frame_count)
        return r;
    struct frame *f = &frame_table[from], *end = f + MIN(RANGE_VISITS_MAX, frame_count - from);
    for (u64 run; f < end && r.records < AREA_RECORDS; f += run) {
        run = alike(f, end);
        if (f->account == account)
            put_record(area, r.records++, f, run, flags);
    }
    r.next = frame_number(f) < frame_count ? (i64)frame_number(f) : 0;
    if (r.next)
        r.stop = f == end ? STOP_BOUND : STOP_FULL;
    return r;
}

i64 frame_scan_list(u8 account, u64 count, u64 flags, u64 *area) {
    if (count > LIST_MAX)
        return -E_INVAL;
    for (u64 i = 0; i < count; i++)
        if (area[i] >= frame_count || frame_table[area[i]].account != account)
            return -E_OWNER;
    /* Backwards: record i takes words 2i and 2i+1, which are behind word i. */
    for (u64 i = count; i-- > 0;)
        put_record(area, i, &frame_table[area[i]], 1, flags);
    return (i64)count;
}

/* Collect lists. */

void frame_queue(struct frame *f) {
    if (frame_has(f, FRAME_QUEUED))
        return;
    struct account *a = &accounts[f->account];
    bool was_empty = !a->collect;
    frame_set(f, FRAME_QUEUED);
    f->next = a->collect;
    a->collect = (u32)frame_number(f);
    if (was_empty)
        endpoint_ref_notify(&a->collector);
}

/* Take the first frame off the list, NULL if it is empty. */
static struct frame *collect_pop(struct account *a) {
    if (!a->collect)
        return NULL;
    struct frame *f = &frame_table[a->collect];
    a->collect = f->next;
    f->next = 0;
    frame_clear(f, FRAME_QUEUED);
    return f;
}

i64 frame_collect(u8 account, u64 count, u64 *area) {
    count = MIN(count, AREA_RECORDS);
    u64 n = 0;
    for (struct frame *f; n < count && (f = collect_pop(&accounts[account])); n++)
        put_record(area, n, f, 1, 0);
    return (i64)n;
}

/* Accounts. */

struct account accounts[ACCOUNTS];

i64 account_open(u8 parent) {
    if (accounts[parent].state != ACCOUNT_OPEN)
        return -E_BADCAP;
    for (u32 i = 1; i < ACCOUNTS; i++) {
        if (accounts[i].state != ACCOUNT_FREE)
            continue;
        accounts[i] =
            (struct account){.state = ACCOUNT_OPEN, .parent = parent, .generation = accounts[i].generation};
        return i;
    }
    return -E_NOSPC;
}

/* The first step: children get the parent's parent at once, so that no frame comes to an account that is
 * being closed. */
static void account_close_begin(struct account *a, u8 number) {
    for (u32 i = 0; i < ACCOUNTS; i++)
        if (accounts[i].state != ACCOUNT_FREE && accounts[i].parent == number)
            accounts[i].parent = a->parent;
    a->state = ACCOUNT_CLOSING;
    a->cursor = 1;
}

i64 account_close(u8 account) {
    struct account *a = &accounts[account];
    if (account <= ACCOUNT_ROOT || a->state == ACCOUNT_FREE)
        return -E_INVAL;
    if (a->spaces)
        return -E_BUSY;
    if (a->state == ACCOUNT_OPEN)
        account_close_begin(a, account);
    u64 visits = 0;
    while (visits < RANGE_VISITS_MAX && collect_pop(a))
        visits++; /* the parent finds them with frames */
    for (; visits < RANGE_VISITS_MAX && a->cursor < frame_count; visits++, a->cursor++) {
        struct frame *f = &frame_table[a->cursor];
        if (f->account != account)
            continue;
        if (f->shares)
            return -E_MAPPED;
        f->account = a->parent; /* pins go along: nobody else could take them away */
    }
    if (a->collect || a->cursor < frame_count)
        return a->cursor;
    a->state = ACCOUNT_FREE;
    a->generation++;
    return 0;
}

void account_bind(u8 account, struct endpoint_ref collector) {
    accounts[account].collector = collector;
    if (accounts[account].collect)
        endpoint_ref_notify(&collector);
}

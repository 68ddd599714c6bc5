/* SPDX-License-Identifier: MIT */
/* The machine of the tests: frames, the kernel's callbacks, the toy cache, acting on verdicts. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

void put_frame(struct machine *m, pfn frame) {
    cr_assert(frame != m->ctx.zero_page && m->free_count < ARRAY_LEN(m->free));
    m->free[m->free_count++] = frame;
}

/* Frames that came to the collect list, but those that are mapped anew, are free again. */
static void collect(struct machine *m) {
    pfn frame;
    while ((frame = model_collect(&m->k, ACCT_REGION)))
        if (frame != m->ctx.zero_page && m->k.frame[frame].shares == 0)
            put_frame(m, frame);
    while (model_collect(&m->k, ACCT_CACHE)) {
    }
}

pfn take_frame(struct machine *m) {
    if (m->free_count == 0)
        collect(m);
    return m->free_count ? m->free[--m->free_count] : 0;
}

static i64 k_unmap(void *self, u32 space, vaddr first, u64 pages, u64 *freed) {
    struct machine *m = self;
    struct model_range r;
    cr_assert_eq(model_unmap(&m->k, ACCT_REGION, space, first, pages, 0, &r), 0);
    for (u64 i = 0; i < r.count; i++)
        if (FRAME_OF(r.record[i].value) != m->ctx.zero_page)
            put_frame(m, FRAME_OF(r.record[i].value));
    *freed += r.count;
    return (i64)r.next;
}

static i64 k_protect(void *self, u32 space, vaddr first, u64 pages, u64 rights) {
    struct machine *m = self;
    struct model_range r;
    cr_assert_eq(model_protect(&m->k, space, first, pages, rights, &r), 0);
    return (i64)r.next;
}

static i64 k_clone(void *self, u32 from, u32 to, vaddr first, u64 pages, bool private) {
    struct machine *m = self;
    struct model_range r;
    cr_assert_eq(model_clone(&m->k, from, to, first, pages, private, &r), 0);
    return r.stop == STOP_TABLES && r.next == first ? -E_NEED_TABLES : (i64)r.next;
}

static i64 k_scan(void *self, u32 space, vaddr first, u64 pages, u64 *resident) {
    struct machine *m = self;
    struct model_range r;
    cr_assert_eq(model_scan(&m->k, space, first, pages, 0, &r), 0);
    *resident += r.count;
    return (i64)r.next;
}

static i64 k_feed(void *self, u32 space) {
    struct machine *m = self;
    for (int i = 0; i < 4; i++) {
        pfn frame = take_frame(m);
        if (!frame)
            return -E_NOMEM;
        cr_assert_eq(model_feed(&m->k, ACCT_REGION, space, frame), 0);
    }
    return 4;
}

static u64 k_unfeed(void *self, u32 space, u64 count) {
    struct machine *m = self;
    u64 n = 0;
    for (pfn frame; n < count && (frame = model_unfeed(&m->k, space)); n++)
        put_frame(m, frame);
    return n;
}

static i64 k_entries(void *self, u32 space, vaddr first, u64 pages, struct range_record *entry, u64 *count) {
    struct machine *m = self;
    struct model_range r;
    cr_assert_eq(model_scan(&m->k, space, first, pages, 0, &r), 0);
    *count = MIN(r.count, MOVE_PAGES);
    memcpy(entry, r.record, *count * sizeof *entry);
    return (i64)(r.count > MOVE_PAGES ? r.record[MOVE_PAGES].address & ~PAGE_MASK : r.next);
}

static u64 k_map(void *self, u32 space, const struct map_item *items, u64 count, err *why) {
    struct machine *m = self;
    for (u64 i = 0; i < count; i++) {
        err e = model_map(&m->k, ACCT_REGION, space, items[i]);
        if (e < 0) {
            *why = -e;
            return i;
        }
    }
    return count;
}

static err k_destroy(void *self, u32 space) {
    struct machine *m = self;
    pfn frame = m->k.space[space].frame;
    model_space_destroy(&m->k, space);
    put_frame(m, frame);
    return 0;
}

void machine_init(struct machine *m, u64 frames, u64 seed) {
    memset(m, 0, sizeof *m);
    m->seed = seed;
    region_fixture(&m->ctx);
    m->ctx.account = ACCT_REGION;
    m->ctx.zero_page = 0;
    model_init(&m->k, frames, ACCT_REGION);
    m->kernel = (struct vm_kernel){m,      k_unmap,  k_protect, k_clone, k_scan,
                                   k_feed, k_unfeed, k_entries, k_map,   k_destroy};
    for (pfn f = frames - 1; f > 0; f--)
        put_frame(m, f);
    m->ctx.zero_page = take_frame(m);
    memset(m->k.frame[m->ctx.zero_page].data, 0, PAGE_BYTES);
    m->object_bytes = calloc(OBJECTS, sizeof *m->object_bytes);
    cr_assert(m->object_bytes);
    for (int o = 1; o < OBJECTS; o++)
        for (int p = 0; p < OBJECT_PAGES; p++) {
            pfn frame = m->object_frame[o][p] = take_frame(m);
            cr_assert_eq(model_give(&m->k, ACCT_REGION, frame, ACCT_CACHE), 0);
            memset(m->object_bytes[o][p], o == OBJECT_SHARED ? 0 : o * 64 + p, PAGE_BYTES);
            memcpy(m->k.frame[frame].data, m->object_bytes[o][p], PAGE_BYTES);
        }
    m->frames_at_first = m->free_count;
}

void machine_end(struct machine *m) {
    const char *wrong = model_check(&m->k);
    cr_assert(wrong == NULL, "%s", wrong);
    collect(m);
    cr_assert_eq(m->free_count, m->frames_at_first, "%llu frames of %llu are back",
                 (unsigned long long)m->free_count, (unsigned long long)m->frames_at_first);
    free(m->object_bytes);
    model_end(&m->k);
}

struct mm_struct *machine_mm(struct machine *m) {
    struct mm_struct *mm = mm_alloc(&m->ctx);
    pfn frame = mm ? take_frame(m) : 0;
    if (!frame) {
        if (mm)
            mm_free(mm);
        return NULL;
    }
    err space = model_space_create(&m->k, ACCT_REGION, frame, 0);
    cr_assert(space >= 0);
    mm->space = (u32)space;
    if (k_feed(m, mm->space) > 0)
        return mm;
    k_destroy(m, mm->space);
    mm_free(mm);
    return NULL;
}

/* The toy cache: answers with the page, and with some of those around it. */
static void cache_answer(struct machine *m, struct model_fault *f, const struct fault_verdict *v) {
    struct fault_item items[FAULT_ITEMS_MAX];
    u64 n = 0, page = (f->words.address % BLOCK_BYTES) >> PAGE_SHIFT, around = pick(m, 4);
    bool write = FAULT_ACCESS(f->words.info) == ACCESS_WRITE;

    model_forward(f, v->first, v->count, v->rights);
    for (u64 p = page - MIN(page, around); p <= page + around; p++) {
        u64 index = v->index + p - page, rights = v->rights;
        if (p < v->first || p >= v->first + v->count || index >= OBJECT_PAGES)
            continue;
        if (!(write && p == page) && pick(m, 2))
            rights &= ~(u64)MAP_WRITE;
        items[n++] = (struct fault_item){ROUND_DOWN(f->words.address, BLOCK_BYTES) + p * PAGE_BYTES + rights,
                                         ITEM_FRAME(m->object_frame[v->object][index], FILL_AS_IS)};
    }
    err e = model_fault_answer(&m->k, ACCT_CACHE, f, items, n);
    cr_assert(e >= 0, "cache's answer: %s", err_name(e));
    m->forwards++;
}

static enum outcome fill(struct machine *m, const struct model_fault *f, const struct fault_verdict *v) {
    pfn frame = take_frame(m);
    if (!frame)
        return NO_MEMORY;
    struct fault_item item = {(f->words.address & ~PAGE_MASK) | v->rights, ITEM_FRAME(frame, v->op)};
    err e = model_fault_answer(&m->k, ACCT_REGION, f, &item, 1);
    cr_assert(e >= 0, "answer: %s", err_name(e));
    m->fills++;
    if (e == 0) {
        m->stale++;
        put_frame(m, frame);
    }
    return DONE;
}

static enum outcome act(struct machine *m, struct process *p, struct model_fault *f,
                        const struct fault_verdict *v, u32 *code) {
    struct fault_item item;
    struct model_range r;
    switch (v->kind) {
    case FAULT_RESUME:
        return DONE;
    case FAULT_FILL:
        return fill(m, f, v);
    case FAULT_ITEM:
        item = (struct fault_item){(f->words.address & ~PAGE_MASK) | v->rights, ITEM_FRAME(v->frame, v->op)};
        m->upgrades += v->op == FILL_UPGRADE;
        cr_assert(model_fault_answer(&m->k, ACCT_REGION, f, &item, 1) >= 0);
        return DONE;
    case FAULT_FORWARD:
        cache_answer(m, f, v);
        return DONE;
    case FAULT_PROTECT:
        cr_assert_eq(model_protect(&m->k, p->mm->space, f->words.address & ~PAGE_MASK, 1, v->rights, &r), 0);
        return DONE;
    case FAULT_WAIT:
        m->waits++;
        return WAITING;
    case FAULT_RAISE:
        *code = RAISE_CODE(v->signal, v->code);
        return RAISED;
    }
    cr_assert_fail("a verdict of no kind");
    return RAISED;
}

enum outcome machine_access(struct machine *m, struct process *p, vaddr address, enum access access, u8 **at,
                            u32 *code) {
    struct model_fault f = {0};
    for (int tries = 0; tries < 20; tries++) {
        *at = model_access(&m->k, p->mm->space, address, access, &f);
        if (*at)
            return DONE;
        f.words.sp = address;
        m->faults++;
        if (FAULT_POOL(f.words.info) < 3 && k_feed(m, p->mm->space) < 0)
            return NO_MEMORY;
        struct fault_verdict v = {0};
        do_page_fault(p->mm, &f.words, &v);
        if (pick(m, 8) == 0 && v.kind != FAULT_PROTECT)
            machine_work(m); /* cache may be slow: the answer comes later */
        enum outcome o = act(m, p, &f, &v, code);
        if (o != DONE)
            return o;
    }
    cr_assert_fail("a fault does not end");
    return RAISED;
}

u32 slot_of(vaddr a) {
    if (a >= ARENA && a < ARENA + ARENA_PAGES * PAGE_BYTES)
        return (u32)((a - ARENA) / PAGE_BYTES);
    if (a >= HEAP && a < HEAP + HEAP_PAGES * PAGE_BYTES)
        return ARENA_PAGES + (u32)((a - HEAP) / PAGE_BYTES);
    if (a < STACK && a >= STACK - STACK_ARENA_PAGES * PAGE_BYTES)
        return ARENA_PAGES + HEAP_PAGES + (u32)((STACK - 1 - a) / PAGE_BYTES);
    return SLOTS;
}

vaddr address_of(u32 slot) {
    if (slot < ARENA_PAGES)
        return ARENA + slot * PAGE_BYTES;
    if (slot < ARENA_PAGES + HEAP_PAGES)
        return HEAP + (slot - ARENA_PAGES) * PAGE_BYTES;
    return STACK - (slot - ARENA_PAGES - HEAP_PAGES + 1) * PAGE_BYTES;
}

static u8 *object_byte(struct machine *m, struct vm_area_struct *vma, vaddr a) {
    u64 index = vma->vm_pgoff + ((a - vma->vm_start) >> PAGE_SHIFT);
    return &m->object_bytes[vma->vm_object->id][index][a & PAGE_MASK];
}

u8 expected_byte(struct machine *m, struct process *p, struct vm_area_struct *vma, vaddr a) {
    const u8 *bytes = p->bytes[slot_of(a)];
    if (bytes && !(vma->vm_flags & VM_SHARED))
        return bytes[a & PAGE_MASK];
    return vma->vm_object ? *object_byte(m, vma, a) : 0;
}

void note_write(struct machine *m, struct process *p, struct vm_area_struct *vma, vaddr a, u8 byte) {
    if (vma->vm_flags & VM_SHARED) {
        *object_byte(m, vma, a) = byte;
        return;
    }
    u8 **bytes = &p->bytes[slot_of(a)];
    if (!*bytes) {
        *bytes = calloc(1, PAGE_BYTES);
        cr_assert(*bytes);
        if (vma->vm_object)
            memcpy(*bytes, object_byte(m, vma, a & ~PAGE_MASK), PAGE_BYTES);
    }
    (*bytes)[a & PAGE_MASK] = byte;
}

void forget_bytes(struct process *p, vaddr start, vaddr end) {
    for (vaddr a = start; a < end; a += PAGE_BYTES)
        if (slot_of(a) < SLOTS) {
            free(p->bytes[slot_of(a)]);
            p->bytes[slot_of(a)] = NULL;
        }
}

/* SPDX-License-Identifier: MIT */
/* The model kernel: frames, accounts, page tables and the range calls; see kernel_model.h. Faults:
 * kernel_model_fault.c; the audit: kernel_model_check.c. */
#include "model/kernel_model.h"
#include "model/kernel_model_int.h"

#include <stdlib.h>
#include <string.h>

void model_init(struct kernel_model *k, u64 frames, u8 account) {
    memset(k, 0, sizeof *k);
    k->frames = frames;
    k->frame = calloc(frames, sizeof *k->frame);
    if (!k->frame)
        abort();
    for (u64 i = 1; i < frames; i++) {
        k->frame[i].account = account;
        k->frame[i].kind = KIND_DATA;
        memset(k->frame[i].data, 0xda, PAGE_BYTES); /* junk: what was not cleared is seen */
    }
}

void model_end(struct kernel_model *k) {
    free(k->frame);
}

static bool is_free(const struct model_frame *f) {
    return f->kind == KIND_DATA && !f->shares && !f->own && !f->pins && !(f->flags & FRAME_QUEUED);
}

err model_own(const struct kernel_model *k, u8 by, pfn frame) {
    if (frame == 0 || frame >= k->frames)
        return -E_INVAL;
    if (k->frame[frame].account != by)
        return -E_OWNER;
    return k->frame[frame].kind == KIND_DATA ? 0 : -E_KIND;
}

err model_give(struct kernel_model *k, u8 by, pfn frame, u8 to) {
    err e = model_own(k, by, frame);
    if (e < 0)
        return e;
    if (!is_free(&k->frame[frame]))
        return -E_MAPPED;
    k->frame[frame].account = to;
    k->frame[frame].flags &= (u8) ~(FRAME_DIRTY | FRAME_ACCESSED);
    return 0;
}

err model_pin(struct kernel_model *k, u8 by, pfn frame, int change) {
    err e = model_own(k, by, frame);
    if (e < 0)
        return e;
    if (change < 0 && k->frame[frame].pins == 0)
        return -E_INVAL;
    if (change > 0 && k->frame[frame].pins == 63)
        return -E_OVERRUN;
    k->frame[frame].pins += (u32)change;
    k->frame[frame].flags &= (u8)~FRAME_ZEROED;
    return 0;
}

void model_queue(struct kernel_model *k, u32 frame) {
    struct model_frame *f = &k->frame[frame];
    if (f->flags & FRAME_QUEUED)
        return;
    f->flags |= FRAME_QUEUED;
    f->next = 0;
    if (k->collect_tail[f->account])
        k->frame[k->collect_tail[f->account]].next = frame;
    else
        k->collect_head[f->account] = frame;
    k->collect_tail[f->account] = frame;
}

pfn model_collect(struct kernel_model *k, u8 account) {
    u32 frame = k->collect_head[account];
    if (!frame)
        return 0;
    k->collect_head[account] = k->frame[frame].next;
    if (!k->collect_head[account])
        k->collect_tail[account] = 0;
    k->frame[frame].flags &= (u8)~FRAME_QUEUED;
    k->frame[frame].next = 0;
    return frame;
}

err model_space_create(struct kernel_model *k, u8 by, pfn frame, u8 account) {
    err e = model_own(k, by, frame);
    if (e < 0)
        return e;
    if (!is_free(&k->frame[frame]))
        return -E_MAPPED;
    for (u32 i = 0; i < MODEL_SPACES; i++)
        if (!k->space[i].used) {
            k->space[i] = (struct model_space){.used = true, .account = account, .frame = (u32)frame};
            k->frame[frame].kind = KIND_SPACE;
            return i;
        }
    return -E_NOMEM;
}

/* A frame of the pool, cleared; 0 if it is empty. */
static u32 take_table(struct kernel_model *k, struct model_space *s) {
    u32 table = s->pool;
    if (table) {
        s->pool = k->frame[table].next;
        s->pool_count--;
        k->frame[table].next = 0;
        memset(k->frame[table].data, 0, PAGE_BYTES);
    }
    return table;
}

static void put_table(struct kernel_model *k, struct model_space *s, u32 table) {
    k->frame[table].next = s->pool;
    s->pool = table;
    s->pool_count++;
}

err model_feed(struct kernel_model *k, u8 by, u32 space, pfn frame) {
    struct model_space *s = &k->space[space];
    err e = model_own(k, by, frame);
    if (e < 0)
        return e;
    if (!is_free(&k->frame[frame]))
        return -E_MAPPED;
    k->frame[frame].kind = KIND_TABLE;
    k->frame[frame].flags = 0;
    memset(k->frame[frame].data, 0, PAGE_BYTES);
    if (s->top)
        put_table(k, s, (u32)frame);
    else
        s->top = (u32)frame;
    return 0;
}

pfn model_unfeed(struct kernel_model *k, u32 space) {
    u32 table = take_table(k, &k->space[space]);
    if (table) {
        k->frame[table].kind = KIND_DATA;
        k->frame[table].flags |= FRAME_ZEROED;
    }
    return table;
}

u64 *model_walk(const struct kernel_model *k, u32 space, vaddr address, u32 *level) {
    u32 table = k->space[space].top;
    if (!table)
        return NULL;
    for (*level = 3;; (*level)--) {
        u64 *entry = &k->frame[table].data[model_index(address, *level)];
        if (*level == 0 || *entry == 0)
            return entry;
        table = (u32)PTE_FRAME(*entry);
    }
}

u64 model_entry(const struct kernel_model *k, u32 space, vaddr address) {
    u32 level;
    u64 *entry = model_walk(k, space, address, &level);
    return entry && level == 0 ? *entry : 0;
}

u32 model_tables_missing(const struct kernel_model *k, u32 space, vaddr address) {
    u32 level;
    return model_walk(k, space, address, &level) ? level : 4;
}

u64 *model_make(struct kernel_model *k, u32 space, vaddr address) {
    u32 level;
    u64 *entry = model_walk(k, space, address, &level);
    if (!entry || level > k->space[space].pool_count)
        return NULL;
    while (level > 0) {
        *entry = (u64)take_table(k, &k->space[space]) << PAGE_SHIFT | PTE_PRESENT | PTE_WRITE | PTE_USER;
        entry = model_walk(k, space, address, &level);
    }
    return entry;
}

/* Puts tables that have become empty back into the pool. */
static void prune(struct kernel_model *k, u32 space, vaddr address) {
    static const u64 zeroes[512];
    for (u32 level = 1; level <= 3; level++) {
        u32 table = k->space[space].top;
        u64 *entry = NULL;
        for (u32 l = 3; l >= level; l--) {
            entry = &k->frame[table].data[model_index(address, l)];
            if (*entry == 0)
                return;
            table = (u32)PTE_FRAME(*entry);
        }
        if (memcmp(k->frame[table].data, zeroes, PAGE_BYTES) != 0)
            return;
        *entry = 0;
        put_table(k, &k->space[space], table);
    }
}

u64 model_pte(pfn frame, u64 rights) {
    u64 pte = frame << PAGE_SHIFT | PTE_PRESENT;
    if (rights & (MAP_READ | MAP_WRITE | MAP_EXEC))
        pte |= PTE_USER;
    if (rights & MAP_WRITE)
        pte |= PTE_WRITE;
    if (rights & (MAP_WRITE | MAP_MAYWRITE))
        pte |= PTE_MAYWRITE;
    if (!(rights & MAP_EXEC))
        pte |= PTE_NX;
    return pte;
}

void model_ref(struct kernel_model *k, u32 space, pfn frame) {
    struct model_frame *f = &k->frame[frame];
    if (f->account == k->space[space].account)
        f->own++;
    else
        f->shares++;
}

static void save_bits(struct kernel_model *k, u64 entry) {
    struct model_frame *f = &k->frame[PTE_FRAME(entry)];
    f->flags |= (entry & PTE_ACCESSED ? FRAME_ACCESSED : 0) | (entry & PTE_DIRTY ? FRAME_DIRTY : 0);
}

bool model_unref(struct kernel_model *k, u32 space, u64 entry) {
    struct model_frame *f = &k->frame[PTE_FRAME(entry)];
    save_bits(k, entry);
    if (f->account == k->space[space].account) {
        f->own--;
        return f->own == 0 && f->shares == 0;
    }
    return --f->shares == 0;
}

err model_map(struct kernel_model *k, u8 by, u32 space, struct map_item item) {
    vaddr address = item.address & ~PAGE_MASK;
    err e = model_own(k, by, item.frame);
    if (e < 0)
        return e;
    if (address < USER_FIRST || address >= USER_END)
        return -E_INVAL;
    if (model_entry(k, space, address))
        return -E_OCCUPIED;
    u64 *entry = model_make(k, space, address);
    if (!entry)
        return -E_NEED_TABLES;
    if ((item.address & MAP_WRITE))
        k->frame[item.frame].flags &= (u8)~FRAME_ZEROED;
    *entry = model_pte(item.frame, item.address & PAGE_MASK);
    model_ref(k, space, item.frame);
    return 0;
}

err model_pager_entry(struct kernel_model *k, u32 space, vaddr address, u64 word) {
    if (word == 0 || (word & PTE_PRESENT))
        return -E_INVAL;
    u64 *entry = model_make(k, space, address);
    if (!entry)
        return -E_NEED_TABLES;
    if (*entry)
        return -E_OCCUPIED;
    *entry = word;
    return 0;
}

static bool bad_range(vaddr first, u64 pages) {
    return (first & PAGE_MASK) || first < USER_FIRST || first > USER_END || pages == 0 ||
           pages > (USER_END - first) >> PAGE_SHIFT;
}

/* The next leaf entry that is not zero, at or after *at; counts visits of all levels. NULL: at the end, or
 * too many. */
static u64 *next_entry(struct kernel_model *k, u32 space, vaddr *at, vaddr end, u64 *visits) {
    while (*at < end && *visits < RANGE_VISITS_MAX) {
        u32 level;
        u64 *entry = model_walk(k, space, *at, &level);
        ++*visits;
        if (entry && level == 0 && *entry)
            return entry;
        u64 step = PAGE_BYTES << (9 * (entry ? level : 3));
        *at = MIN(ROUND_DOWN(*at, step) + step, end);
    }
    return NULL;
}

static void record(struct model_range *r, vaddr address, enum record_kind kind, u64 value) {
    r->record[r->count++] = (struct range_record){address | kind, value};
}

err model_unmap(struct kernel_model *k, u8 by, u32 space, vaddr first, u64 pages, u64 flags,
                struct model_range *r) {
    if (bad_range(first, pages))
        return -E_INVAL;
    vaddr at = first, end = first + pages * PAGE_BYTES;
    u64 visits = 0, *entry;
    *r = (struct model_range){.stop = STOP_BOUND};
    k->space[space].epoch++;
    while ((entry = next_entry(k, space, &at, end, &visits))) {
        u64 old = *entry;
        if (r->count == MODEL_RECORDS) {
            r->stop = STOP_FULL;
            break;
        }
        if (!(old & PTE_PRESENT) && (flags & UNMAP_KEEP)) {
            at += PAGE_BYTES;
            continue;
        }
        *entry = 0;
        prune(k, space, at);
        if (!(old & PTE_PRESENT)) {
            record(r, at, RECORD_PAGER, old);
        } else if (model_unref(k, space, old)) {
            struct model_frame *f = &k->frame[PTE_FRAME(old)];
            if (f->account == by && !(f->flags & FRAME_QUEUED))
                record(r, at, RECORD_FRAME, PTE_FRAME(old) | (u64)f->flags << 52);
            else
                model_queue(k, (u32)PTE_FRAME(old));
        }
        at += PAGE_BYTES;
    }
    r->next = at;
    return 0;
}

err model_protect(struct kernel_model *k, u32 space, vaddr first, u64 pages, u64 rights,
                  struct model_range *r) {
    if (bad_range(first, pages))
        return -E_INVAL;
    vaddr at = first, end = first + pages * PAGE_BYTES;
    u64 visits = 0, *entry;
    *r = (struct model_range){.stop = STOP_BOUND};
    k->space[space].epoch++;
    for (; (entry = next_entry(k, space, &at, end, &visits)); at += PAGE_BYTES) {
        if (!(*entry & PTE_PRESENT))
            continue;
        u64 maywrite = *entry & PTE_MAYWRITE, allowed = maywrite ? rights : rights & ~(u64)MAP_WRITE;
        save_bits(k, *entry);
        *entry = model_pte(PTE_FRAME(*entry), allowed & ~(u64)MAP_MAYWRITE) | maywrite;
        if (allowed & MAP_WRITE)
            k->frame[PTE_FRAME(*entry)].flags &= (u8)~FRAME_ZEROED;
    }
    r->next = at;
    return 0;
}

err model_scan(struct kernel_model *k, u32 space, vaddr first, u64 pages, u64 flags, struct model_range *r) {
    if (bad_range(first, pages))
        return -E_INVAL;
    vaddr at = first, end = first + pages * PAGE_BYTES;
    u64 visits = 0, *entry;
    *r = (struct model_range){.stop = STOP_BOUND};
    for (; (entry = next_entry(k, space, &at, end, &visits)); at += PAGE_BYTES) {
        if (r->count == MODEL_RECORDS) {
            r->stop = STOP_FULL;
            break;
        }
        record(r, at, *entry & PTE_PRESENT ? RECORD_ENTRY : RECORD_PAGER, *entry);
        if ((*entry & PTE_PRESENT) && (flags & CLEAR_BITS)) {
            save_bits(k, *entry);
            *entry &= ~(PTE_ACCESSED | PTE_DIRTY);
        }
    }
    r->next = at;
    return 0;
}

err model_clone(struct kernel_model *k, u32 from, u32 to, vaddr first, u64 pages, bool private,
                struct model_range *r) {
    if (bad_range(first, pages) || from == to)
        return -E_INVAL;
    vaddr at = first, end = first + pages * PAGE_BYTES;
    u64 visits = 0, *entry;
    *r = (struct model_range){.stop = STOP_BOUND};
    k->space[from].epoch++;
    k->space[to].epoch++;
    for (; (entry = next_entry(k, from, &at, end, &visits)); at += PAGE_BYTES) {
        bool pager = !(*entry & PTE_PRESENT);
        if (model_entry(k, to, at))
            continue;
        if (pager && r->count == MODEL_RECORDS) {
            r->stop = STOP_FULL;
            break;
        }
        u64 *target = model_make(k, to, at);
        if (!target) {
            r->stop = STOP_TABLES;
            break;
        }
        if (pager) {
            record(r, at, RECORD_PAGER, *entry);
        } else {
            save_bits(k, *entry);
            if (private)
                *entry &= ~(PTE_WRITE | PTE_MAYWRITE);
            model_ref(k, to, PTE_FRAME(*entry));
        }
        *target = *entry & ~(pager ? 0 : PTE_ACCESSED | PTE_DIRTY);
    }
    r->next = at;
    return 0;
}

void model_space_destroy(struct kernel_model *k, u32 space) {
    struct model_space *s = &k->space[space];
    vaddr at = USER_FIRST;
    u64 visits = 0, *entry;
    u32 table;
    while ((entry = next_entry(k, space, &at, USER_END, &visits)) || at < USER_END) {
        visits = 0;
        if (!entry)
            continue;
        if ((*entry & PTE_PRESENT) && model_unref(k, space, *entry))
            model_queue(k, (u32)PTE_FRAME(*entry));
        *entry = 0;
        prune(k, space, at);
    }
    if (s->top) {
        put_table(k, s, s->top);
        s->top = 0;
    }
    while ((table = take_table(k, s))) {
        k->frame[table].kind = KIND_DATA;
        model_queue(k, table);
    }
    k->frame[s->frame].kind = KIND_DATA;
    *s = (struct model_space){0};
}

u64 model_frames_of(const struct kernel_model *k, u8 account, u8 kind) {
    u64 n = 0;
    for (u64 i = 1; i < k->frames; i++)
        n += k->frame[i].account == account && k->frame[i].kind == kind;
    return n;
}

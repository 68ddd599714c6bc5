/* SPDX-License-Identifier: MIT */
/* The model kernel: a program's accesses, faults and their answers. */
#include "model/kernel_model_int.h"

#include <string.h>

static bool permits(u64 entry, enum access access) {
    if ((entry & (PTE_PRESENT | PTE_USER)) != (PTE_PRESENT | PTE_USER))
        return false;
    if (access == ACCESS_WRITE)
        return entry & PTE_WRITE;
    return access != ACCESS_EXEC || !(entry & PTE_NX);
}

u8 *model_access(struct kernel_model *k, u32 space, vaddr address, enum access access,
                 struct model_fault *f) {
    u32 level;
    u64 *entry = model_walk(k, space, address, &level);
    u64 shown = entry && level == 0 ? *entry : 0;

    if (permits(shown, access)) {
        *entry |= PTE_ACCESSED | (access == ACCESS_WRITE ? PTE_DIRTY : 0);
        return (u8 *)k->frame[PTE_FRAME(shown)].data + (address & PAGE_MASK);
    }
    if (!f)
        return NULL;
    const struct model_frame *frame =
        shown & PTE_PRESENT ? &k->frame[PTE_FRAME(shown)] : &(struct model_frame){0};
    f->space = space;
    f->epoch = k->space[space].epoch;
    f->first = 0;
    f->count = BLOCK_BYTES / PAGE_BYTES;
    f->rights = MAP_READ | MAP_WRITE | MAP_EXEC | MAP_MAYWRITE;
    f->words.address = address;
    f->words.info =
        FAULT_INFO(access, MIN(k->space[space].pool_count, 255u), frame->account, 0, frame->shares);
    f->words.entry = shown;
    return NULL;
}

void model_forward(struct model_fault *f, u64 first, u64 count, u64 rights) {
    f->first = (u32)first;
    f->count = (u32)count;
    f->rights = (u32)rights;
}

#define SAME_MASK (~(PTE_ACCESSED | PTE_DIRTY))

static err check_item(const struct kernel_model *k, u8 by, const struct model_fault *f,
                      struct fault_item item) {
    vaddr address = item.address & ~PAGE_MASK, block = ROUND_DOWN(f->words.address, BLOCK_BYTES);
    u64 page = (address - block) >> PAGE_SHIFT, rights = item.address & PAGE_MASK, op = item.frame >> 60;
    pfn frame = item.frame & ~(15ull << 60);

    if (address < block || page < f->first || page >= f->first + f->count || (rights & ~(u64)15))
        return -E_INVAL;
    if (rights & ~(u64)f->rights)
        return -E_RIGHTS;
    err e = model_own(k, by, frame);
    if (e < 0)
        return e;
    const struct model_frame *fr = &k->frame[frame];
    if ((op == FILL_ZERO || op == FILL_COPY) &&
        (fr->shares || fr->own || fr->pins || (fr->flags & FRAME_QUEUED)))
        return -E_MAPPED;
    if ((op == FILL_UPGRADE || op == FILL_COPY) && address != (f->words.address & ~PAGE_MASK))
        return -E_INVAL;
    return op > FILL_UPGRADE ? -E_INVAL : 0;
}

static bool upgrade(struct kernel_model *k, u64 *entry, const struct model_fault *f, pfn frame) {
    if (PTE_FRAME(*entry) != frame || PTE_FRAME(f->words.entry) != frame || !(*entry & PTE_PRESENT) ||
        k->frame[frame].shares != 1)
        return false;
    *entry |= PTE_WRITE | PTE_MAYWRITE | PTE_USER;
    k->frame[frame].flags &= (u8)~FRAME_ZEROED;
    return true;
}

static bool enter(struct kernel_model *k, const struct model_fault *f, struct fault_item item) {
    vaddr address = item.address & ~PAGE_MASK;
    bool faulting = address == (f->words.address & ~PAGE_MASK);
    u64 op = item.frame >> 60, old = model_entry(k, f->space, address);
    pfn frame = item.frame & ~(15ull << 60);

    if (faulting ? (old & SAME_MASK) != (f->words.entry & SAME_MASK) : old != 0)
        return false;
    u64 *entry = model_make(k, f->space, address);
    if (!entry)
        return false;
    if (op == FILL_UPGRADE)
        return upgrade(k, entry, f, frame);
    if (op == FILL_COPY) {
        if (!(old & PTE_PRESENT))
            return false;
        memcpy(k->frame[frame].data, k->frame[PTE_FRAME(old)].data, PAGE_BYTES);
        k->frame[frame].flags &= (u8)~FRAME_ZEROED;
        k->copies++;
    } else if (op == FILL_ZERO) {
        memset(k->frame[frame].data, 0, PAGE_BYTES);
        k->clears++;
    }
    if (item.address & MAP_WRITE)
        k->frame[frame].flags &= (u8)~FRAME_ZEROED;
    *entry = model_pte(frame, item.address & PAGE_MASK);
    model_ref(k, f->space, frame);
    if ((old & PTE_PRESENT) && model_unref(k, f->space, old))
        model_queue(k, (u32)PTE_FRAME(old));
    return true;
}

err model_fault_answer(struct kernel_model *k, u8 by, const struct model_fault *f,
                       const struct fault_item *items, u64 n) {
    u64 entered = 0;
    if (n > FAULT_ITEMS_MAX)
        return -E_INVAL;
    for (u64 i = 0; i < n; i++) {
        err e = check_item(k, by, f, items[i]);
        if (e < 0)
            return e;
    }
    if (k->space[f->space].epoch != f->epoch)
        return 0;
    if (model_tables_missing(k, f->space, f->words.address) > k->space[f->space].pool_count)
        return 0;
    for (u64 i = 0; i < n; i++)
        entered += enter(k, f, items[i]);
    return (err)entered;
}

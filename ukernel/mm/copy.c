/* SPDX-License-Identifier: MIT */
/* copy: bytes between spaces and frames, obeying the protection that user accesses would meet. */

#include "mm/pt.h"

static u64 absent[TABLE_SLOTS]; /* a leaf table without entries */

/* The leaf table with the entry of an address in the side's space; NULL: the side is frames. */
static const u64 *side_leaf(const struct copy_side *side, u64 at) {
    if (!side->space)
        return NULL;
    const u64 *entry = at - USER_FIRST < USER_END - USER_FIRST ? pt_leaf(side->space, at) : NULL;
    return entry ? entry - pt_index(at, 0) : absent;
}

/* The bytes there, up to the page's end; NULL if absent or not allowed. */
static inline __attribute__((always_inline)) u8 *bytes_at(const u64 *leaf, u64 at, bool write) {
    u64 n = at >> PAGE_SHIFT;
    if (leaf) {
        u64 entry = leaf[pt_index(at, 0)], need = PTE_PRESENT | PTE_USER | (write ? PTE_WRITE : 0);
        if ((entry & need) != need)
            return NULL;
        n = PTE_FRAME(entry);
    }
    frame_set(&frame_table[n], FRAME_ACCESSED | (write ? FRAME_DIRTY : 0));
    if (write)
        frame_clear(&frame_table[n], FRAME_ZEROED);
    return (u8 *)frame_to_virt(n) + (at & PAGE_MASK);
}

/* Is the side well formed, and if it is made of frames, are they all the account's? */
static err side_check(const struct copy_side *side, u64 length) {
    if (side->at + length < side->at)
        return -E_INVAL;
    if (side->space)
        return 0;
    for (u64 n = side->at >> PAGE_SHIFT; n << PAGE_SHIFT < side->at + length; n++)
        if (!frame_own(n, side->account))
            return -E_OWNER;
    return 0;
}

struct copy_result mm_copy(const struct copy_side *to, const struct copy_side *from, u64 length) {
    if (length > COPY_BYTES_MAX)
        return (struct copy_result){-E_INVAL, 0};
    err e = side_check(from, length);
    if (!e)
        e = side_check(to, length);
    if (e)
        return (struct copy_result){e, 0};
    u64 source = from->at, target = to->at, end = source + length, run = source;
    const u64 *source_leaf = NULL, *target_leaf = NULL;
    while (source < end) {
        if (source == run) { /* as far as both leaf tables go */
            source_leaf = side_leaf(from, source);
            target_leaf = side_leaf(to, target);
            run += MIN(end - source, BLOCK_BYTES - MAX(source % BLOCK_BYTES, target % BLOCK_BYTES));
        }
        const u8 *bytes = bytes_at(source_leaf, source, false);
        if (!bytes)
            return (struct copy_result){(i64)(source - from->at), source & ~PAGE_MASK};
        u8 *into = bytes_at(target_leaf, target, true);
        if (!into)
            return (struct copy_result){(i64)(source - from->at), (target & ~PAGE_MASK) | COPY_AT_TARGET};
        u64 n = MIN(run - source, PAGE_BYTES - MAX(source & PAGE_MASK, target & PAGE_MASK));
        copy_bytes(into, bytes, n);
        source += n;
        target += n;
    }
    return (struct copy_result){(i64)length, 0};
}

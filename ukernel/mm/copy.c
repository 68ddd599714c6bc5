/* SPDX-License-Identifier: MIT */
/* copy: bytes between spaces and frames, obeying the protection that user accesses would meet. */

#include "mm/pt.h"

/* The bytes at offset `done` of a side, up to the page's end; NULL if absent or not allowed. */
static u8 *side_bytes(const struct copy_side *side, u64 done, bool write) {
    u64 at = side->at + done;
    u64 n = at >> PAGE_SHIFT;
    if (side->space) {
        if (at < USER_FIRST || at >= USER_END)
            return NULL;
        const u64 *entry = pt_leaf(side->space, at);
        u64 need = PTE_PRESENT | PTE_USER | (write ? PTE_WRITE : 0);
        if (!entry || (*entry & need) != need)
            return NULL;
        n = PTE_FRAME(*entry);
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
    u64 done = 0;
    while (done < length) {
        const u8 *source = side_bytes(from, done, false);
        if (!source)
            return (struct copy_result){(i64)done, (from->at + done) & ~PAGE_MASK};
        u8 *target = side_bytes(to, done, true);
        if (!target)
            return (struct copy_result){(i64)done, ((to->at + done) & ~PAGE_MASK) | COPY_AT_TARGET};
        u64 n = MIN(length - done, PAGE_BYTES - ((to->at + done) & PAGE_MASK));
        n = MIN(n, PAGE_BYTES - ((from->at + done) & PAGE_MASK));
        copy_bytes(target, source, n);
        done += n;
    }
    return (struct copy_result){(i64)done, 0};
}

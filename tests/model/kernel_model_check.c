/* SPDX-License-Identifier: MIT */
/* The model kernel's audit: the invariants of the frame table, after any step. */
#include "model/kernel_model_int.h"

#include <stdlib.h>
#include <string.h>

/* What the page tables and lists say of one frame. */
struct seen {
    u32 shares, own, tables, queued;
};

static const char *walk_table(const struct kernel_model *k, const struct model_space *s, u32 table, u32 level,
                              struct seen *seen) {
    if (table == 0 || table >= k->frames || k->frame[table].kind != KIND_TABLE)
        return "a table is not a TABLE frame";
    if (seen[table].tables++)
        return "a TABLE frame is in two places";
    for (u32 i = 0; i < 512; i++) {
        u64 entry = k->frame[table].data[i];
        if (entry == 0 || (level == 0 && !(entry & PTE_PRESENT)))
            continue;
        u64 frame = PTE_FRAME(entry);
        if (level > 0) {
            const char *wrong = walk_table(k, s, (u32)frame, level - 1, seen);
            if (wrong)
                return wrong;
            continue;
        }
        if (frame == 0 || frame >= k->frames || k->frame[frame].kind != KIND_DATA)
            return "a mapped frame is not DATA";
        if ((entry & PTE_WRITE) && !(entry & PTE_MAYWRITE))
            return "a writable entry without MAYWRITE";
        if ((entry & PTE_WRITE) && (k->frame[frame].flags & FRAME_ZEROED))
            return "a ZEROED frame is mapped writable";
        if (s->account == k->frame[frame].account)
            seen[frame].own++;
        else
            seen[frame].shares++;
    }
    return NULL;
}

static const char *walk_space(const struct kernel_model *k, const struct model_space *s, struct seen *seen) {
    u32 pooled = 0;
    if (k->frame[s->frame].kind != KIND_SPACE)
        return "a space's frame is not a SPACE";
    for (u32 table = s->pool; table; table = k->frame[table].next, pooled++) {
        if (k->frame[table].kind != KIND_TABLE)
            return "a frame in a pool is not a TABLE";
        if (seen[table].tables++)
            return "a TABLE frame is in two places";
    }
    if (pooled != s->pool_count)
        return "a pool's count is wrong";
    return s->top ? walk_table(k, s, s->top, 3, seen) : NULL;
}

static const char *check_frame(const struct model_frame *f, const struct seen *seen) {
    static const u64 zeroes[512];
    if (f->kind != KIND_DATA && (f->own || f->shares || f->pins))
        return "a frame that is not DATA has counts";
    if (f->own != seen->own || f->shares != seen->shares)
        return "a frame's counts are not those of the page tables";
    if ((f->kind == KIND_TABLE) != (seen->tables == 1))
        return "a TABLE frame is in no space";
    if (((f->flags & FRAME_QUEUED) != 0) != (seen->queued == 1))
        return "QUEUED is not what the collect lists say";
    if ((f->flags & FRAME_ZEROED) && memcmp(f->data, zeroes, sizeof zeroes) != 0)
        return "a ZEROED frame is not zero";
    return NULL;
}

static const char *check_all(const struct kernel_model *k, struct seen *seen) {
    const char *wrong = NULL;
    for (u32 i = 0; i < MODEL_SPACES && !wrong; i++)
        if (k->space[i].used)
            wrong = walk_space(k, &k->space[i], seen);
    for (u32 a = 0; a < ACCOUNTS && !wrong; a++)
        for (u32 f = k->collect_head[a]; f; f = k->frame[f].next) {
            if (k->frame[f].account != a || seen[f].queued++)
                return "a collect list holds a wrong frame";
            if (!k->frame[f].next && k->collect_tail[a] != f)
                return "a collect list's tail is wrong";
        }
    for (u64 i = 1; i < k->frames && !wrong; i++)
        wrong = check_frame(&k->frame[i], &seen[i]);
    return wrong;
}

const char *model_check(const struct kernel_model *k) {
    struct seen *seen = calloc(k->frames, sizeof *seen);
    if (!seen)
        abort();
    const char *wrong = check_all(k, seen);
    free(seen);
    return wrong;
}

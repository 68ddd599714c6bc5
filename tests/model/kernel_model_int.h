/* SPDX-License-Identifier: MIT */
/* What the files of the model kernel share. */
#pragma once

#include "model/kernel_model.h"

static inline u64 model_index(vaddr address, u32 level) {
    return (address >> (PAGE_SHIFT + 9 * level)) & 511;
}

/* 0 if the frame is DATA of that account. */
err model_own(const struct kernel_model *k, u8 by, pfn frame);
/* The entry at the lowest level that exists for an address, and that level (0: leaf). NULL without a top
 * table. */
u64 *model_walk(const struct kernel_model *k, u32 space, vaddr address, u32 *level);
/* Tables that an entry at that address would need. */
u32 model_tables_missing(const struct kernel_model *k, u32 space, vaddr address);
/* The leaf entry, made if the pool suffices; NULL and nothing taken if it does not. */
u64 *model_make(struct kernel_model *k, u32 space, vaddr address);
u64 model_pte(pfn frame, u64 rights);
/* One mapping more; one less: true if it was the last that counts for the collect list. */
void model_ref(struct kernel_model *k, u32 space, pfn frame);
bool model_unref(struct kernel_model *k, u32 space, u64 entry);
void model_queue(struct kernel_model *k, u32 frame);

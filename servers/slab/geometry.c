/* SPDX-License-Identifier: MIT */
#include "geometry.h"

#include <ipc/slab.h>

u32 geometry_descriptor_bytes(u32 objects) {
    return ROUND_UP(SLAB_DESCRIPTOR_BYTES + objects * SLAB_INDEX_BYTES, SLAB_LINE_BYTES);
}

bool geometry_too_large_to_debug(u64 size) {
    return size >= PAGE_BYTES / 8;
}

static u32 alignment(u32 size, u64 flags) {
    u32 align = 8;
    if (flags & SLAB_HWCACHE_ALIGN && !(flags & SLAB_RED_ZONE))
        for (align = SLAB_LINE_BYTES; size <= align / 2 && align > 8;)
            align /= 2;
    return align;
}

static u32 cell_bytes(u32 size, u64 flags) {
    if (flags & SLAB_RED_ZONE)
        size += 2 * SLAB_ZONE_BYTES;
    return flags & SLAB_DEBUG ? ROUND_UP(size, 8) + SLAB_CALLERS_BYTES : size;
}

/* How many objects a slab of that order holds, and what is left over. */
static void estimate(struct geometry *g) {
    u32 bytes = (u32)PAGE_BYTES << g->order;
    g->objects = bytes / g->stride;
    u32 used = 0;
    while (g->objects) {
        used = g->objects * g->stride + (g->off_slab ? 0 : geometry_descriptor_bytes(g->objects));
        if (used <= bytes)
            break;
        g->objects--;
    }
    g->left_over = g->objects ? bytes - used : bytes;
}

static bool order_will_do(const struct geometry *g, u32 break_order) {
    if (!g->objects)
        return false;
    return g->order >= break_order || g->left_over * 8 <= (u32)PAGE_BYTES << g->order;
}

static void choose_order(struct geometry *g, u32 break_order) {
    for (estimate(g); !order_will_do(g, break_order) && g->order < SLAB_ORDER_MAX; estimate(g))
        g->order++;
}

/* The descriptor moves back onto the slab if what is left over fits it. If not, it must not be too long for
 * the cache of such descriptors: a page's never is. */
static void place_descriptor(struct geometry *g) {
    u32 descriptor = geometry_descriptor_bytes(g->objects);
    if (g->left_over >= descriptor) {
        g->off_slab = false;
        g->left_over -= descriptor;
    }
    while (g->off_slab && g->objects > SLAB_OFF_OBJECTS) {
        g->order--;
        estimate(g);
    }
}

err geometry_make(struct geometry *g, u64 size, u64 offset, u64 flags, u32 break_order) {
    if (!size || size > KMEM_SIZE_MAX || offset >= PAGE_BYTES || flags & ~(u64)SLAB_FLAGS)
        return -E_INVAL;
    u32 cell = cell_bytes((u32)size, flags), align = alignment(cell, flags);
    struct geometry made = {.stride = ROUND_UP(cell, align), .off_slab = cell >= PAGE_BYTES / 8};
    choose_order(&made, break_order);
    if (!made.objects)
        return -E_INVAL;
    if (made.off_slab)
        place_descriptor(&made);
    made.colour_bytes = offset ? ROUND_UP((u32)offset, align) : SLAB_LINE_BYTES;
    made.colours = made.left_over / made.colour_bytes;
    *g = made;
    return 0;
}

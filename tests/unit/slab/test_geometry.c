/* SPDX-License-Identifier: MIT */
/* How slabs look. */
#include <criterion/criterion.h>

#include <abi/errors.h>
#include <ipc/slab.h>

#include "geometry.h"

static struct geometry make(u64 size, u64 flags) {
    struct geometry g;
    cr_assert_eq(geometry_make(&g, size, 0, flags, SLAB_BREAK_ORDER_HIGH), 0, "size %llu",
                 (unsigned long long)size);
    return g;
}

/* The worked example of the lectures: with a descriptor of 40 bytes and lines of 64, a page holds 112 objects
 * of 32. */
Test(geometry, worked_example) {
    struct geometry g = make(32, SLAB_HWCACHE_ALIGN);
    cr_assert(g.order == 0 && g.objects == 112 && g.stride == 32 && !g.off_slab);
    cr_assert_eq(geometry_descriptor_bytes(112), 512);
    cr_assert_eq(g.left_over, 0);
}

Test(geometry, general_sizes) {
    static const struct {
        u32 size, order, objects;
        bool off;
    } want[] = {{64, 0, 59, false},  {128, 0, 30, false}, {256, 0, 15, false}, {512, 0, 8, true},
                {1024, 0, 4, true},  {2048, 0, 2, true},  {4096, 0, 1, true},  {8192, 1, 1, true},
                {16384, 2, 1, true}, {32768, 3, 1, true}, {65536, 4, 1, true}, {131072, 5, 1, true}};
    for (u32 i = 0; i < ARRAY_LEN(want); i++) {
        struct geometry g = make(want[i].size, SLAB_HWCACHE_ALIGN);
        cr_assert(g.order == want[i].order && g.objects == want[i].objects && g.off_slab == want[i].off,
                  "size %u: order %u, %u objects, off %d", want[i].size, g.order, g.objects, g.off_slab);
    }
}

/* Sizes that are not powers of two waste less than the next power would. */
Test(geometry, odd_sizes_raise_the_order) {
    struct geometry g = make(1500, 0);
    cr_assert(g.order == 1 && g.objects == 5);
    cr_assert(!g.off_slab, "what is left over fits the descriptor");
    g = make(3000, 0);
    cr_assert(g.order == 2 && g.objects == 5);
    cr_assert_eq(geometry_make(&g, 3000, 0, 0, SLAB_BREAK_ORDER_LOW), 0);
    cr_assert(g.order == 1 && g.objects == 2);
}

Test(geometry, alignment) {
    cr_assert_eq(make(1, 0).stride, 8);
    cr_assert_eq(make(33, 0).stride, 40);
    cr_assert_eq(make(33, SLAB_HWCACHE_ALIGN).stride, 64);
    cr_assert_eq(make(20, SLAB_HWCACHE_ALIGN).stride, 32);
    cr_assert_eq(make(3, SLAB_HWCACHE_ALIGN).stride, 8);
    cr_assert_eq(make(100, SLAB_HWCACHE_ALIGN).stride, 128);
}

Test(geometry, colours_fill_what_is_left) {
    struct geometry g;
    cr_assert_eq(geometry_make(&g, 900, 0, 0, 2), 0);
    cr_assert(g.colours > 0 && g.colours * g.colour_bytes <= g.left_over);
    cr_assert_eq(geometry_make(&g, 900, 100, 0, 2), 0);
    cr_assert_eq(g.colour_bytes, 104);
}

Test(geometry, bad_arguments) {
    struct geometry g = {.order = 77};
    cr_assert_eq(geometry_make(&g, 0, 0, 0, 2), -E_INVAL);
    cr_assert_eq(geometry_make(&g, KMEM_SIZE_MAX + 1, 0, 0, 2), -E_INVAL);
    cr_assert_eq(geometry_make(&g, ~0ull, 0, 0, 2), -E_INVAL);
    cr_assert_eq(geometry_make(&g, 32, PAGE_BYTES, 0, 2), -E_INVAL);
    cr_assert_eq(geometry_make(&g, 32, 0, 1, 2), -E_INVAL);
    cr_assert_eq(g.order, 77, "nothing changed");
}

/* The words around an object, and the two callers behind it; a red zone costs the alignment. */
Test(geometry, debugging_makes_cells_larger) {
    cr_assert_eq(make(40, SLAB_POISON).stride, 40 + 16);
    cr_assert_eq(make(40, SLAB_RED_ZONE).stride, 8 + 40 + 8 + 16);
    cr_assert_eq(make(33, SLAB_RED_ZONE | SLAB_POISON).stride, 8 + 33 + 8 + 7 + 16);
    cr_assert_eq(make(40, SLAB_POISON | SLAB_HWCACHE_ALIGN).stride, 64);
    cr_assert_eq(make(40, SLAB_RED_ZONE | SLAB_HWCACHE_ALIGN).stride, 72);
    struct geometry g;
    cr_assert_eq(geometry_make(&g, KMEM_SIZE_MAX, 0, SLAB_RED_ZONE, 2), -E_INVAL, "no slab holds it");
    cr_assert_eq(geometry_make(&g, KMEM_SIZE_MAX - 32, 0, SLAB_RED_ZONE, 2), 0);
    cr_assert(geometry_too_large_to_debug(512) && !geometry_too_large_to_debug(511));
}

static void check_size(u32 size, u32 flags, u32 break_order) {
    struct geometry g;
    if (geometry_make(&g, size, 0, flags, break_order)) {
        cr_assert(flags & SLAB_DEBUG && size > KMEM_SIZE_MAX - 32, "size %u", size);
        return;
    }
    u64 bytes = PAGE_BYTES << g.order;
    u64 used = (u64)g.objects * g.stride + (g.off_slab ? 0 : geometry_descriptor_bytes(g.objects));
    cr_assert(g.objects && g.order <= SLAB_ORDER_MAX && g.stride >= size && g.stride % 8 == 0);
    cr_assert_eq(used + g.left_over, bytes);
    cr_assert_leq((u64)g.colours * g.colour_bytes, g.left_over);
    cr_assert(!g.off_slab || g.objects <= SLAB_OFF_OBJECTS, "size %u", size);
    cr_assert(!g.off_slab || g.stride >= PAGE_BYTES / 8);
    cr_assert(!g.off_slab || g.left_over < geometry_descriptor_bytes(g.objects), "it could move back");
}

Test(geometry, every_size) {
    static const u32 flags[] = {0, SLAB_HWCACHE_ALIGN, SLAB_DEBUG, SLAB_POISON | SLAB_HWCACHE_ALIGN,
                                SLAB_CACHE_DMA};
    for (u32 size = 1; size <= KMEM_SIZE_MAX; size++)
        for (u32 i = 0; i < ARRAY_LEN(flags); i++)
            for (u32 order = SLAB_BREAK_ORDER_LOW; order <= SLAB_BREAK_ORDER_HIGH; order++)
                check_size(size, flags[i], order);
}

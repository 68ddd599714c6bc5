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

Test(geometry, every_size) {
    for (u32 size = 1; size <= KMEM_SIZE_MAX; size += size < 9000 ? 1 : 97) {
        for (u32 flags = 0; flags <= SLAB_HWCACHE_ALIGN; flags += SLAB_HWCACHE_ALIGN) {
            struct geometry g = make(size, flags);
            u64 bytes = PAGE_BYTES << g.order;
            u64 used = (u64)g.objects * g.stride + (g.off_slab ? 0 : geometry_descriptor_bytes(g.objects));
            cr_assert(g.objects && g.order <= SLAB_ORDER_MAX && g.stride >= size && g.stride % 8 == 0);
            cr_assert_eq(used + g.left_over, bytes);
            cr_assert_leq((u64)g.colours * g.colour_bytes, g.left_over);
            cr_assert(!g.off_slab || g.objects <= SLAB_OFF_LIMIT);
            if (size < PAGE_BYTES / 8)
                cr_assert(!g.off_slab);
        }
    }
}

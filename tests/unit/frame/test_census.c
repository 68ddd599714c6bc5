/* SPDX-License-Identifier: MIT */
/* The census of frames by state, and that it sees each way in which mem_map and the kernel's frame table can
 * disagree. */
#include <criterion/criterion.h>
#include <string.h>

#include <abi/errors.h>

#include "world.h"

enum { A = SRV_REGION, B = SRV_CACHE };
static struct page *map;

static void begin(void) {
    world_begin();
    map = frame_server.holders.zones.map;
}
TestSuite(census, .init = begin);

static u32 take(u32 client, u64 order, u64 gfp) {
    u64 w[MSG_REG_WORDS] = {order, gfp};
    cr_assert_eq(world_call(client, frame_label_alloc, w, 0), 0);
    return (u32)w[0];
}
static void attach(u32 client) {
    u64 w[MSG_REG_WORDS] = {0};
    cr_assert_eq(world_call(client, frame_label_attach, w, 0), 0);
}

Test(census, a_fresh_machine) {
    struct frame_census c = world_census();
    cr_assert_eq(c.wrong, 0);
    cr_assert_eq(c.count[FRAME_HOLE], WORLD_HOLE);
    cr_assert_eq(c.count[FRAME_RESERVED], WORLD_ROOT);
    cr_assert_eq(c.count[FRAME_KERNEL], WORLD_RESERVED - WORLD_HOLE - WORLD_ROOT);
    u64 free = 0;
    for (u32 order = 0; order < MAX_ORDER; order++) {
        cr_assert_eq(c.count[FRAME_FREE + order] % (1u << order), 0);
        free += c.count[FRAME_FREE + order];
    }
    cr_assert_eq(free, WORLD_FRAMES - WORLD_RESERVED);
    cr_assert_eq(c.count[FRAME_FREE + 9], 1024, "Normal and the first of High");
}

Test(census, each_state) {
    u32 a = take(A, 3, GFP_USER), b = take(B, 0, GFP_USER), single = take(A, 0, GFP_HIGHUSER);
    attach(A);
    world.magazines[A].mapped.frames[world.magazines[A].mapped.count++] = single;
    world.kind[a] = KIND_TABLE;
    world.kind[a + 1] = KIND_ENDPOINT;
    world.kind[WORLD_HOLE] = KIND_SPACE;
    world.mapped[a + 2] = world.mapped[b] = 1;
    cr_assert(world_give_back(A, a + 3, 1), "and not yet told");
    struct frame_census c = world_census();
    cr_assert_eq(c.wrong, 0);
    cr_assert_eq(c.count[FRAME_TABLE], 1);
    cr_assert_eq(c.count[FRAME_OBJECT], 2);
    cr_assert_eq(c.count[FRAME_HELD + A], 6);
    cr_assert_eq(c.count[FRAME_HELD + B], 1);
    cr_assert_eq(c.count[FRAME_MAGAZINE], 1);
    cr_assert_eq(c.count[FRAME_UNKNOWN], 0);
}

static void finds(u64 wrong, u32 first, const char *what) {
    world.damaged = true;
    struct frame_census c = world_census();
    cr_assert(c.wrong == wrong && c.first_wrong == first, "%s: %llu wrong, the first %llu", what,
              (unsigned long long)c.wrong, (unsigned long long)c.first_wrong);
    cr_assert_eq(world.logged, 1, "the first is logged");
    world.damaged = false;
    frame_server.contradicted = false;
    world.logged = 0;
}

Test(census, the_kernel_says_otherwise) {
    u32 used = take(A, 2, GFP_USER);
    world.owner[700] = B;
    finds(1, 700, "a free frame is another's");
    world.owner[700] = SRV_NONE;
    finds(1, 700, "a free frame is nobody's");
    world.owner[700] = SRV_FRAME;
    world.mapped[700] = 1;
    finds(1, 700, "a free frame is mapped");
    world.mapped[700] = 0;
    world.kind[700] = KIND_TABLE;
    finds(1, 700, "a free frame is a page table");
    world.kind[700] = KIND_DATA;
    world.owner[used + 1] = B;
    finds(1, used + 1, "a frame in use is not its holder's");
    world.owner[used + 1] = A;
    frame_server.ranges = 1;
    finds(WORLD_FRAMES - 1003, 1003, "what is not RAM is free");
}

Test(census, one_frame_in_two_magazines) {
    u32 used = take(A, 0, GFP_USER);
    attach(A);
    world.magazines[A].mapped.frames[world.magazines[A].mapped.count++] = used;
    cr_assert_eq(world_census().wrong, 0);
    world.magazines[A].unmapped.frames[world.magazines[A].unmapped.count++] = used;
    finds(1, used, "twice");
}

Test(census, mem_map_is_damaged) {
    u32 used = take(A, 4, GFP_KERNEL), left = used - 16; /* a free block of order 4 */
    cr_assert(map[left].state == PG_FREE && map[left].order == 4);
    map[left].next = used;
    finds(1, left, "a link");
    map[left].next = NO_PAGE;
    map[left].prev = 5;
    finds(1, left, "a link back");
    map[left].prev = NO_PAGE;
    frame_server.holders.zones.zone[ZONE_NORMAL].buddy.area[4].pairs[0] ^= 1ull
                                                                           << (left - WORLD_DMA_END) / 32;
    finds(1, left, "a pair's bit");
    frame_server.holders.zones.zone[ZONE_NORMAL].buddy.area[4].pairs[0] ^= 1ull
                                                                           << (left - WORLD_DMA_END) / 32;
    map[used].order = 3;
    finds(8, used + 8, "a block is too short: the rest belongs to none");
    map[used].order = 4;
    map[used].state = PG_TAIL;
    finds(16, used, "a block has lost its head");
    map[used].state = PG_USED;
    cr_assert_eq(world_census().wrong, 0);
}

Test(census, only_slices) {
    u64 w[MSG_REG_WORDS] = {5};
    cr_assert_eq(world_call(A, frame_label_census, w, 0), -E_INVAL);
    w[0] = 2048;
    cr_assert_eq(world_call(A, frame_label_census, w, 0), -E_INVAL);
    w[0] = ~0ull << 9;
    cr_assert_eq(world_call(A, frame_label_census, w, 0), -E_INVAL);
}

Test(census, what_each_client_holds) {
    u64 w[MSG_REG_WORDS] = {A};
    u32 block = take(A, 3, GFP_USER);
    cr_assert(world_give_back(A, block, 8));
    u64 free[MSG_REG_WORDS] = {block, 3};
    cr_assert_eq(world_call(A, frame_label_free, free, 0), 0);
    cr_assert_eq(world_call(A, frame_label_free, free, 0), -E_RANGE,
                 "the answer's word is over the request's");
    (void)take(A, 0, GFP_USER);
    cr_assert_eq(world_call(B, frame_label_holder, w, 0), 0);
    cr_assert(w[0] == 1 && w[1] == 0 && w[2] == 2 && w[3] == 1 && w[4] == 0 && w[5] == 1);
    w[0] = SRV_COUNT;
    cr_assert_eq(world_call(B, frame_label_holder, w, 0), -E_INVAL);
}

/* SPDX-License-Identifier: MIT */
/* The buddy system of one zone. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "buddy.h"
#include "model/seed.h"

enum { TOP = MAX_ORDER - 1, BLOCK = 1 << TOP };

struct bench {
    struct buddy b;
    struct page *map;
    u64 *bits;
};

static struct bench fresh(u32 base, u32 frames) {
    struct bench t;
    t.map = calloc(base + frames, sizeof *t.map);
    t.bits = calloc(1, buddy_bitmap_bytes(frames));
    buddy_init(&t.b, t.map, base, frames, t.bits);
    return t;
}

static void done(struct bench *t) {
    free(t->map);
    free(t->bits);
}

Test(buddy, bitmap_has_a_bit_per_pair) {
    cr_assert_eq(buddy_bitmap_bytes(0), 0);
    cr_assert_eq(buddy_bitmap_bytes(1), 9 * 8); /* one word for each of the orders 0..8 */
    cr_assert_eq(buddy_bitmap_bytes(4096), (32 + 16 + 8 + 4 + 2 + 1 + 1 + 1 + 1) * 8);
}

/* The worked example of the lectures: from one fresh block of 512, an order 0. */
Test(buddy, worked_example) {
    struct bench t = fresh(0, BLOCK);
    buddy_release(&t.b, 0, BLOCK);
    cr_assert_eq(t.b.area[TOP].head, 0);
    cr_assert_eq(buddy_alloc(&t.b, 0), 511);
    static const u32 at[TOP] = {510, 508, 504, 496, 480, 448, 384, 256, 0};
    for (u32 order = 0; order < TOP; order++) {
        cr_assert_eq(t.b.area[order].head, at[order]);
        cr_assert_eq(t.b.area[order].count, 1);
    }
    cr_assert_eq(t.b.area[TOP].count, 0);
    cr_assert_eq(buddy_largest(&t.b), 8);
    cr_assert(buddy_check(&t.b));
    buddy_free(&t.b, 511, 0);
    cr_assert_eq(t.b.area[TOP].head, 0);
    cr_assert_eq(t.b.free, BLOCK);
    cr_assert(buddy_check(&t.b));
    done(&t);
}

Test(buddy, freed_blocks_go_to_the_head) {
    struct bench t = fresh(0, 2 * BLOCK);
    buddy_release(&t.b, 0, 2 * BLOCK);
    cr_assert_eq(t.b.area[TOP].head, BLOCK, "the block released last is the head");
    u32 a = buddy_alloc(&t.b, 3), b = buddy_alloc(&t.b, 3), c = buddy_alloc(&t.b, 3),
        d = buddy_alloc(&t.b, 3);
    buddy_free(&t.b, a, 3); /* a's buddy is b, in use */
    buddy_free(&t.b, c, 3);
    cr_assert_eq(buddy_alloc(&t.b, 3), c);
    cr_assert_eq(buddy_alloc(&t.b, 3), a);
    cr_assert_eq(a ^ b, 8);
    cr_assert_eq(c ^ d, 8);
    done(&t);
}

Test(buddy, none_left) {
    struct bench t = fresh(BLOCK, 8);
    cr_assert_eq(buddy_alloc(&t.b, 0), NO_PAGE);
    cr_assert_eq(buddy_largest(&t.b), -1);
    buddy_release(&t.b, BLOCK, 8);
    cr_assert_eq(buddy_alloc(&t.b, 4), NO_PAGE);
    cr_assert_eq(buddy_alloc(&t.b, 3), BLOCK);
    cr_assert_eq(buddy_alloc(&t.b, 0), NO_PAGE);
    cr_assert(buddy_check(&t.b));
    done(&t);
}

/* A reserved frame never merges, and a zone may end inside a block. */
Test(buddy, holes_and_ragged_ends) {
    struct bench t = fresh(0, BLOCK + 77);
    buddy_release(&t.b, 1, 200);
    buddy_release(&t.b, 202, BLOCK + 77 - 202);
    t.map[0].state = t.map[201].state = PG_RESERVED;
    cr_assert(buddy_check(&t.b));
    cr_assert_eq(t.b.free, BLOCK + 77 - 2);
    u32 n = 0;
    for (u32 f; (f = buddy_alloc(&t.b, 0)) != NO_PAGE; n++)
        cr_assert(f != 0 && f != 201);
    cr_assert_eq(n, BLOCK + 75);
    for (u32 f = 1; f < BLOCK + 77; f++)
        if (f != 201)
            buddy_free(&t.b, f, 0);
    cr_assert(buddy_check(&t.b));
    cr_assert_eq(t.b.free, BLOCK + 75);
    cr_assert_eq(buddy_largest(&t.b), 8, "frames 256 to 511 are one block again");
    done(&t);
}

/* Random sequences against a model: an array that says which block each frame belongs to. */
static void random_run(u32 base, u32 frames, u32 steps, u32 check_every, u64 seed) {
    struct bench t = fresh(base, frames);
    buddy_release(&t.b, base, frames);
    u32 *owner = calloc(base + frames, sizeof *owner); /* 0: free; else 1 + first frame of the block */
    struct {
        u32 first, order;
    } *held = calloc(frames, sizeof *held);
    u32 n = 0;
    u64 used = 0;
    for (u32 step = 0; step < steps; step++) {
        bool full = step / 2000 % 2; /* fill and empty in turn */
        if (!n || seed_next(&seed, 10) < (full ? 7 : 4)) {
            u32 order = (u32)seed_next(&seed, seed_next(&seed, 3) ? 4 : MAX_ORDER),
                first = buddy_alloc(&t.b, order);
            if (first == NO_PAGE)
                continue;
            cr_assert_eq((first - base) % (1u << order), 0);
            for (u32 f = first; f < first + (1u << order); f++) {
                cr_assert(f >= base && f < base + frames && !owner[f]);
                owner[f] = first + 1;
            }
            held[n].first = first;
            held[n++].order = order;
            used += 1u << order;
        } else {
            u32 i = (u32)seed_next(&seed, n), first = held[i].first;
            buddy_free(&t.b, first, held[i].order);
            for (u32 f = first; f < first + (1u << held[i].order); f++)
                owner[f] = 0;
            used -= 1u << held[i].order;
            held[i] = held[--n];
        }
        cr_assert_eq(t.b.free, frames - used);
        if (step % check_every == 0)
            cr_assert(buddy_check(&t.b), "step %u", step);
    }
    while (n--)
        buddy_free(&t.b, held[n].first, held[n].order);
    cr_assert(buddy_check(&t.b));
    cr_assert_eq(t.b.area[TOP].count, frames / BLOCK, "all merges back");
    free(owner);
    free(held);
    done(&t);
}

Test(buddy, random_against_model) {
    u64 seed = seed_begin(0x51de);
    random_run(0, 2 * BLOCK, 12000, 1, seed);
    random_run(BLOCK, BLOCK + 100, 8000, 1, seed + 2);
    random_run(0, 8 * BLOCK, 1000000, 5000, seed + 4);
}

/* Batches from any state take frames that were free, each once, and as many as there are; parts of runs go
 * back. */
static void batches(struct bench *t, u32 frames, u64 *seed) {
    u8 *used = calloc(1, frames);
    for (u32 round = 0; round < 20; round++) {
        struct runs runs = {0};
        u32 want = 1 + (u32)seed_next(seed, FRAME_BATCH_MAX), n = 0;
        u64 free_before = t->b.free;
        u32 got = buddy_alloc_batch(&t->b, want, 7, &runs);
        cr_assert(got == MIN(want, free_before) || runs.count == FRAME_RUNS_MAX);
        cr_assert(buddy_check(&t->b) && t->b.free == free_before - got);
        for (u32 i = 0; i < runs.count; i++) {
            u32 first = (u32)RUN_FIRST(runs.word[i]), count = (u32)RUN_COUNT(runs.word[i]);
            for (u32 f = first; f < first + count; f++, n++)
                cr_assert(!used[f]++ && t->map[f].tag == page_single(7));
            u32 from = (u32)seed_next(seed, count), back = (u32)seed_next(seed, count - from + 1);
            buddy_free_run(&t->b, first + from, back);
            memset(used + first + from, 0, back);
        }
        cr_assert(n == got && buddy_check(&t->b));
    }
    free(used);
}

Test(buddy, batches_from_any_state) {
    u64 seed = seed_begin(0xba7c4);
    enum { FRAMES = BLOCK + 200 };
    for (u32 run = 0; run < 300; run++) {
        struct bench t = fresh(0, FRAMES);
        for (u32 f = 0, n; f < FRAMES; f += n) {
            n = 1 + (u32)seed_next(&seed, run % 3 ? 400 : 5);
            n = MIN(n, FRAMES - f);
            buddy_release(&t.b, f, n);
            for (f += n, n = (u32)seed_next(&seed, 3); n && f < FRAMES; n--, f++)
                t.map[f].state = PG_RESERVED;
        }
        batches(&t, FRAMES, &seed);
        done(&t);
    }
}

/* A descriptor that says of a block that it goes beyond the zone's end. */
Test(buddy, the_check_sees_a_block_beyond_the_end) {
    struct bench t = fresh(0, BLOCK + 8);
    buddy_release(&t.b, BLOCK, 8);
    t.map[0].state = PG_RESERVED;
    for (u32 f = 1; f < BLOCK; f++)
        t.map[f].state = PG_RESERVED;
    cr_assert_eq(buddy_alloc(&t.b, 3), BLOCK);
    cr_assert(buddy_check(&t.b));
    t.map[BLOCK].order = 4;
    cr_assert(!buddy_check(&t.b));
    done(&t);
}

/* Half of memory is free, and there are no two frames that adjoin: why paging alone does not do. */
Test(buddy, fragmentation) {
    struct bench t = fresh(0, 4 * BLOCK);
    buddy_release(&t.b, 0, 4 * BLOCK);
    while (buddy_alloc(&t.b, 0) != NO_PAGE) {
    }
    for (u32 f = 0; f < 4 * BLOCK; f += 2)
        buddy_free(&t.b, f, 0);
    cr_assert(t.b.free == 2 * BLOCK && buddy_largest(&t.b) == 0);
    cr_assert_eq(buddy_alloc(&t.b, 1), NO_PAGE);
    for (u32 f = 1; f < 8; f += 2)
        buddy_free(&t.b, f, 0);
    cr_assert_eq(buddy_largest(&t.b), 3, "one block in eight frames that came back");
    cr_assert(buddy_check(&t.b));
    done(&t);
}

/* Where there is a block of just the right size, a batch is one run. */
Test(buddy, batch_of_the_right_size) {
    struct bench t = fresh(0, BLOCK);
    struct runs runs = {0};
    buddy_release(&t.b, 0, BLOCK);
    cr_assert_eq(buddy_alloc(&t.b, 0), 511);
    cr_assert_eq(buddy_alloc_batch(&t.b, 64, 1, &runs), 64);
    cr_assert(runs.count == 1 && runs.word[0] == FRAME_RUN(384, 64));
    cr_assert_eq(buddy_alloc_batch(&t.b, 64, 1, &runs), 64);
    cr_assert_eq(runs.word[1], FRAME_RUN(510, 1), "else small ones first");
    cr_assert(buddy_check(&t.b));
    done(&t);
}

/* Every sequence of allocations (any order) and frees (any block held) of a given length in a zone of 16
 * frames. */
struct small {
    struct buddy b;
    struct page map[16];
    u64 bits[9];
    u32 held[16], order[16], n;
};

static void move_to(struct small *to, const struct small *from) {
    *to = *from;
    to->b.map = to->map;
    for (u32 order = 0; order < TOP; order++)
        to->b.area[order].pairs = &to->bits[order];
}

static u64 every_sequence(const struct small *from, u32 length) {
    cr_assert(buddy_check(&from->b));
    u64 seen = 1;
    struct small s;
    for (u32 order = 0; length && order <= 4; order++) {
        move_to(&s, from);
        u32 first = buddy_alloc(&s.b, order);
        if (first == NO_PAGE)
            continue;
        for (u32 i = 0; i < s.n; i++)
            cr_assert(first + (1u << order) <= s.held[i] || s.held[i] + (1u << s.order[i]) <= first);
        s.held[s.n] = first;
        s.order[s.n++] = order;
        seen += every_sequence(&s, length - 1);
    }
    for (u32 i = 0; length && i < from->n; i++) {
        move_to(&s, from);
        buddy_free(&s.b, s.held[i], s.order[i]);
        s.n--;
        s.held[i] = s.held[s.n];
        s.order[i] = s.order[s.n];
        seen += every_sequence(&s, length - 1);
    }
    return seen;
}

Test(buddy, every_sequence_of_six_in_sixteen_frames) {
    struct small first = {0}, s;
    cr_assert_eq(buddy_bitmap_bytes(16), sizeof first.bits);
    buddy_init(&first.b, first.map, 0, 16, first.bits);
    buddy_release(&first.b, 0, 16);
    move_to(&s, &first);
    cr_assert_gt(every_sequence(&s, 6), 10000);
}

/* SPDX-License-Identifier: MIT */
/* Calls on memory. */
#include "fuzz.h"

static void list_of_frames(struct shot *s, u64 n) {
    for (u64 i = 0; i < n && i < AREA_WORDS; i++)
        s->area[i] = chance(40)   ? wild()
                     : chance(30) ? frame_of((s->actor + 1) % ACTORS)
                                  : frame_of(s->actor);
}

static u64 rights(void) {
    static const u8 usual[] = {MAP_READ, MAP_READ | MAP_WRITE, MAP_READ | MAP_EXEC, MAP_READ | MAP_MAYWRITE,
                               0};
    return chance(8) ? pick(32) : usual[pick(ARRAY_LEN(usual))];
}

void make_feed(struct shot *s) {
    u64 n = chance(16) ? pick(40) : 1 + pick(2);
    s->io.w[0] = a_window(s->actor);
    s->io.w[1] = n;
    list_of_frames(s, n);
}

void make_unfeed(struct shot *s) {
    s->io.w[0] = a_window(s->actor);
    s->io.w[1] = pick(chance(8) ? 40 : 4);
}

/* One frame, as often as its owner may map it: then once more is too often. */
static void fill_count(struct shot *s) {
    vaddr at = 0x10600000;
    pfn f = frame_of(0);
    u32 space = W_SPACE + SPACE_OF_ROOT;
    (void)sys_unmap(space, at, 512, 0);
    (void)sys_unmap(space, at, 512, 0);
    for (u32 round = 0; round < 4; round++) {
        for (u32 i = 0; i < MAP_ITEMS_MAX; i++) {
            s->area[2 * i] = (at + (round * MAP_ITEMS_MAX + i) * PAGE_BYTES) | MAP_READ;
            s->area[2 * i + 1] = f;
        }
        (void)sys_map(space, MAP_ITEMS_MAX);
    }
    s->io.w[0] = space;
    s->io.w[1] = 1;
    s->area[0] = (at + 4 * MAP_ITEMS_MAX * PAGE_BYTES) | MAP_READ;
    s->area[1] = f;
}

void make_map(struct shot *s) {
    if (s->actor == 0 && chance(60)) {
        fill_count(s);
        return;
    }
    u64 n = chance(3) ? pick(chance(8) ? 70 : 17) : 1;
    s->io.w[0] = a_window(s->actor);
    s->io.w[1] = n;
    vaddr at = some_address();
    bool row = chance(2);
    for (u64 i = 0; i < n && i < AREA_WORDS / 2; i++) {
        u64 r = rights();
        s->area[2 * i] = ((row ? at + i * PAGE_BYTES : some_address()) & ~PAGE_MASK) | r;
        s->area[2 * i + 1] = r & MAP_PAGER ? rnd() & ~1ull : chance(30) ? wild() : frame_of(s->actor);
    }
}

static void range(struct shot *s, u32 at) {
    s->io.w[at] = some_range(&s->io.w[at + 1]);
}

static u64 flags(void) {
    return pick(chance(12) ? 4 : 2);
}

void make_unmap(struct shot *s) {
    s->io.w[0] = a_window(s->actor);
    range(s, 1);
    s->io.w[3] = flags();
}

void make_protect(struct shot *s) {
    s->io.w[0] = a_window(s->actor);
    range(s, 1);
    s->io.w[3] = rights();
}

void make_scan(struct shot *s) {
    s->io.w[0] = a_space();
    range(s, 1);
    s->io.w[3] = flags();
}

void make_clone(struct shot *s) {
    s->io.w[0] = chance(12) ? made(s->actor, KIND_SPACE) : a_space();
    s->io.w[1] = chance(3) ? W_SPACE + SPACE_OF_NOBODY : a_space();
    range(s, 2);
}

void make_clone_private(struct shot *s) {
    make_clone(s);
}

static u64 side(struct shot *s, u64 *at) {
    *at = some_address();
    switch (pick(8)) {
    case 0:
        return right_of(table_of(s->actor), MSG_ALIEN);
    case 1:
        return some_right(table_of(s->actor));
    case 2:
    case 3:
    case 4:
        *at = frame_of(s->actor) * PAGE_BYTES + pick(PAGE_BYTES);
        return COPY_FRAMES;
    default:
        return chance(30) ? W_ENDPOINT : a_space();
    }
}

void make_copy(struct shot *s) {
    u64 *w = s->io.w;
    w[0] = side(s, &w[1]);
    w[2] = side(s, &w[3]);
    w[4] = chance(16) ? wild() : chance(24) ? COPY_BYTES_MAX : pick(chance(4) ? 3 * PAGE_BYTES : 300);
}

void make_give(struct shot *s) {
    u64 *w = s->io.w;
    w[0] = chance(3) ? an_account() : s->actor == 0 ? W_ACCOUNT_A + pick(2) : (u64)W_ACCOUNT_ROOT;
    w[1] = frame_of(s->actor);
    w[2] = chance(8) ? pick(600) : 1 + pick(2);
    if (chance(3)) {
        u64 n = pick(chance(8) ? 70 : 4);
        for (u64 i = 0; i < n && i < AREA_WORDS; i++)
            s->area[i] = chance(20) ? wild() : FRAME_RUN(frame_of(s->actor), 1 + pick(3));
        w[1] = GIVE_LIST;
        w[2] = n;
    }
}

void make_pin(struct shot *s) {
    u64 n = chance(16) ? pick(70) : 1 + pick(3);
    s->io.w[0] = n;
    list_of_frames(s, n);
    static pfn often;
    if (chance(8)) {
        if (chance(3))
            often = frame_of(s->actor);
        for (u64 i = 0; i < LIST_MAX; i++)
            s->area[i] = often;
        s->io.w[0] = LIST_MAX;
    }
}

void make_unpin(struct shot *s) {
    u64 n = chance(16) ? pick(70) : pick(3);
    s->io.w[0] = n;
    list_of_frames(s, n);
}

void make_frames(struct shot *s) {
    s->io.w[0] = chance(3) ? (u64)W_ACCOUNT_ROOT : an_account();
    s->io.w[1] = chance(8) ? wild() : frame_of(s->actor);
    s->io.w[2] = flags();
}

void make_frames_list(struct shot *s) {
    u64 n = pick(chance(8) ? 70 : 4);
    s->io.w[0] = n;
    s->io.w[1] = flags();
    list_of_frames(s, n);
}

void make_collect(struct shot *s) {
    s->io.w[0] = an_account();
    s->io.w[1] = pick(300);
}

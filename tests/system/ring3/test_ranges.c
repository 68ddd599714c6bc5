/* SPDX-License-Identifier: MIT */
/* Calls on ranges and lists: they stop where they must, and go on from there to the same end. Frames that are
 * in use stay what they are. Nothing here waits: the same tests run on the host
 * (tests/unit/ukernel_rules). */
#include "ring3.h"

#define AT   0x10000000ull
#define MANY 700 /* entries: more than one call visits, and than records fit */

static u32 plain_space(u32 tables) {
    u32 slot = slot_get();
    if (sys_retype(frame_get(), 1, KIND_SPACE, slot))
        return 0;
    for (u32 i = 0; i < tables; i++) {
        AREA[0] = frame_get();
        if (sys_feed(slot, 1) != 1)
            return 0;
    }
    return slot;
}

static err ended(u32 slot) {
    err e;
    do
        e = sys_destroy(slot);
    while (e == -E_AGAIN);
    return e;
}

static bool sound(void) {
    return sys_audit() != -E_PROTO;
}

/* `count` entries from AT: frames in turns with the pager's own, if there are any of those. */
static int fill(u32 space, u64 count, const pfn *frames, u64 n_frames, u64 every_pager) {
    for (u64 i = 0; i < count; i++) {
        bool pagers = every_pager && i % every_pager == 0;
        AREA[0] = (AT + i * PAGE_BYTES) | (pagers ? (u64)MAP_PAGER : MAP_READ | MAP_MAYWRITE);
        AREA[1] = pagers ? (i + 1) << 4 : frames[i % n_frames];
        CHECK(sys_map(space, 1).r == 1);
    }
    return 0;
}

static u32 records(struct pair r) {
    return (u32)r.second;
}

/* Entries of a range that are not 0, and those that are writable. */
static int count(u32 space, u64 pages, u64 *all, u64 *writable) {
    vaddr at = AT;
    *all = *writable = 0;
    for (u32 calls = 0; at < AT + pages * PAGE_BYTES; calls++) {
        struct pair r = sys_scan(space, at, (AT + pages * PAGE_BYTES - at) / PAGE_BYTES, 0);
        CHECK(r.r > (i64)at && calls < 100);
        const struct range_record *list = (const struct range_record *)AREA;
        for (u32 i = 0; i < records(r); i++) {
            CHECK((list[i].address & PAGE_MASK) == RECORD_ENTRY);
            *all += 1;
            *writable += (list[i].value & (PTE_PRESENT | PTE_WRITE)) == (PTE_PRESENT | PTE_WRITE);
        }
        at = (vaddr)r.r;
    }
    return 0;
}

static int ranges_go_on(void) {
    u32 space = plain_space(8);
    pfn frames[8];
    for (u32 i = 0; i < 8; i++)
        frames[i] = frame_get();
    CHECK(space && fill(space, MANY, frames, 8, 3) == 0);
    u64 all, writable, removed = 0;
    CHECK(count(space, MANY, &all, &writable) == 0 && all == MANY && writable == 0);
    vaddr at = AT, end = AT + MANY * PAGE_BYTES;
    u32 bounds = 0;
    while (at < end) {
        struct pair r = sys_protect(space, at, (end - at) / PAGE_BYTES, MAP_READ | MAP_WRITE);
        CHECK(r.r > (i64)at);
        bounds += (vaddr)r.r < end && r.second >> 32 == STOP_BOUND;
        at = (vaddr)r.r;
    }
    CHECK(bounds >= 1);
    CHECK(count(space, MANY, &all, &writable) == 0 && writable == MANY - (MANY + 2) / 3);
    for (at = AT; at < end;) {
        struct pair r = sys_unmap(space, at, (end - at) / PAGE_BYTES, 0);
        CHECK(r.r >= (i64)at);
        removed += records(r);
        at = (vaddr)r.r;
    }
    CHECK(removed == (MANY + 2) / 3 + 8); /* each pager's entry, and each frame once */
    CHECK(count(space, MANY, &all, &writable) == 0 && all == 0);
    CHECK(ended(space) == 0 && sound());
    return 0;
}

/* Records of pager's entries fill the area before the visits are used up. */
static int full_area_stops(void) {
    u32 space = plain_space(8), other = plain_space(8);
    CHECK(fill(space, 2 * AREA_WORDS / 2, NULL, 1, 1) == 0);
    struct pair r = sys_scan(space, AT, 448, 0);
    CHECK(records(r) == AREA_WORDS / 2 && r.second >> 32 == STOP_FULL && r.r == AT + 224 * PAGE_BYTES);
    r = sys_clone(space, other, AT, 448);
    CHECK(records(r) == AREA_WORDS / 2 && r.second >> 32 == STOP_FULL && r.r == AT + 224 * PAGE_BYTES);
    r = sys_clone(space, other, (vaddr)r.r, 224);
    CHECK(records(r) == 224 && r.r == AT + 448 * PAGE_BYTES);
    r = sys_unmap(space, AT, 448, UNMAP_KEEP);
    CHECK(records(r) == 0 && r.r == AT + 448 * PAGE_BYTES);
    r = sys_unmap(space, AT, 448, 0);
    CHECK(records(r) == 224 && r.second >> 32 == STOP_FULL);
    CHECK(ended(space) == 0 && ended(other) == 0 && sound());
    return 0;
}

/* A clone that is short of tables says where, and with more of them goes on to the same end. */
static int clone_goes_on(void) {
    u32 space = plain_space(12), other = plain_space(0);
    pfn frame = frame_get();
    for (u64 block = 0; block < 4; block++) {
        AREA[0] = (AT + block * BLOCK_BYTES) | MAP_READ | MAP_WRITE;
        AREA[1] = frame;
        CHECK(sys_map(space, 1).r == 1);
    }
    vaddr at = AT, end = AT + 4 * BLOCK_BYTES;
    u32 fed = 0;
    while (at < end) {
        struct pair r = sys_clone_private(space, other, at, (end - at) / PAGE_BYTES);
        CHECK(r.r >= (i64)at);
        at = (vaddr)r.r;
        if (r.second >> 32 != STOP_TABLES)
            continue;
        AREA[0] = frame_get();
        CHECK(sys_feed(other, 1) == 1);
        CHECK(++fed <= 7);
    }
    CHECK(fed == 3 + 4); /* three levels above, one table a block */
    u64 all, writable;
    CHECK(count(other, 4 * 512, &all, &writable) == 0 && all == 4 && writable == 0);
    CHECK(count(space, 4 * 512, &all, &writable) == 0 && all == 4 && writable == 0);
    CHECK(ended(space) == 0 && ended(other) == 0 && sound());
    return 0;
}

/* A list of map with too few tables: what is entered stays, and the rest can follow. */
static int map_goes_on(void) {
    u32 space = plain_space(0);
    pfn frame = frame_get();
    struct map_item items[4];
    for (u64 i = 0; i < 4; i++)
        items[i] = (struct map_item){(AT + i * BLOCK_BYTES) | MAP_READ, frame};
    u64 done = 0;
    for (u32 fed = 0; done < 4; fed++) {
        CHECK(fed <= 7);
        for (u64 i = done; i < 4; i++)
            ((struct map_item *)AREA)[i - done] = items[i];
        struct pair r = sys_map(space, 4 - done);
        CHECK(r.r == -E_NEED_TABLES || r.second == E_NEED_TABLES || done + (u64)r.r == 4);
        done += r.r > 0 ? (u64)r.r : 0;
        AREA[0] = frame_get();
        CHECK(sys_feed(space, 1) == 1);
    }
    CHECK(ended(space) == 0 && sound());
    return 0;
}

/* Frames in use. */

static int frames_in_use_stay(void) {
    pfn mapped = frame_get(), pinned = frame_get(), foreign = frame_get(), queued = frame_get();
    u32 space = plain_space(6), child = slot_get(), slot = slot_get();
    CHECK(sys_account_open(BOOT_ACCOUNT, child) == 0 && sys_give(child, foreign, 1) == 1);
    CHECK(map_page(space, AT, mapped, MAP_READ) == 0);
    AREA[0] = pinned;
    CHECK(sys_pin(1) == 1);
    /* queued: its last mapping goes with the space */
    u32 doomed = plain_space(6);
    CHECK(map_page(doomed, AT, queued, MAP_READ) == 0 && ended(doomed) == 0);
    const struct {
        pfn frame;
        err e;
    } wrong[] = {
        {mapped, -E_MAPPED}, {pinned, -E_MAPPED}, {foreign, -E_OWNER}, {queued, -E_MAPPED}, {0, -E_OWNER}};
    for (u32 i = 0; i < ARRAY_LEN(wrong); i++) {
        for (u32 kind = KIND_SPACE; kind <= KIND_CAPTABLE; kind++)
            CHECK(sys_retype(wrong[i].frame, 1, (enum frame_kind)kind, slot) == wrong[i].e);
        CHECK(sys_give(child, wrong[i].frame, 1) == wrong[i].e);
        AREA[0] = wrong[i].frame;
        CHECK(sys_give(child, GIVE_LIST, 1) == wrong[i].e);
        AREA[0] = wrong[i].frame;
        CHECK(sys_feed(space, 1) == wrong[i].e);
    }
    CHECK(map_page(space, AT + PAGE_BYTES, foreign, MAP_READ) == -E_OWNER);
    CHECK(sys_copy(COPY_FRAMES, foreign * PAGE_BYTES, COPY_FRAMES, mapped * PAGE_BYTES, 8).r == -E_OWNER);
    AREA[0] = pinned;
    CHECK(sys_unpin(1) == 1 && sys_give(child, pinned, 1) == 1);
    while (sys_account_close(child, 0) > 0)
        ;
    CHECK(ended(space) == 0 && sound());
    return 0;
}

/* A frame on the collect list that is mapped again is shown so, and is taken off all the same. */
static int collected_and_mapped_again(void) {
    pfn frame = frame_get();
    u32 first = plain_space(6), second = plain_space(6);
    while (sys_collect(BOOT_ACCOUNT, AREA_WORDS / 2) > 0)
        ;
    CHECK(map_page(first, AT, frame, MAP_READ) == 0 && ended(first) == 0);
    CHECK(map_page(second, AT, frame, MAP_READ) == 0);
    u64 found = 0;
    for (i64 n; (n = sys_collect(BOOT_ACCOUNT, 3)) > 0;)
        for (i64 i = 0; i < n; i++) {
            const struct frame_record *r = (const struct frame_record *)AREA + i;
            if (FRAME_OF(r->id) != frame)
                continue;
            found++;
            CHECK(SHARES_OF(r->counts) == 1 && !(FLAGS_OF(r->id) & FRAME_QUEUED));
        }
    CHECK(found == 1);
    struct pair r = sys_unmap(second, AT, 1, 0); /* now the owner hears of it at once */
    CHECK(records(r) == 1 && sys_collect(BOOT_ACCOUNT, 1) == 0);
    CHECK(ended(second) == 0 && sound());
    return 0;
}

static int frames_are_listed_in_steps(void) {
    u64 next = 0, total = 0, again = 0;
    do {
        struct pair r = sys_frames(BOOT_ACCOUNT, next, 0);
        CHECK(r.r == 0 || r.r > (i64)next);
        for (u32 i = 0; i < records(r); i++)
            total += ALIKE_OF(((const struct frame_record *)AREA)[i].counts);
        next = (u64)r.r;
    } while (next);
    for (next = 0;; next++) { /* from every frame on: the same */
        struct pair r = sys_frames(BOOT_ACCOUNT, next, 0);
        const struct frame_record *f = (const struct frame_record *)AREA;
        again += records(r) && FRAME_OF(f->id) == next;
        if (records(r) == 0 && r.r == 0)
            break;
        if (records(r) == 0)
            next = (u64)r.r - 1;
        else if (FRAME_OF(f->id) > next)
            next = FRAME_OF(f->id) - 1;
    }
    CHECK(again == total);
    return 0;
}

void test_ranges(void) {
    RUN(ranges_go_on);
    RUN(full_area_stops);
    RUN(clone_goes_on);
    RUN(map_goes_on);
    RUN(frames_in_use_stay);
    RUN(collected_and_mapped_again);
    RUN(frames_are_listed_in_steps);
}

/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include <abi/errors.h>
#include <abi/info.h>
#include <ipc/assert.h>

#include "port.h"

struct world world;
static struct holders *const holders = &frame_server.holders;

/* The kernel's part. */

static bool all_are(const struct runs *runs, u32 owner) {
    u64 frames = 0;
    ASSERT(runs->count && runs->count <= FRAME_RUNS_MAX);
    for (u32 i = 0; i < runs->count; i++)
        for (u64 f = RUN_FIRST(runs->word[i]), end = f + RUN_COUNT(runs->word[i]); f < end; f++, frames++)
            if (f >= WORLD_FRAMES || world.owner[f] != owner || world.mapped[f])
                return false;
    ASSERT(frames <= RUN_MAX);
    return true;
}

static void change_hands(const struct runs *runs, u32 to) {
    for (u32 i = 0; i < runs->count; i++)
        memset(world.owner + RUN_FIRST(runs->word[i]), (int)to, RUN_COUNT(runs->word[i]));
}

err kernel_give(u32 to, const struct runs *runs) {
    ASSERT(to && to < SRV_COUNT);
    if (world.gone >> to & 1)
        return -E_BADCAP;
    if (!all_are(runs, SRV_FRAME))
        return -E_OWNER;
    change_hands(runs, to);
    return 0;
}

bool world_give_back(u32 client, u64 first, u64 count) {
    struct runs run = {1, {FRAME_RUN(first, count)}};
    if (!count || count > RUN_MAX || !all_are(&run, client))
        return false;
    change_hands(&run, SRV_FRAME);
    return true;
}

pfn kernel_frames(u32 whose, pfn from, struct frame_record *records, u32 *count) {
    pfn end = MIN(from + 512, (pfn)WORLD_FRAMES), f = from;
    for (*count = 0; f < end && *count < CENSUS_RECORDS; f++) {
        if (world.owner[f] != whose)
            continue;
        struct frame_record r = {f | (u64)world.kind[f] << 40, world.mapped[f]}, *last = records + *count - 1;
        if (*count && FRAME_OF(last->id) + ALIKE_OF(last->counts) == f &&
            KIND_OF(last->id) == world.kind[f] && USES_OF(last->counts) == world.mapped[f])
            last->counts += 1ull << 48;
        else
            records[(*count)++] = r;
    }
    return f < WORLD_FRAMES ? f : 0;
}

err kernel_notify(u32 client, u64 bits) {
    ASSERT(client && client < SRV_COUNT);
    if (world.gone >> client & 1)
        return -E_BADCAP;
    world.notified[client] |= bits;
    return 0;
}

const struct frame_magazines *client_magazines(u32 client) {
    return &world.magazines[client];
}

void port_log(u32 client, const char *what, err why) {
    ASSERT(client < SRV_COUNT && what && why < 0);
    world.logged++;
}

/* Messages. */

void world_begin(void) {
    static u64 memory[(WORLD_FRAMES * sizeof(struct page) + 4096) / 8];
    ASSERT(zones_bytes(WORLD_FRAMES, WORLD_DMA_END, WORLD_NORMAL_END) <= sizeof memory);
    memset(memory, 0, sizeof memory);
    memset(&world, 0, sizeof world);
    memset(&frame_server, 0, sizeof frame_server);
    ASSERT(zones_init(&holders->zones, WORLD_FRAMES, WORLD_DMA_END, WORLD_NORMAL_END, memory) == 0);
    zones_reserve(&holders->zones, 1, WORLD_RESERVED - 1);
    zones_release(&holders->zones, WORLD_RESERVED, WORLD_FRAMES - WORLD_RESERVED);
    zones_set_watermarks(&holders->zones);
    static const struct info_range ram[] = {{WORLD_HOLE, 1000}, {WORLD_HOLE + 1000, WORLD_FRAMES}};
    frame_server.ram = ram;
    frame_server.ranges = ARRAY_LEN(ram);
    memset(world.kind, KIND_DATA, sizeof world.kind);
    memset(world.owner + WORLD_HOLE, SRV_ROOT, WORLD_ROOT);
    memset(world.owner + WORLD_RESERVED, SRV_FRAME, WORLD_FRAMES - WORLD_RESERVED);
}

static bool block_is_sound(const struct page *page, u32 first) {
    for (u32 f = first; f < first + (1u << page->order); f++) {
        bool mine = world.owner[f] == SRV_FRAME && !world.mapped[f];
        if (!mine && (page->state == PG_FREE || world.owner[f] != page->holder))
            return false;
    }
    return true;
}

bool world_is_sound(void) {
    for (u32 f = 0; f < WORLD_FRAMES; f++) {
        const struct page *page = &holders->zones.map[f];
        if ((page->state == PG_FREE || page->state == PG_USED) && !block_is_sound(page, f))
            return false;
    }
    return holders_audit(holders);
}

struct frame_census world_census(void) {
    struct frame_census sum = {0}, slice;
    u64 w[MSG_REG_WORDS] = {0}, total = 0;
    do {
        ASSERT(world_call(SRV_LINUX, frame_label_census, w, 0) == 0);
        memcpy(&slice, world.tail, sizeof slice);
        for (u32 i = 0; i < FRAME_STATES; i++)
            sum.count[i] += slice.count[i];
        sum.first_wrong = sum.wrong ? sum.first_wrong : slice.first_wrong;
        sum.wrong += slice.wrong;
    } while (w[0]);
    for (u32 i = 0; i < FRAME_STATES; i++)
        total += sum.count[i];
    ASSERT(total == WORLD_FRAMES);
    return sum;
}

/* All that a wrong message may not change. */
struct picture {
    struct page map[WORLD_FRAMES];
    struct zone zone[ZONES];
    u64 frames[HOLDERS];
    u8 owner[WORLD_FRAMES];
};

static void take_picture(struct picture *p) {
    memcpy(p->map, holders->zones.map, sizeof p->map);
    memcpy(p->zone, holders->zones.zone, sizeof p->zone);
    memcpy(p->owner, world.owner, sizeof p->owner);
    for (u32 i = 0; i < ZONES; i++)
        p->zone[i].in_magazines = 0; /* these are looked into at any time */
    for (u32 i = 0; i < HOLDERS; i++)
        p->frames[i] = holders->holder[i].frames;
}

err world_call(u32 client, u64 label, u64 w[MSG_REG_WORDS], u32 tail_words) {
    static struct picture before, after;
    u64 mistakes = client < HOLDERS ? holders->holder[client].mistakes : 0;
    struct ipc_ctx c = {.badge = client, .words = MSG_REG_WORDS + tail_words, .tail = world.tail};
    take_picture(&before);
    err e = frame_call(&c, label, w);
    world.tail_words = c.tail_words;
    if (e < 0 && e != -E_BADCAP) { /* then blocks have come and gone, and lie in another order */
        take_picture(&after);
        ASSERT(memcmp(&before, &after, sizeof before) == 0);
    }
    if (client && client < SRV_COUNT) {
        bool mistake = e < 0 && e != -E_NOMEM && e != -E_BADCAP;
        ASSERT(holders->holder[client].mistakes == mistakes + mistake);
        ASSERT(!mistake || frame_server.named >> client & 1);
    }
    ASSERT(c.tail_words <= MSG_TAIL_WORDS && (world.damaged || world_is_sound()));
    return e;
}

/* Any bytes. */

struct input {
    const u8 *at, *end;
};

static u64 take(struct input *in, u32 bytes) {
    u64 value = 0;
    for (; bytes && in->at < in->end; bytes--)
        value = value << 8 | *in->at++;
    return value;
}

/* The n-th block that a client holds (they are counted round), or NO_PAGE. */
static u32 block_of(u32 client, u64 n) {
    u32 count = 0, found = NO_PAGE;
    for (u32 f = 0; f < WORLD_FRAMES; f++)
        count += holders->zones.map[f].state == PG_USED && holders->zones.map[f].holder == client;
    for (u32 f = 0, left = count ? (u32)(n % count) + 1 : 0; left; f++)
        if (holders->zones.map[f].state == PG_USED && holders->zones.map[f].holder == client && !--left)
            found = f;
    return found;
}

static void play_free(struct input *in, u32 client) {
    u32 first = block_of(client, take(in, 2)), order = first == NO_PAGE ? 0 : holders->zones.map[first].order;
    u64 twist = take(in, 1), w[MSG_REG_WORDS] = {first, order};
    if (first != NO_PAGE && twist % 8) /* else it is not given back first */
        (void)world_give_back(client, first, 1ull << order);
    if (twist / 8 == 1)
        w[1] = take(in, 1);
    if (twist / 8 == 2)
        w[0] += take(in, 1);
    if (twist / 8 == 3)
        client = (u32)take(in, 1) % SRV_COUNT;
    (void)world_call(client, frame_label_free, w, 0);
}

static void play_free_batch(struct input *in, u32 client) {
    u32 n = (u32)take(in, 1) % (FRAME_RUNS_MAX + 3), words = 0;
    u64 twist = take(in, 1), w[MSG_REG_WORDS];
    for (u32 i = 0; i < n && words < FRAME_RUNS_MAX; i++) {
        u32 first = block_of(client, take(in, 2));
        u64 count = 1 + take(in, 1) % 4;
        if (first == NO_PAGE)
            break;
        if (twist % 8)
            for (u64 f = first; f < first + count && f < WORLD_FRAMES; f++)
                (void)world_give_back(client, f, 1);
        world.tail[words++] = FRAME_RUN(first, twist / 8 == 1 ? take(in, 3) + 1 : count);
    }
    if (twist / 8 == 2)
        world.tail[n % FRAME_RUNS_MAX] = take(in, 8);
    w[0] = twist / 8 == 3 ? take(in, 1) : words;
    (void)world_call(client, frame_label_free_batch, w, words);
}

static void play_raw(struct input *in, u32 client) {
    u64 label = take(in, 1) % 16 + 0x100, w[MSG_REG_WORDS];
    for (u32 i = 0; i < MSG_REG_WORDS; i++)
        w[i] = take(in, (u32)take(in, 1) % 9);
    for (u32 i = 0; i < 4; i++)
        world.tail[i] = take(in, 6);
    (void)world_call(client, label, w, (u32)take(in, 1) % (MSG_TAIL_WORDS + 1));
}

static void play_magazines(struct input *in, u32 client) {
    struct frame_magazines *page = &world.magazines[client];
    struct frame_magazine *m = take(in, 1) % 2 ? &page->mapped : &page->unmapped;
    u64 what = take(in, 1);
    world.lied = true;
    if (what % 4 == 0)
        m->count = (u32)take(in, 4);
    else
        m->frames[take(in, 1) % MAGAZINE_MAX] =
            what % 4 == 1 ? (u32)take(in, 4) : block_of(client, take(in, 2));
    if (what % 4 == 2 && m->count < MAGAZINE_MAX)
        m->count++;
}

static void play_mapping(struct input *in, u32 client) {
    u32 frame = block_of(client, take(in, 2));
    if (frame == NO_PAGE || world.owner[frame] != client)
        return;
    world.mapped[frame] ^= 1;
}

static void play_one(struct input *in) {
    u64 what = take(in, 1), w[MSG_REG_WORDS] = {0};
    u32 client = SRV_SLAB + what / 16 % 6;
    switch (what % 16) {
    case 0 ... 2:
        w[0] = take(in, 1) % 16 ? take(in, 1) % MAX_ORDER : take(in, 1);
        w[1] = take(in, 1);
        (void)world_call(client, frame_label_alloc, w, 0);
        return;
    case 3 ... 4:
        w[0] = take(in, 1);
        w[1] = take(in, 1) % (GFP_ALL + 2);
        (void)world_call(client, frame_label_alloc_batch, w, 0);
        return;
    case 5 ... 7:
        play_free(in, client);
        return;
    case 8 ... 9:
        play_free_batch(in, client);
        return;
    case 10:
        play_raw(in, (u32)take(in, 1) % (SRV_COUNT + 2));
        return;
    case 11:
        play_magazines(in, client);
        return;
    case 12:
        play_mapping(in, client);
        return;
    case 13:
        (void)world_give_back(client, take(in, 2), take(in, 1));
        return;
    default:
        w[0] = take(in, 1) % 4;
        (void)world_call(client, frame_label_attach + take(in, 1) % 8, w, 0);
    }
}

void world_play(const u8 *bytes, size_t n) {
    struct input in = {bytes, bytes + n};
    world_begin();
    while (in.at < in.end)
        play_one(&in);
    struct frame_census c = world_census();
    ASSERT(c.wrong == 0 || world.lied); /* about what is in a magazine */
}

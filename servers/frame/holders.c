/* SPDX-License-Identifier: MIT */
#include "holders.h"

#include <abi/errors.h>
#include <ipc/assert.h>
#include <ipc/frame.h>

static err wrong(struct holders *h, u32 client, err why) {
    holders_mistake(h, client);
    return why;
}

void holders_mistake(struct holders *h, u32 client) {
    if (client < HOLDERS)
        h->holder[client].mistakes++;
}

static err check_request(u32 client, u64 gfp_mask, u64 order) {
    bool known = client < HOLDERS && order < MAX_ORDER && !(gfp_mask & ~(u64)GFP_ALL);
    return known ? 0 : -E_INVAL;
}

/* Magazines can matter only if the zone that is tried first has too little without them. */
static void look_if_short(struct holders *h, u64 gfp_mask, u64 order, u64 count) {
    if (!zones_have_plenty(&h->zones, (u32)gfp_mask, (u32)order, count))
        holders_look(h, false);
}

/* One block, after the checks. */
static u32 take(struct holders *h, u32 client, u64 gfp_mask, u64 order) {
    look_if_short(h, gfp_mask, order, 1);
    struct zone_choice choice = zones_alloc(&h->zones, (u32)gfp_mask, (u32)order);
    h->wake |= choice.wake;
    if (choice.first == NO_PAGE)
        return NO_PAGE;
    h->zones.map[choice.first].holder = (u8)client;
    h->holder[client].frames += 1ull << order;
    h->holder[client].allocs++;
    return choice.first;
}

static err starve(struct holders *h, u32 client, u64 gfp_mask, u64 order) {
    h->holder[client].failures++;
    if (order == 0) {
        h->holder[client].starved |= 1u << zone_of_mask((u32)gfp_mask);
        h->starving = true;
    }
    h->drain = true;
    return -E_NOMEM;
}

err holders_alloc(struct holders *h, u32 client, u64 gfp_mask, u64 order) {
    err e = check_request(client, gfp_mask, order);
    if (e)
        return wrong(h, client, e);
    u32 first = take(h, client, gfp_mask, order);
    return first == NO_PAGE ? starve(h, client, gfp_mask, order) : first;
}

err holders_alloc_batch(struct holders *h, u32 client, u64 gfp_mask, u64 want, struct runs *runs) {
    runs->count = 0;
    err e = check_request(client, gfp_mask, 0);
    if (e || !want || want > FRAME_BATCH_MAX)
        return wrong(h, client, -E_INVAL);
    bool wake;
    look_if_short(h, gfp_mask, 0, want);
    u32 got = zones_alloc_batch(&h->zones, (u32)gfp_mask, (u32)want, (u8)client, runs, &wake);
    h->holder[client].frames += got;
    h->holder[client].allocs += got;
    h->wake |= wake;
    return got ? (err)got : starve(h, client, gfp_mask, 0);
}

err holders_check(const struct holders *h, u32 client, u64 first, u64 order) {
    if (client >= HOLDERS || order >= MAX_ORDER)
        return -E_INVAL;
    if (first >= h->zones.frames || h->zones.map[first].state == PG_RESERVED)
        return -E_RANGE;
    const struct page *page = &h->zones.map[first];
    if (page->state != PG_USED || page->marked)
        return -E_STALE;
    if (page->holder != client)
        return -E_OWNER;
    return page->order == order ? 0 : -E_KIND;
}

err holders_free(struct holders *h, u32 client, u64 first, u64 order) {
    err e = holders_check(h, client, first, order);
    if (e)
        return wrong(h, client, e);
    h->holder[client].frames -= 1ull << order;
    h->holder[client].frees++;
    buddy_free(&zone_of(&h->zones, (u32)first)->buddy, (u32)first, (u32)order);
    return 0;
}

/* Marks the frames of a run up to the first that is wrong; how many. */
static u64 mark_run(struct holders *h, u32 client, u64 first, u64 count) {
    if (first >= h->zones.frames)
        return 0;
    struct page *begin = &h->zones.map[first], *end = begin + MIN(count, h->zones.frames - first),
                *page = begin;
    for (u32 tag = page_single((u8)client); page < end && page->tag == tag; page++)
        page->marked = 1;
    return (u64)(page - begin);
}

static void unmark_run(struct holders *h, u64 first, u64 count) {
    for (u64 i = 0; i < count; i++)
        h->zones.map[first + i].marked = 0;
}

void holders_unmark(struct holders *h, const struct runs *runs) {
    for (u32 i = 0; i < runs->count; i++)
        unmark_run(h, RUN_FIRST(runs->word[i]), RUN_COUNT(runs->word[i]));
}

static u64 frames_of(const struct runs *runs) {
    u64 sum = 0;
    for (u32 i = 0; i < runs->count; i++)
        sum += RUN_COUNT(runs->word[i]);
    return sum;
}

err holders_mark(struct holders *h, u32 client, const struct runs *runs) {
    u64 frames = frames_of(runs);
    if (client >= HOLDERS || !frames || frames > FRAME_BATCH_MAX)
        return wrong(h, client, -E_INVAL);
    for (u32 i = 0; i < runs->count; i++) {
        u64 first = RUN_FIRST(runs->word[i]), done = mark_run(h, client, first, RUN_COUNT(runs->word[i]));
        if (done == RUN_COUNT(runs->word[i]))
            continue;
        err e = holders_check(h, client, first + done, 0);
        unmark_run(h, first, done);
        struct runs before = *runs;
        before.count = i;
        holders_unmark(h, &before);
        return wrong(h, client, e);
    }
    return 0;
}

void holders_free_marked(struct holders *h, u32 client, const struct runs *runs) {
    u64 frames = frames_of(runs);
    h->holder[client].frames -= frames;
    h->holder[client].frees += frames;
    for (u32 i = 0; i < runs->count; i++)
        zones_free_run(&h->zones, (u32)RUN_FIRST(runs->word[i]), (u32)RUN_COUNT(runs->word[i]));
}

err holders_attach(struct holders *h, u32 client, const struct frame_magazines *magazines) {
    if (client >= HOLDERS)
        return -E_INVAL;
    h->holder[client].magazines = magazines;
    return 0;
}

/* The client may write meanwhile, so each word is read once. */
static u32 fill_of(const struct frame_magazine *m) {
    return MIN(*(const volatile u32 *)&m->count, (u32)MAGAZINE_MAX);
}

bool holders_magazine_frame(const struct holders *h, u32 client, const struct frame_magazine *m, u32 i,
                            u32 *frame) {
    if (i >= fill_of(m))
        return false;
    u32 found = *(const volatile u32 *)&m->frames[i];
    bool theirs = found < h->zones.frames && h->zones.map[found].tag == page_single((u8)client);
    *frame = theirs ? found : NO_PAGE;
    return true;
}

static void count_magazine(const struct holders *h, u32 client, const struct frame_magazine *m,
                           u64 in_zone[ZONES]) {
    u32 frame;
    for (u32 i = 0; holders_magazine_frame(h, client, m, i, &frame); i++)
        if (frame != NO_PAGE)
            in_zone[zone_id_of(&h->zones, frame)]++;
}

static void look_at(struct holders *h, u32 client) {
    struct holder *holder = &h->holder[client];
    u64 now[ZONES] = {0};
    count_magazine(h, client, &holder->magazines->unmapped, now);
    count_magazine(h, client, &holder->magazines->mapped, now);
    bool lies = now[ZONE_DMA] + now[ZONE_NORMAL] + now[ZONE_HIGH] > holder->frames;
    for (u32 i = 0; i < ZONES; i++) {
        u64 count = lies ? 0 : now[i];
        h->zones.zone[i].in_magazines += count - holder->magazine[i];
        holder->magazine[i] = count;
    }
}

void holders_look(struct holders *h, bool all) {
    for (u32 i = 0; i < HOLDERS; i++) {
        struct holder *holder = &h->holder[i];
        if (!holder->magazines)
            continue;
        u32 fill = fill_of(&holder->magazines->unmapped) + fill_of(&holder->magazines->mapped);
        if (all || fill != holder->looked)
            look_at(h, i);
        holder->looked = fill;
    }
}

u64 holders_take_relieved(struct holders *h) {
    u32 relieved = 0, starved = 0;
    u64 clients = 0;
    if (!h->starving)
        return 0;
    holders_look(h, false);
    for (u32 zone = 0; zone < ZONES; zone++)
        relieved |= (u32)zones_relieved(&h->zones, (enum zone_id)zone) << zone;
    for (u32 i = 0; i < HOLDERS; i++) {
        if (h->holder[i].starved & relieved) {
            clients |= 1ull << i;
            h->holder[i].starved = 0;
        }
        starved |= h->holder[i].starved;
    }
    h->starving = starved;
    return clients;
}

u64 holders_magazine_limit(const struct holders *h) {
    u64 largest = 0;
    for (u32 i = 0; i < ZONES; i++)
        largest = MAX(largest, (u64)h->zones.zone[i].buddy.frames);
    u64 limit = MAX(largest / 256, (u64)FRAME_RESERVE_MAX);
    return MIN(limit, (u64)MAGAZINE_MAX);
}

bool holders_audit(const struct holders *h) {
    u64 frames[HOLDERS] = {0}, magazines[ZONES] = {0};
    for (u32 f = 0; f < h->zones.frames; f++) {
        const struct page *page = &h->zones.map[f];
        if (page->marked)
            return false;
        if (page->state == PG_USED)
            frames[page->holder] += 1ull << page->order;
    }
    for (u32 i = 0; i < HOLDERS; i++) {
        if (frames[i] != h->holder[i].frames)
            return false;
        for (u32 zone = 0; zone < ZONES; zone++)
            magazines[zone] += h->holder[i].magazine[zone];
    }
    for (u32 zone = 0; zone < ZONES; zone++)
        if (magazines[zone] != h->zones.zone[zone].in_magazines || !buddy_check(&h->zones.zone[zone].buddy))
            return false;
    return true;
}

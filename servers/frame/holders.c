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

/* One block, after the checks. */
static u32 take(struct holders *h, u32 client, u64 gfp_mask, u64 order) {
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
    if (order == 0)
        h->holder[client].starved |= 1u << zone_of_mask((u32)gfp_mask);
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

err holders_alloc_batch(struct holders *h, u32 client, u64 gfp_mask, u64 want, u64 *list) {
    err e = check_request(client, gfp_mask, 0);
    if (e || !want || want > FRAME_BATCH_MAX)
        return wrong(h, client, -E_INVAL);
    bool wake;
    u32 got = zones_alloc_batch(&h->zones, (u32)gfp_mask, (u32)want, list, &wake);
    for (u32 i = 0; i < got; i++)
        h->zones.map[list[i]].holder = (u8)client;
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

static void put(struct holders *h, u32 client, u64 first, u64 order) {
    h->holder[client].frames -= 1ull << order;
    h->holder[client].frees++;
    buddy_free(&zone_of(&h->zones, (u32)first)->buddy, (u32)first, (u32)order);
}

err holders_free(struct holders *h, u32 client, u64 first, u64 order) {
    err e = holders_check(h, client, first, order);
    if (e)
        return wrong(h, client, e);
    put(h, client, first, order);
    return 0;
}

err holders_free_batch(struct holders *h, u32 client, const u64 *list, u64 count) {
    err e = count && count <= FRAME_BATCH_MAX ? 0 : -E_INVAL;
    u64 seen = 0;
    while (!e && seen < count) {
        e = holders_check(h, client, list[seen], 0);
        if (!e)
            h->zones.map[list[seen++]].marked = 1;
    }
    for (u64 i = 0; i < seen; i++)
        h->zones.map[list[i]].marked = 0;
    if (e)
        return wrong(h, client, e);
    for (u64 i = 0; i < count; i++)
        put(h, client, list[i], 0);
    return 0;
}

err holders_report(struct holders *h, u32 client, const u64 magazine[ZONES]) {
    if (client >= HOLDERS)
        return -E_INVAL;
    struct holder *holder = &h->holder[client];
    u64 left = holder->frames;
    for (u32 i = 0; i < ZONES; i++) {
        if (magazine[i] > left)
            return wrong(h, client, -E_INVAL);
        left -= magazine[i];
    }
    for (u32 i = 0; i < ZONES; i++) {
        h->zones.zone[i].in_magazines += magazine[i] - holder->magazine[i];
        holder->magazine[i] = magazine[i];
    }
    return 0;
}

u64 holders_take_relieved(struct holders *h) {
    u32 relieved = 0;
    u64 clients = 0;
    for (u32 zone = 0; zone < ZONES; zone++)
        relieved |= (u32)zones_relieved(&h->zones, (enum zone_id)zone) << zone;
    for (u32 i = 0; i < HOLDERS; i++)
        if (h->holder[i].starved & relieved) {
            clients |= 1ull << i;
            h->holder[i].starved = 0;
        }
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

/* SPDX-License-Identifier: MIT */
/* frame: the page-frame server. The shell: one loop, one thread; clients are known by their badge (enum
 * server_id). */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <proto/bits.h>
#include <proto/frame.def>
#include <string.h>

#include "boot.h"
#include "holders.h"

_Static_assert(SRV_COUNT <= HOLDERS, "each server is a holder");

static struct holders holders;
static u64 attached;        /* clients that have magazines: a bit for each */
static bool named[HOLDERS]; /* its mistakes have been logged once */

static err check(u32 client, const char *what, err e) {
    if (e < 0 && e != -E_NOMEM && client < HOLDERS && !named[client]) {
        named[client] = true;
        log_line("client %u: %s: %s (named once)", client, what, err_name(e));
    }
    return e;
}

static void notify_each(u64 clients, u64 bits) {
    for (u32 i = 1; i < SRV_COUNT; i++)
        if (clients >> i & 1 && sys_notify(SERVICE(i), bits))
            check(i, "cannot be notified", -E_BADCAP);
}

/* After each change: tell who should free memory, and who waits for it. */
static void tell(void) {
    if (holders.wake)
        notify_each(1u << SRV_CACHE & attached, BIT(BIT_MEMORY_LOW));
    if (holders.drain)
        notify_each(attached, BIT(BIT_DRAIN));
    holders.wake = holders.drain = false;
    notify_each(holders_take_relieved(&holders), BIT(BIT_MEMORY_BACK));
}

/* Takes what the client's magazines hold from the request, and `brought` more frames that the answer brings.
 */
static err report(u32 client, u64 held, const u64 *brought, u64 count) {
    u64 magazine[ZONES];
    for (u32 zone = 0; zone < ZONES; zone++)
        magazine[zone] = FRAME_HELD_IN(held, zone);
    for (u64 i = 0; i < count; i++)
        magazine[zone_id_of(&holders.zones, (u32)brought[i])]++;
    return holders_report(&holders, client, magazine);
}

/* The frames of a block or list change to the client's account. They are DATA, mapped nowhere: it can't fail,
 * unless the account is gone. */
static err hand_over(u32 client, pfn first, u64 count) {
    err given = client < SRV_COUNT ? sys_give(CLIENT_ACCT(client), first, count) : -E_BADCAP;
    return given == (err)count ? 0 : given < 0 ? given : -E_BADCAP;
}

/* Whether the frames listed in the area have been given to this server's account and are clean. */
static err are_mine(u32 count) {
    err e = sys_frames_list(count, 0);
    if (e < 0)
        return -E_OWNER;
    const struct frame_record *records = (const struct frame_record *)ipc_area();
    for (u32 i = 0; i < count; i++)
        if (KIND_OF(records[i].id) != KIND_DATA || records[i].counts)
            return -E_OWNER;
    return 0;
}

static err block_is_mine(pfn first, u64 count) {
    err e = 0;
    for (u64 done = 0, now; !e && done < count; done += now) {
        now = MIN(count - done, (u64)LIST_MAX);
        for (u64 i = 0; i < now; i++)
            ipc_area()[i] = first + done + i;
        e = are_mine((u32)now);
    }
    return e;
}

err frame_on_alloc(struct ipc_ctx *c, const struct frame_alloc_req *req, struct frame_alloc_rep *rep) {
    err e = report(c->badge, req->held, NULL, 0);
    err first = e ? e : holders_alloc(&holders, c->badge, req->gfp, req->order);
    if (first < 0)
        return first;
    e = hand_over(c->badge, (pfn)first, 1ull << req->order);
    if (e) {
        ASSERT(holders_free(&holders, c->badge, (pfn)first, req->order) == 0);
        return e;
    }
    rep->first = (pfn)first;
    return 0;
}

err frame_on_alloc_batch(struct ipc_ctx *c, const struct frame_alloc_batch_req *req,
                         struct frame_alloc_batch_rep *rep) {
    u64 list[FRAME_BATCH_MAX];
    err e = report(c->badge, req->held, NULL, 0);
    err count = e ? e : holders_alloc_batch(&holders, c->badge, req->gfp, req->count, list);
    if (count < 0)
        return count;
    memcpy(ipc_area(), list, (u64)count * sizeof list[0]);
    e = hand_over(c->badge, GIVE_LIST, (u64)count);
    if (e) {
        ASSERT(holders_free_batch(&holders, c->badge, list, (u64)count) == 0);
        return e;
    }
    e = report(c->badge, req->held, list, (u64)count);
    ASSERT(e == 0);
    memcpy(c->tail, list, (u64)count * sizeof list[0]);
    c->tail_words = (u32)count;
    rep->count = (u64)count;
    return 0;
}

err frame_on_free(struct ipc_ctx *c, const struct frame_free_req *req, struct frame_free_rep *rep) {
    (void)rep;
    err e = report(c->badge, req->held, NULL, 0);
    if (e)
        return e;
    if (!holders_check(&holders, c->badge, req->first, req->order) &&
        block_is_mine(req->first, 1ull << req->order)) {
        holders_mistake(&holders, c->badge);
        return -E_OWNER;
    }
    return holders_free(&holders, c->badge, req->first, req->order);
}

err frame_on_free_batch(struct ipc_ctx *c, const struct frame_free_batch_req *req,
                        struct frame_free_batch_rep *rep) {
    (void)rep;
    u64 list[FRAME_BATCH_MAX];
    if (!req->count || req->count > FRAME_BATCH_MAX || c->words < MSG_REG_WORDS + req->count)
        return -E_INVAL;
    memcpy(list, c->tail, req->count * sizeof list[0]);
    err e = report(c->badge, req->held, NULL, 0);
    for (u64 i = 0; !e && i < req->count; i++)
        e = holders_check(&holders, c->badge, list[i], 0);
    if (!e) {
        memcpy(ipc_area(), list, req->count * sizeof list[0]);
        e = are_mine((u32)req->count);
    }
    if (e) {
        holders_mistake(&holders, c->badge);
        return e;
    }
    return holders_free_batch(&holders, c->badge, list, req->count);
}

err frame_on_attach(struct ipc_ctx *c, const struct frame_attach_req *req, struct frame_attach_rep *rep) {
    (void)req;
    const struct zone *zone = holders.zones.zone;
    attached |= 1ull << c->badge;
    rep->magazine_frames = holders_magazine_limit(&holders);
    rep->frames = holders.zones.frames;
    rep->dma_end = zone[ZONE_DMA].buddy.frames;
    rep->normal_end = rep->dma_end + zone[ZONE_NORMAL].buddy.frames;
    return 0;
}

err frame_on_memory(struct ipc_ctx *c, const struct frame_memory_req *req, struct frame_memory_rep *rep) {
    (void)c, (void)req;
    for (u32 i = 0; i < ZONES; i++) {
        const struct zone *zone = &holders.zones.zone[i];
        rep->total += zone->buddy.managed;
        rep->free += zone_free(zone);
        rep->magazines += zone->in_magazines;
        rep->low += zone->pages_low;
        rep->min += zone->pages_min;
    }
    return 0;
}

err frame_on_drain(struct ipc_ctx *c, const struct frame_drain_req *req, struct frame_drain_rep *rep) {
    (void)c, (void)req, (void)rep;
    notify_each(attached, BIT(BIT_DRAIN));
    return 0;
}

err frame_on_zone(struct ipc_ctx *c, const struct frame_zone_req *req, struct frame_zone_rep *rep) {
    static const char names[ZONES][16] = {"DMA", "Normal", "HighMem"};
    (void)rep;
    if (req->zone >= ZONES)
        return -E_INVAL;
    const struct zone *zone = &holders.zones.zone[req->zone];
    struct frame_zone out = {.first = zone->buddy.base,
                             .frames = zone->buddy.frames,
                             .managed = zone->buddy.managed,
                             .free = zone->buddy.free,
                             .magazines = zone->in_magazines,
                             .min = zone->pages_min,
                             .low = zone->pages_low,
                             .high = zone->pages_high};
    for (u32 order = 0; order < MAX_ORDER; order++)
        out.free_blocks[order] = zone->buddy.area[order].count;
    memcpy(out.name, names[req->zone], sizeof out.name);
    memcpy(c->tail, &out, sizeof out);
    c->tail_words = sizeof out / 8;
    return 0;
}

PROTO_DISPATCH(frame, FRAME_OPS)

static err on_call(struct ipc_ctx *c, u64 label, u64 *w) {
    if (c->badge == SRV_NONE || c->badge >= SRV_COUNT)
        return -E_PERM;
    err e = check(c->badge, "mistake", frame_dispatch(c, label, w));
    tell();
    return e;
}

int main(void) {
    static const struct server server = {.name = "frame", .endpoint = SLOT_ENDPOINT, .on_call = on_call};
    log_name(server.name);
    boot_zones(&holders.zones);
    log_line("%lu frames free: DMA %lu, Normal %lu, High %lu", zones_free(&holders.zones),
             holders.zones.zone[ZONE_DMA].buddy.free, holders.zones.zone[ZONE_NORMAL].buddy.free,
             holders.zones.zone[ZONE_HIGH].buddy.free);
    server_run(&server);
}

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
    for (; clients; clients &= clients - 1) {
        u32 i = (u32)__builtin_ctzll(clients);
        if (sys_notify(SERVICE(i), bits))
            check(i, "cannot be notified", -E_BADCAP);
    }
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

/* Frames change to the client's account: a run, or GIVE_LIST. They are DATA, mapped nowhere: it can't fail,
 * unless the account is gone. */
static err hand_over(u32 client, pfn first, u64 words, u64 frames) {
    err given = client < SRV_COUNT ? sys_give(CLIENT_ACCT(client), first, words) : -E_BADCAP;
    return given == (err)frames ? 0 : given < 0 ? given : -E_BADCAP;
}

static err hand_over_runs(u32 client, const struct runs *runs, u64 frames) {
    memcpy(ipc_area(), runs->word, runs->count * sizeof runs->word[0]);
    return hand_over(client, GIVE_LIST, runs->count, frames);
}

/* Whether frames have been given to this server's account and are in no use: only then can they be given, be
 * it to the same account again. */
static bool are_mine(pfn first, u64 words, u64 frames) {
    return sys_give(SLOT_ACCOUNT, first, words) == (err)frames;
}

static bool runs_are_mine(const struct runs *runs) {
    u64 frames = 0;
    for (u32 i = 0; i < runs->count; i++)
        frames += RUN_COUNT(ipc_area()[i] = runs->word[i]);
    return are_mine(GIVE_LIST, runs->count, frames);
}

err frame_on_alloc(struct ipc_ctx *c, const struct frame_alloc_req *req, struct frame_alloc_rep *rep) {
    err first = holders_alloc(&holders, c->badge, req->gfp, req->order);
    if (first < 0)
        return first;
    err e = hand_over(c->badge, (pfn)first, 1ull << req->order, 1ull << req->order);
    if (e) {
        ASSERT(holders_free(&holders, c->badge, (pfn)first, req->order) == 0);
        return e;
    }
    rep->first = (pfn)first;
    return 0;
}

err frame_on_alloc_batch(struct ipc_ctx *c, const struct frame_alloc_batch_req *req,
                         struct frame_alloc_batch_rep *rep) {
    struct runs runs;
    err count = holders_alloc_batch(&holders, c->badge, req->gfp, req->count, &runs);
    if (count < 0)
        return count;
    err e = hand_over_runs(c->badge, &runs, (u64)count);
    if (e) {
        ASSERT(holders_mark(&holders, c->badge, &runs) == 0);
        holders_free_marked(&holders, c->badge, &runs);
        return e;
    }
    memcpy(c->tail, runs.word, runs.count * sizeof runs.word[0]);
    c->tail_words = runs.count;
    rep->count = (u64)count;
    rep->runs = runs.count;
    return 0;
}

err frame_on_free(struct ipc_ctx *c, const struct frame_free_req *req, struct frame_free_rep *rep) {
    (void)rep;
    if (!holders_check(&holders, c->badge, req->first, req->order) &&
        !are_mine(req->first, 1ull << req->order, 1ull << req->order)) {
        holders_mistake(&holders, c->badge);
        return -E_OWNER;
    }
    return holders_free(&holders, c->badge, req->first, req->order);
}

err frame_on_free_batch(struct ipc_ctx *c, const struct frame_free_batch_req *req,
                        struct frame_free_batch_rep *rep) {
    (void)rep;
    struct runs runs;
    if (!req->runs || req->runs > FRAME_RUNS_MAX || c->words < MSG_REG_WORDS + req->runs)
        return -E_INVAL;
    runs.count = (u32)req->runs;
    memcpy(runs.word, c->tail, runs.count * sizeof runs.word[0]);
    err e = holders_mark(&holders, c->badge, &runs);
    if (e)
        return e;
    if (!runs_are_mine(&runs)) {
        holders_unmark(&holders, &runs);
        holders_mistake(&holders, c->badge);
        return -E_OWNER;
    }
    holders_free_marked(&holders, c->badge, &runs);
    return 0;
}

err frame_on_attach(struct ipc_ctx *c, const struct frame_attach_req *req, struct frame_attach_rep *rep) {
    (void)req;
    const struct zone *zone = holders.zones.zone;
    attached |= 1ull << c->badge;
    err e = holders_attach(&holders, c->badge, (const struct frame_magazines *)CLIENT_MAGAZINES(c->badge));
    if (e)
        return e;
    rep->magazine_frames = holders_magazine_limit(&holders);
    rep->frames = holders.zones.frames;
    rep->dma_end = zone[ZONE_DMA].buddy.frames;
    rep->normal_end = rep->dma_end + zone[ZONE_NORMAL].buddy.frames;
    return 0;
}

err frame_on_memory(struct ipc_ctx *c, const struct frame_memory_req *req, struct frame_memory_rep *rep) {
    (void)c, (void)req;
    holders_look(&holders, true);
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
    holders_look(&holders, true);
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

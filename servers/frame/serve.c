/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <abi/layout.h>
#include <ipc/assert.h>
#include <proto/bits.h>
#include <string.h>

#include "census.h"
#include "port.h"

_Static_assert(SRV_COUNT <= HOLDERS && (u32)SRV_COUNT == (u32)FRAME_CLIENTS, "each server is a holder");

struct frame_server frame_server;
static struct holders *const holders = &frame_server.holders;

/* Mistakes that holders.c does not see itself. */
static err wrong(const struct ipc_ctx *c, err why) {
    holders_mistake(holders, c->badge);
    return why;
}

static void notify_each(u64 clients, u64 bits) {
    for (; clients; clients &= clients - 1) {
        u32 i = (u32)__builtin_ctzll(clients);
        err e = kernel_notify(i, bits);
        if (e)
            port_log(i, "cannot be notified", e);
    }
}

/* After each call: tell who should free memory, and who waits for it. */
static void tell(void) {
    if (holders->wake)
        notify_each(1ull << SRV_CACHE & frame_server.attached, BIT(BIT_MEMORY_LOW));
    if (holders->drain)
        notify_each(frame_server.attached, BIT(BIT_DRAIN));
    holders->wake = holders->drain = false;
    notify_each(holders_take_relieved(holders), BIT(BIT_MEMORY_BACK));
}

static const struct runs *one_run(struct runs *runs, u64 first, u64 order) {
    runs->count = 1;
    runs->word[0] = FRAME_RUN(first, 1ull << order);
    return runs;
}

err frame_on_alloc(struct ipc_ctx *c, const struct frame_alloc_req *req, struct frame_alloc_rep *rep) {
    struct runs runs;
    err first = holders_alloc(holders, c->badge, req->gfp, req->order);
    if (first < 0)
        return first;
    err e = kernel_give(c->badge, one_run(&runs, (pfn)first, req->order));
    if (e) {
        ASSERT(holders_free(holders, c->badge, (pfn)first, req->order) == 0);
        return e;
    }
    rep->first = (pfn)first;
    return 0;
}

err frame_on_alloc_batch(struct ipc_ctx *c, const struct frame_alloc_batch_req *req,
                         struct frame_alloc_batch_rep *rep) {
    struct runs runs;
    err count = holders_alloc_batch(holders, c->badge, req->gfp, req->count, &runs);
    if (count < 0)
        return count;
    err e = kernel_give(c->badge, &runs);
    if (e) {
        ASSERT(holders_mark(holders, c->badge, &runs) == 0);
        holders_free_marked(holders, c->badge, &runs);
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
    struct runs runs;
    if (!holders_check(holders, c->badge, req->first, req->order) &&
        kernel_give(SRV_FRAME, one_run(&runs, req->first, req->order)))
        return wrong(c, -E_OWNER);
    return holders_free(holders, c->badge, req->first, req->order);
}

err frame_on_free_batch(struct ipc_ctx *c, const struct frame_free_batch_req *req,
                        struct frame_free_batch_rep *rep) {
    (void)rep;
    struct runs runs;
    if (!req->runs || req->runs > FRAME_RUNS_MAX || c->words < MSG_REG_WORDS + req->runs)
        return wrong(c, -E_INVAL);
    runs.count = (u32)req->runs;
    memcpy(runs.word, c->tail, runs.count * sizeof runs.word[0]);
    err e = holders_mark(holders, c->badge, &runs);
    if (e)
        return e;
    if (kernel_give(SRV_FRAME, &runs)) {
        holders_unmark(holders, &runs);
        return wrong(c, -E_OWNER);
    }
    holders_free_marked(holders, c->badge, &runs);
    return 0;
}

err frame_on_attach(struct ipc_ctx *c, const struct frame_attach_req *req, struct frame_attach_rep *rep) {
    (void)req;
    err e = holders_attach(holders, c->badge, client_magazines(c->badge));
    if (e)
        return e;
    frame_server.attached |= 1ull << c->badge;
    rep->magazine_frames = holders_magazine_limit(holders);
    rep->frames = holders->zones.frames;
    rep->normal_end = holders->zones.normal_end;
    return 0;
}

err frame_on_memory(struct ipc_ctx *c, const struct frame_memory_req *req, struct frame_memory_rep *rep) {
    (void)c, (void)req;
    holders_look(holders, true);
    for (u32 i = 0; i < ZONES; i++) {
        const struct zone *zone = &holders->zones.zone[i];
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
    notify_each(frame_server.attached, BIT(BIT_DRAIN));
    return 0;
}

static u64 ram_in(u64 first, u64 frames) {
    u64 sum = 0;
    for (u64 i = 0; i < frame_server.ranges; i++) {
        const struct info_range *r = &frame_server.ram[i];
        u64 from = MAX(first, r->first), end = MIN(first + frames, r->first + r->frames);
        sum += from < end ? end - from : 0;
    }
    return sum;
}

err frame_on_zone(struct ipc_ctx *c, const struct frame_zone_req *req, struct frame_zone_rep *rep) {
    static const char names[ZONES][16] = {"DMA", "Normal", "HighMem"};
    if (req->zone >= ZONES)
        return wrong(c, -E_INVAL);
    holders_look(holders, true);
    const struct zone *zone = &holders->zones.zone[req->zone];
    struct frame_zone out = {.first = zone->buddy.base,
                             .frames = zone->buddy.frames,
                             .managed = zone->buddy.managed,
                             .free = zone->buddy.free,
                             .magazines = zone->in_magazines,
                             .min = zone->pages_min,
                             .low = zone->pages_low,
                             .high = zone->pages_high,
                             .present = ram_in(zone->buddy.base, zone->buddy.frames),
                             .magazine_limit = holders_magazine_limit(holders)};
    for (u32 order = 0; order < MAX_ORDER; order++)
        out.free_blocks[order] = zone->buddy.area[order].count;
    memcpy(out.name, names[req->zone], sizeof out.name);
    memcpy(c->tail, &out, sizeof out);
    c->tail_words = sizeof out / 8;
    rep->zones = ZONES;
    return 0;
}

err frame_on_holder(struct ipc_ctx *c, const struct frame_holder_req *req, struct frame_holder_rep *rep) {
    if (req->client == SRV_NONE || req->client >= SRV_COUNT)
        return wrong(c, -E_INVAL);
    holders_look(holders, true);
    const struct holder *h = &holders->holder[req->client];
    u64 magazines = h->magazine[ZONE_DMA] + h->magazine[ZONE_NORMAL] + h->magazine[ZONE_HIGH];
    *rep = (struct frame_holder_rep){h->frames, magazines, h->allocs, h->frees, h->failures, h->mistakes};
    return 0;
}

static void show_account(struct census *census, u32 whose) {
    static struct frame_record records[CENSUS_RECORDS];
    pfn from = census->first, end = from + census->count;
    do {
        u32 n = 0;
        from = kernel_frames(whose, from, records, &n);
        for (u32 i = 0; i < n; i++)
            census_record(census, whose, &records[i]);
    } while (from && from < end);
}

err frame_on_census(struct ipc_ctx *c, const struct frame_census_req *req, struct frame_census_rep *rep) {
    static struct census census;
    struct frame_census out;
    if (req->from % FRAME_CENSUS_MAX || req->from >= holders->zones.frames)
        return wrong(c, -E_INVAL);
    u64 accounts = census_begin(&census, holders, (u32)req->from);
    for (u32 i = 1; i < SRV_COUNT; i++)
        if (i != SRV_FRAME && accounts >> i & 1)
            show_account(&census, i);
    show_account(&census, SRV_FRAME);
    census_end(&census, frame_server.ram, frame_server.ranges, &out);
    if (out.wrong && !frame_server.contradicted) {
        frame_server.contradicted = true;
        port_log(c->badge, "its census found a contradiction", -E_PROTO);
    }
    memcpy(c->tail, &out, sizeof out);
    c->tail_words = sizeof out / 8;
    rep->next = req->from + census.count < holders->zones.frames ? req->from + census.count : 0;
    return 0;
}

PROTO_DISPATCH(frame, FRAME_OPS)

err frame_call(struct ipc_ctx *c, u64 label, u64 *w) {
    if (c->badge == SRV_NONE || c->badge >= SRV_COUNT)
        return -E_PERM;
    err e = frame_dispatch(c, label, w);
    if (e == -E_NOSYS)
        wrong(c, e);
    if (e < 0 && e != -E_NOMEM && !(frame_server.named >> c->badge & 1)) {
        frame_server.named |= 1ull << c->badge;
        port_log(c->badge, "mistake (named once)", e);
    }
    tell();
    return e;
}

/* SPDX-License-Identifier: MIT */
/* Random requests, good and hostile, against a disk with random delays, errors, hanging commands, lost and
 * spurious irqs. After each step: every request ends exactly once, in order, in time, with the right bytes,
 * and no byte beside its segments changes. */
#include "disk_model.h"

#include <abi/errors.h>
#include <criterion/criterion.h>
#include <model/seed.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 20000, SECTORS = 24 /* most of a request here */ };

struct random_run {
    struct disk_model *m;
    u64 seed;
    bool hostile[ATA_SLOTS];
    u64 queued_at[ATA_SLOTS];
    u64 order;
    u64 done, failed;
};

static struct random_run *running; /* for the model's callback */

static u64 rnd(struct random_run *r, u64 below) {
    return seed_next(&r->seed, below);
}

static bool touches_bad(const struct disk_model *m, u64 lba, u32 sectors) {
    for (u64 s = lba; s < lba + sectors; s++)
        if (m->bad[s])
            return true;
    return false;
}

/* Compares a region with what it must hold: 0xaa, and the disk's bytes in the segments (if `data` counts). */
static void check_region(struct random_run *r, u32 slot, bool high, bool data) {
    static u8 want[REGION_BYTES];
    const struct ata_slot *s = &r->m->ring.slot[slot];
    u8 *have = model_region(r->m, slot, high);
    u64 base = model_region_paddr(slot, high);
    const u8 *disk = r->m->disk[s->lba];
    memset(want, 0xaa, sizeof want);
    for (u32 i = 0; i < s->segments; i++) {
        u64 at = s->segment[i].paddr - base;
        if (at < REGION_BYTES)
            memcpy(want + at, data ? disk : have + at, s->segment[i].bytes);
        disk += s->segment[i].bytes;
    }
    cr_assert(memcmp(have, want, sizeof want) == 0, "memory of slot %u (high: %d)", slot, high);
    memset(have, 0xaa, REGION_BYTES);
}

static void check_order(const struct random_run *r, u32 slot) {
    for (u32 i = 0; i < ATA_SLOTS; i++)
        if (ata_slot_status(&r->m->ring.slot[i]) == ATA_QUEUED)
            cr_assert(r->m->ring.slot[i].order > r->m->ring.slot[slot].order, "slot %u before slot %u", slot,
                      i);
}

/* Each request's end: called once for each by the driver. */
static void on_done(struct disk_model *m, const struct ata_request *request, err error) {
    struct random_run *r = running;
    u32 slot = request->slot;
    struct ata_slot *s = &m->ring.slot[slot];
    cr_assert_eq(ata_slot_status(s), ATA_DONE);
    cr_assert_eq(s->error, error);
    check_order(r, slot);
    r->done++;
    r->failed += error != 0;
    if (r->hostile[slot]) {
        cr_assert_eq(error, -E_INVAL);
        s->segments = 0;
        s->lba = 0;
    } else if (error) {
        cr_assert_eq(error, -E_IO);
        cr_assert(touches_bad(m, s->lba, s->sectors) || m->resets > 0);
    } else {
        cr_assert(!touches_bad(m, s->lba, s->sectors));
    }
    if (s->op == ATA_READ || r->hostile[slot]) {
        check_region(r, slot, false, !error);
        check_region(r, slot, true, !error);
    } else if (!error && s->op == ATA_WRITE) {
        const u8 *disk = m->disk[s->lba];
        for (u32 i = 0; i < s->segments; disk += s->segment[i].bytes, i++)
            cr_assert(memcmp(disk, model_memory(m, s->segment[i].paddr, s->segment[i].bytes),
                             s->segment[i].bytes) == 0);
    }
    memset(model_region(m, slot, false), 0xaa, REGION_BYTES);
    memset(model_region(m, slot, true), 0xaa, REGION_BYTES);
}

/* Cuts `bytes` into segments of even size at even places, each in low or high memory. */
static void cut(struct random_run *r, struct ata_slot *s, u32 slot, u64 bytes) {
    u64 at[2] = {rnd(r, 100) * 2, rnd(r, 100) * 2};
    while (bytes) {
        u64 n = 2 + rnd(r, bytes / 2) * 2;
        if (s->segments == ATA_SEGMENTS_MAX - 1)
            n = bytes;
        bool high = rnd(r, 4) == 0;
        s->segment[s->segments++] = (struct ata_segment){model_region_paddr(slot, high) + at[high], n};
        if (s->op == ATA_WRITE)
            memset(model_region(r->m, slot, high) + at[high], (int)rnd(r, 256), n);
        at[high] += n + rnd(r, 20) * 2;
        bytes -= n;
    }
}

static void spoil(struct random_run *r, struct ata_slot *s) {
    u32 i = (u32)rnd(r, s->segments);
    switch (rnd(r, 8)) {
    case 0:
        s->op = (u32)rnd(r, 2) * 77;
        break;
    case 1:
        s->lba = DISK_SECTORS - s->sectors + 1 + rnd(r, ~0ull - DISK_SECTORS);
        break;
    case 2:
        s->sectors += 1 + (u32)rnd(r, 0xfffffff0u);
        break;
    case 3:
        s->segments = ATA_SEGMENTS_MAX + 1 + (u32)rnd(r, 1000);
        break;
    case 4:
        s->segment[i].paddr |= 1;
        break;
    case 5:
        s->segment[i].bytes += 1 + rnd(r, ~0ull - ATA_SEGMENT_MAX);
        break;
    case 6:
        s->segment[i].paddr = ATA_PHYS_LIMIT + rnd(r, ~0ull - ATA_PHYS_LIMIT);
        break;
    default:
        s->op = ATA_FLUSH;
        break;
    }
}

static void queue_one(struct random_run *r) {
    u32 slot = (u32)rnd(r, ATA_SLOTS);
    struct ata_slot *s = &r->m->ring.slot[slot];
    if (ata_slot_status(s) == ATA_DONE)
        ata_slot_set_status(s, ATA_FREE);
    if (ata_slot_status(s) != ATA_FREE)
        return;
    u32 sectors = 1 + (u32)rnd(r, SECTORS);
    u64 op = rnd(r, 10);
    *s = (struct ata_slot){.op = op == 0 ? ATA_FLUSH : op < 3 ? ATA_WRITE : ATA_READ, .order = r->order++};
    r->hostile[slot] = false;
    if (s->op != ATA_FLUSH) {
        s->sectors = sectors;
        s->lba = rnd(r, DISK_SECTORS - sectors + 1);
        cut(r, s, slot, (u64)sectors * ATA_SECTOR_BYTES);
        r->hostile[slot] = rnd(r, 12) == 0;
        if (r->hostile[slot]) {
            if (s->op == ATA_WRITE)
                memset(model_region(r->m, slot, false), 0xaa, REGION_BYTES),
                    memset(model_region(r->m, slot, true), 0xaa, REGION_BYTES);
            spoil(r, s);
        }
    }
    r->queued_at[slot] = r->m->time;
    ata_slot_set_status(s, ATA_QUEUED);
}

static void disturb(struct random_run *r) {
    struct disk_model *m = r->m;
    m->delay_ns = rnd(r, 20) * rnd(r, NS_PER_MS);
    switch (rnd(r, 300)) {
    case 0:
        m->lost_irqs = 1;
        break;
    case 1:
        m->hangs = 1 + (u32)rnd(r, ATA_ATTEMPTS + 1);
        break;
    case 2:
        m->refuses = m->driver.state == ATA_STATE_IDLE;
        break;
    case 3:
        if (m->pending)
            m->bm_status |= 4;
        break;
    default:
        break;
    }
}

/* No request waits longer than all those before it may take. */
static void check_time(const struct random_run *r) {
    const u64 each = ATA_ATTEMPTS * (u64)(ATA_COMMAND_MS + ATA_RESET_MS) * NS_PER_MS;
    for (u32 i = 0; i < ATA_SLOTS; i++) {
        u32 status = ata_slot_status(&r->m->ring.slot[i]);
        if (status == ATA_QUEUED || status == ATA_ACTIVE)
            cr_assert_leq(r->m->time - r->queued_at[i], ATA_SLOTS * each);
    }
}

static void run(struct random_run *r) {
    for (int i = 0; i < STEPS; i++) {
        disturb(r);
        u64 done = r->done;
        u32 told;
        if (rnd(r, 3) == 0) {
            queue_one(r);
            told = driver_run(&r->m->driver); /* the notification; may come while the disk is busy */
        } else if (rnd(r, 5) == 0) {
            told = driver_run(&r->m->driver); /* a spurious irq */
        } else {
            told = model_step(r->m, 1 + rnd(r, rnd(r, 4) ? 20 * NS_PER_MS : 2000 * NS_PER_MS));
        }
        cr_assert_eq(r->done - done, told, "cache is told of each end");
        check_time(r);
    }
    while (request_next(&r->m->ring) >= 0 || driver_deadline(&r->m->driver)) {
        model_step(r->m, 1000 * NS_PER_MS);
        check_time(r);
    }
    cr_assert_eq(r->done, r->order, "every request ends once");
}

Test(random, requests_against_a_bad_disk) {
    struct random_run r = {.m = model_new(), .seed = seed_begin(20240611)};
    running = &r;
    for (int i = 0; i < 60; i++)
        r.m->bad[rnd(&r, DISK_SECTORS)] = true;
    cr_assert_eq(model_init_driver(r.m), 0);
    cr_assert_eq(driver_attach(&r.m->driver, &r.m->ring), 0);
    r.m->on_done = on_done;
    run(&r);
    cr_assert(r.done > 200 && r.failed < r.done / 2, "%llu of %llu failed", (unsigned long long)r.failed,
              (unsigned long long)r.done);
    free(r.m);
}

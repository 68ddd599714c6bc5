/* SPDX-License-Identifier: MIT */
#include "driver.h"

#include <abi/errors.h>
#include <ipc/assert.h>

static u64 now(const struct ata_driver *d) {
    return d->io->now(d->io->ctx);
}

static void tell(const struct ata_driver *d, enum ata_event event, err detail) {
    d->io->event(d->io->ctx, event, d->loaded ? &d->request : NULL, detail);
}

/* Waits in `state` for `patience`, looking every `glance` milliseconds. */
static void await(struct ata_driver *d, enum ata_state state, u64 patience, u64 glance) {
    u64 t = now(d);
    d->state = state;
    d->looks = 0;
    d->limit = t + patience * NS_PER_MS;
    d->deadline = t + glance * NS_PER_MS;
}

/* Answers the loaded request. */
static void finish(struct ata_driver *d, err error) {
    struct ata_slot *slot = &d->ring->slot[d->request.slot];
    ASSERT(d->loaded);
    slot->error = error;
    ata_slot_set_status(slot, ATA_DONE);
    tell(d, ATA_EVENT_DONE, error);
    d->loaded = false;
}

/* Copies the high segments out of the bounce buffer or into it. 0, or what the first failing copy says. */
static err bounce(const struct ata_driver *d, bool to_memory) {
    u32 offset = 0;
    for (u32 i = 0; i < d->request.segments; i++) {
        const struct ata_segment *s = &d->request.segment[i];
        if (!segment_is_high(s))
            continue;
        err e = d->io->bounce(d->io->ctx, offset, s->paddr, s->bytes, to_memory);
        if (e)
            return e;
        offset += (u32)s->bytes;
    }
    return 0;
}

static void reset(struct ata_driver *d) {
    disk_reset(d->io, &d->ports);
    await(d, ATA_STATE_RESET, ATA_RESET_MS, ATA_RESET_GLANCE_MS);
}

/* Gives the loaded request to the disk. */
static void start(struct ata_driver *d) {
    d->attempts++;
    tell(d, ATA_EVENT_START, 0); /* before the irq, which may come at once */
    if (!disk_start(d->io, &d->ports, &d->request, d->dma.prd_paddr)) {
        tell(d, ATA_EVENT_TIMEOUT, 0);
        reset(d);
        return;
    }
    await(d, ATA_STATE_BUSY, ATA_COMMAND_MS, ATA_GLANCE_MS);
}

/* Takes the slot's request over. 0: it is ready for start(); otherwise the error to answer with. */
static err load(struct ata_driver *d, u32 slot) {
    ata_slot_set_status(&d->ring->slot[slot], ATA_ACTIVE);
    err e = request_read(d->ring, slot, d->sectors, &d->request);
    d->loaded = true;
    d->attempts = 0;
    if (d->state == ATA_STATE_DEAD)
        return d->dead_error;
    if (e || d->request.op == ATA_FLUSH)
        return e;
    prd_build(d->dma.prd, &d->request, d->dma.bounce_paddr);
    return d->request.op == ATA_WRITE ? bounce(d, false) : 0;
}

/* BUSY: has the disk answered, or has it taken too long? Returns the number of requests finished. */
static u32 run_busy(struct ata_driver *d) {
    u8 status = 0;
    enum disk_answer answer = disk_poll(d->io, &d->ports, &status);
    u64 t = now(d);
    if (answer == DISK_BUSY) {
        if (t >= d->limit && d->looks++ == ATA_LAST_LOOKS) {
            tell(d, ATA_EVENT_TIMEOUT, 0);
            reset(d);
        } else if (t >= d->deadline) {
            d->deadline = MIN(t + ATA_GLANCE_MS * NS_PER_MS, d->limit);
        }
        return 0;
    }
    tell(d, ATA_EVENT_ANSWER, status);
    d->state = ATA_STATE_IDLE;
    err e = answer == DISK_OK ? 0 : -E_IO;
    if (!e && d->request.op == ATA_READ)
        e = bounce(d, true);
    finish(d, e);
    return 1;
}

/* RESET: is the disk back? Returns the number of requests finished. */
static u32 run_reset(struct ata_driver *d) {
    u64 t = now(d);
    if (disk_is_ready(d->io, &d->ports)) {
        d->state = ATA_STATE_IDLE;
        if (!d->loaded)
            return 0;
        if (d->attempts < ATA_ATTEMPTS) {
            start(d);
            return 0;
        }
    } else if (t < d->limit) {
        d->deadline = MIN(t + ATA_RESET_GLANCE_MS * NS_PER_MS, d->limit);
        return 0;
    } else {
        tell(d, ATA_EVENT_DEAD, 0);
        d->state = ATA_STATE_DEAD;
        d->dead_error = -E_IO;
        if (!d->loaded)
            return 0;
    }
    finish(d, -E_IO);
    return 1;
}

/* IDLE, DEAD: takes requests until one is under way. Returns the number of requests finished. */
static u32 run_idle(struct ata_driver *d) {
    u32 done = 0;
    while (done < ATA_SLOTS) {
        int slot = request_next(d->ring);
        if (slot < 0)
            break;
        err e = load(d, (u32)slot);
        if (!e) {
            start(d);
            break;
        }
        finish(d, e);
        done++;
    }
    return done;
}

u32 driver_run(struct ata_driver *d) {
    u32 done = 0;
    if (d->state == ATA_STATE_BUSY)
        done += run_busy(d);
    else if (d->state == ATA_STATE_RESET)
        done += run_reset(d);
    if (d->ring && (d->state == ATA_STATE_IDLE || d->state == ATA_STATE_DEAD))
        done += run_idle(d);
    return done;
}

u64 driver_deadline(const struct ata_driver *d) {
    return d->state == ATA_STATE_BUSY || d->state == ATA_STATE_RESET ? d->deadline : 0;
}

err driver_init(struct ata_driver *d, const struct ata_io *io, struct ata_dma dma) {
    *d = (struct ata_driver){.io = io, .dma = dma, .state = ATA_STATE_IDLE};
    err e = pci_find_ide(io, &d->ports);
    if (!e)
        e = disk_identify(io, &d->ports, &d->sectors);
    if (e) {
        d->state = ATA_STATE_DEAD;
        d->dead_error = e;
    }
    return e;
}

err driver_attach(struct ata_driver *d, struct ata_ring *ring) {
    if (ring->magic != ATA_RING_MAGIC || ring->slots != ATA_SLOTS)
        return -E_INVAL;
    if (d->state == ATA_STATE_BUSY)
        reset(d);
    d->loaded = false;
    d->ring = ring;
    for (u32 i = 0; i < ATA_SLOTS; i++)
        if (ata_slot_status(&ring->slot[i]) == ATA_ACTIVE)
            ata_slot_set_status(&ring->slot[i], ATA_QUEUED);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* The driver: takes requests from the ring in order and sees each to its end.
 *
 *              next slot            timeout               not ready in time
 *      IDLE ------------> BUSY ----------------> RESET ---------------------> DEAD
 *        ^                 | |  ^                  |
 *        +-----------------+ |  +------------------+  ready: the request is tried again,
 *             answer         |        ready           or failed after ATA_ATTEMPTS
 *                            +-- the disk refuses the command: as a timeout
 *
 * An error that the disk reports fails the request at once: cache asks again page by page, so that it reaches
 * exactly the page concerned. A lost irq costs ATA_GLANCE_MS. Every request ends within ATA_ATTEMPTS *
 * (ATA_COMMAND_MS + ATA_RESET_MS) and the time of the last looks. No function waits; all state is in struct
 * ata_driver. */
#pragma once

#include "controller.h"

enum {
    ATA_COMMAND_MS = 10000, /* for the disk to answer a command */
    ATA_GLANCE_MS = 500,    /* how often to look whether an answer came whose irq did not */
    ATA_LAST_LOOKS = 50000, /* one after the other when the time is up: a virtual clock may skip idle time */
    ATA_RESET_MS = 5000,    /* for the disk to come back from a reset */
    ATA_RESET_GLANCE_MS = 2,
    ATA_ATTEMPTS = 3,
};

enum ata_state { ATA_STATE_IDLE, ATA_STATE_BUSY, ATA_STATE_RESET, ATA_STATE_DEAD };

struct ata_driver {
    const struct ata_io *io;
    struct ata_dma dma;
    struct ata_ports ports;
    struct ata_ring *ring; /* NULL until attach */
    u64 sectors;           /* size of the disk; 0 if there is none */
    enum ata_state state;
    err dead_error;             /* DEAD: what every request is answered with */
    bool loaded;                /* BUSY, RESET: there is a request, to be answered */
    struct ata_request request; /* valid if loaded */
    u32 attempts;               /* of the request, so far */
    u64 limit;                  /* BUSY, RESET: when patience ends (ns) */
    u32 looks;                  /* BUSY: so many since patience ended */
    u64 deadline;               /* BUSY, RESET: when to look again (ns), at most limit */
};

/* Finds controller and disk. Afterwards the driver works in any case: without a disk it answers every request
 * with the error that this returns (pci_find_ide's and disk_identify's). Polls within ATA_IDENTIFY_MS; for
 * start-up only. */
err driver_init(struct ata_driver *d, const struct ata_io *io, struct ata_dma dma);

/* Serves `ring` from now on; a former ring and its request are forgotten once the bus master is stopped.
 * Requests found ACTIVE begin again. -E_INVAL: its head is wrong, and nothing changes. */
must_check err driver_attach(struct ata_driver *d, struct ata_ring *ring);

/* Does what there is to do; to be called after every irq, notification and deadline (for any reason or none).
 * Returns the number of requests that became DONE: if not 0, cache is to be notified. At most ATA_SLOTS + 1
 * requests a call. */
u32 driver_run(struct ata_driver *d);

/* When to call driver_run again if nothing else happens, in ns of io->now; 0: not needed. */
u64 driver_deadline(const struct ata_driver *d);

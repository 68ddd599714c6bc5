/* SPDX-License-Identifier: MIT */
/* The primary IDE channel and the disk on it, one command at a time (ATA/ATAPI-6; Intel 82371SB for the bus
 * master). Functions write and read registers and return; only disk_identify polls, within a bound. */
#pragma once

#include "ata_io.h"
#include "pci.h"
#include "prd.h"
#include "request.h"

#include <ipc/clock.h>

enum {
    ATA_IDENTIFY_MS = 1000, /* bound of disk_identify's polling */
};

enum disk_answer {
    DISK_BUSY,   /* no answer yet */
    DISK_OK,     /* the command under way has ended well */
    DISK_FAILED, /* it has ended with an error */
};

/* Asks the master disk who it is (PIO) and stores its size in *sectors. Polls up to ATA_IDENTIFY_MS. 0;
 * -E_NODEV: no disk there, or not an ATA disk; -E_OPNOTSUPP: a disk without LBA48 or DMA; -E_IO: it answers
 * with an error; -E_TIMEDOUT: it does not answer. */
must_check err disk_identify(const struct ata_io *io, const struct ata_ports *ports, u64 *sectors);

/* Gives a checked request to an idle disk; the PRD table at prd_paddr is built (READ and WRITE). The end is
 * announced by irq 14. False: the disk is not ready for a command, and nothing was written. */
must_check bool disk_start(const struct ata_io *io, const struct ata_ports *ports,
                           const struct ata_request *request, u32 prd_paddr);

/* Whether the command under way has ended: looks at the bus master's interrupt bit, so that it may be asked
 * at any time and does not depend on the irq itself. After an end the bus master is stopped; *status is the
 * disk's status. */
enum disk_answer disk_poll(const struct ata_io *io, const struct ata_ports *ports, u8 *status);

/* Stops the bus master (after this it writes no memory) and begins a soft reset of the channel. */
void disk_reset(const struct ata_io *io, const struct ata_ports *ports);

/* Whether the disk is ready again after disk_reset. */
bool disk_is_ready(const struct ata_io *io, const struct ata_ports *ports);

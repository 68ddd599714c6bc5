/* SPDX-License-Identifier: MIT */
/* What the ATA driver knows of the outside: ports, time, memory for DMA, and whom to tell. The shell fills
 * the table with the real ones, the tests with a scripted disk. No callback waits. */
#pragma once

#include <abi/types.h>
#include <proto/ata_ring.h>

struct ata_request;

/* What the driver reports while it works; for trace and log. */
enum ata_event {
    ATA_EVENT_START,   /* the request was given to the disk */
    ATA_EVENT_ANSWER,  /* the disk has answered; `detail` is its status register */
    ATA_EVENT_DONE,    /* the request is DONE in the ring, with the error `detail` */
    ATA_EVENT_TIMEOUT, /* no answer in time: the controller is being reset, the request is tried again or
                          failed */
    ATA_EVENT_DEAD,    /* the disk did not come back from a reset: every request fails from now on */
};

struct ata_io {
    void *ctx; /* handed to every callback */
    u8 (*in8)(void *ctx, u16 port);
    u16 (*in16)(void *ctx, u16 port);
    u32 (*in32)(void *ctx, u16 port);
    void (*out8)(void *ctx, u16 port, u8 value);
    void (*out16)(void *ctx, u16 port, u16 value);
    void (*out32)(void *ctx, u16 port, u32 value);
    /* Nanoseconds since some fixed moment; never goes back. */
    u64 (*now)(void *ctx);
    /* Copies between the bounce buffer at `offset` and physical memory above 4 GiB. 0 or an error. */
    err (*bounce)(void *ctx, u32 offset, u64 paddr, u64 bytes, bool to_memory);
    /* `request` is NULL where an event concerns none; `detail` is 0 where nothing else is said. */
    void (*event)(void *ctx, enum ata_event event, const struct ata_request *request, err detail);
};

/* Memory that the controller reads and writes, all below 4 GiB, owned by the driver for as long as it
 * lives. */
struct ata_dma {
    struct ata_prd *prd; /* PRD_MAX entries, page-aligned */
    u32 prd_paddr;       /* the same, for the controller */
    u32 bounce_paddr;    /* ATA_SECTORS_MAX * ATA_SECTOR_BYTES bytes in one piece, even */
};

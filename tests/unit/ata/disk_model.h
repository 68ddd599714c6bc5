/* SPDX-License-Identifier: MIT */
/* A scripted PIIX3 IDE controller with one disk, a little physical memory and a clock, for the driver's
 * callbacks. It checks what real hardware would silently get wrong: PRDs, register writes while busy,
 * commands out of order. */
#pragma once

#include "driver.h"

#define DISK_SECTORS 4096u
#define LOW_BASE     0x01008000ull /* not at a multiple of 64 KiB: regions cross the boundary */
#define HIGH_BASE    0x140000000ull
#define REGION_BYTES (192u * 1024) /* of each ring slot, in low and in high memory */
#define MEMORY_BYTES ((u64)ATA_SLOTS * REGION_BYTES)
#define BOUNCE_PADDR 0x00ff8000u
#define BOUNCE_BYTES (ATA_SECTORS_MAX * ATA_SECTOR_BYTES)
#define PRD_PADDR    0x00007000u
#define BM_BASE      0xc040u
#define ACCESS_NS    100

struct disk_model {
    /* The script. */
    u32 devfn;   /* where the controller is; >= 256: nowhere */
    u32 bar4;    /* its BAR 4 */
    bool absent; /* no disk */
    bool packet; /* a CD drive instead */
    bool no_lba48;
    bool identify_fails;
    bool identify_hangs;
    u64 delay_ns;  /* of the next command */
    u32 hangs;     /* that many commands from now on are never answered */
    u32 lost_irqs; /* that many irqs from now on do not arrive */
    bool refuses;  /* DRDY stays off until the next reset */
    bool dead_after_reset;
    bool unmapped;          /* high memory cannot be copied */
    bool bad[DISK_SECTORS]; /* sectors that cannot be read or written */

    /* The state. */
    u64 time; /* ns */
    bool irq; /* an irq has arrived and was not taken by the test */
    u8 status, error, device, control;
    u8 tf[8], tf_before[8]; /* LBA48: the last value written and the one before */
    u8 bm_command, bm_status;
    u32 bm_prd;
    u32 pci_address;
    u16 pci_command;
    bool pending; /* a command is under way */
    u8 pending_command;
    u64 pending_at;          /* when it ends; ~0: never */
    u64 ready_at;            /* when a reset ends; 0: none under way */
    u32 pio_words;           /* of IDENTIFY data, still to be read */
    u32 commands, resets;    /* how many were seen */
    u32 events[5];           /* by enum ata_event */
    struct ata_request last; /* of the last event with a request */

    struct ata_prd prd[PRD_MAX];
    u8 bounce[BOUNCE_BYTES];
    u8 disk[DISK_SECTORS][ATA_SECTOR_BYTES];
    u8 low[MEMORY_BYTES], high[MEMORY_BYTES];
    void (*on_done)(struct disk_model *m, const struct ata_request *r, err error); /* may be NULL */
    struct ata_io io;
    struct ata_driver driver;
    struct ata_ring ring;
};

/* A model with controller at 00:01.1, a healthy disk whose sectors hold known bytes, memory filled with 0xaa,
 * and an empty ring that is not attached. To be freed with free(). */
struct disk_model *model_new(void);

/* driver_init with the model's memory. */
err model_init_driver(struct disk_model *m);

/* The ring slot's first byte in low or high memory, and its physical address. */
u8 *model_region(struct disk_model *m, u32 slot, bool high);
u64 model_region_paddr(u32 slot, bool high);

/* The bytes behind a physical address of low or high memory. */
u8 *model_memory(struct disk_model *m, u64 paddr, u64 bytes);

/* Moves the clock to the next moment at which something happens (the disk answers, or the driver's deadline),
 * at most by `limit` ns; calls driver_run if an irq arrived or the deadline passed. Returns what driver_run
 * said. */
u32 model_step(struct disk_model *m, u64 limit);

/* Fills slot for one low segment (sectors * 512 bytes at the region's start) and queues it. */
void model_queue(struct disk_model *m, u32 slot, enum ata_op op, u64 lba, u32 sectors, u64 order);

/* SPDX-License-Identifier: MIT */
#include "controller.h"

#include <abi/errors.h>

/* Task file, from ports->command. The four middle registers take two bytes each for LBA48, the high one
 * first. */
enum {
    TF_DATA = 0,
    TF_COUNT = 2,
    TF_LBA0 = 3,
    TF_LBA1 = 4,
    TF_LBA2 = 5,
    TF_DEVICE = 6,
    TF_COMMAND = 7,
    TF_STATUS = 7,
};

enum {
    STATUS_ERR = 0x01,
    STATUS_DRQ = 0x08,
    STATUS_DF = 0x20,
    STATUS_DRDY = 0x40,
    STATUS_BSY = 0x80,
    STATUS_FLOATING = 0xff, /* nothing drives the bus */

    DEVICE_MASTER_LBA = 0xe0,
    CONTROL_SRST = 0x04,

    CMD_READ_DMA_EXT = 0x25,
    CMD_WRITE_DMA_EXT = 0x35,
    CMD_FLUSH_CACHE_EXT = 0xea,
    CMD_IDENTIFY = 0xec,
};

/* Bus master, from ports->bm. */
enum {
    BM_COMMAND = 0,
    BM_STATUS = 2,
    BM_PRD = 4,
    BM_START = 0x01,
    BM_TO_MEMORY = 0x08,
    BM_ACTIVE = 0x01,
    BM_ERROR = 0x02, /* written 1: cleared */
    BM_IRQ = 0x04,   /* written 1: cleared */
};

/* Words of the IDENTIFY data. */
enum { ID_WORDS = 256, ID_CAPABILITIES = 49, ID_COMMANDS = 83, ID_SECTORS48 = 100 };

static void tf_out(const struct ata_io *io, const struct ata_ports *ports, u16 reg, u8 value) {
    io->out8(io->ctx, ports->command + reg, value);
}

static u8 tf_in(const struct ata_io *io, const struct ata_ports *ports, u16 reg) {
    return io->in8(io->ctx, ports->command + reg);
}

static u8 alt_status(const struct ata_io *io, const struct ata_ports *ports) {
    return io->in8(io->ctx, ports->control);
}

/* Selects the master; four reads of the alternate status are the 400 ns that the standard asks for. */
static u8 select_master(const struct ata_io *io, const struct ata_ports *ports) {
    tf_out(io, ports, TF_DEVICE, DEVICE_MASTER_LBA);
    u8 status = 0;
    for (int i = 0; i < 4; i++)
        status = alt_status(io, ports);
    return status;
}

/* Reads the status until all `clear` bits are 0 or the time is over; the last status seen. */
static u8 wait_clear(const struct ata_io *io, const struct ata_ports *ports, u8 clear) {
    u64 end = io->now(io->ctx) + ATA_IDENTIFY_MS * NS_PER_MS;
    u8 status;
    do
        status = alt_status(io, ports);
    while ((status & clear) && io->now(io->ctx) < end);
    return status;
}

static err identify_words(const struct ata_io *io, const struct ata_ports *ports, u16 words[ID_WORDS]) {
    u8 status = select_master(io, ports);
    if (status == 0 || status == STATUS_FLOATING)
        return -E_NODEV;
    if (wait_clear(io, ports, STATUS_BSY | STATUS_DRQ) & (STATUS_BSY | STATUS_DRQ))
        return -E_TIMEDOUT;
    tf_out(io, ports, TF_COUNT, 0);
    tf_out(io, ports, TF_LBA0, 0);
    tf_out(io, ports, TF_LBA1, 0);
    tf_out(io, ports, TF_LBA2, 0);
    tf_out(io, ports, TF_COMMAND, CMD_IDENTIFY);
    if (wait_clear(io, ports, STATUS_BSY) & STATUS_BSY)
        return -E_TIMEDOUT;
    /* Reading the status register itself also takes back the interrupt that IDENTIFY raised. */
    status = tf_in(io, ports, TF_STATUS);
    if (tf_in(io, ports, TF_LBA1) || tf_in(io, ports, TF_LBA2))
        return -E_NODEV; /* the signature of a packet device: a CD drive */
    if (status == 0)
        return -E_NODEV;
    if ((status & (STATUS_ERR | STATUS_DF)) || !(status & STATUS_DRQ))
        return -E_IO;
    for (int i = 0; i < ID_WORDS; i++)
        words[i] = io->in16(io->ctx, ports->command + TF_DATA);
    return 0;
}

err disk_identify(const struct ata_io *io, const struct ata_ports *ports, u64 *sectors) {
    u16 w[ID_WORDS];
    io->out8(io->ctx, ports->control, 0); /* interrupts on */
    err e = identify_words(io, ports, w);
    if (e)
        return e;
    if (!(w[ID_CAPABILITIES] & 1 << 8) || !(w[ID_COMMANDS] & 1 << 10))
        return -E_OPNOTSUPP;
    *sectors = w[ID_SECTORS48] | (u64)w[ID_SECTORS48 + 1] << 16 | (u64)w[ID_SECTORS48 + 2] << 32;
    return 0;
}

/* Stops the bus master and clears what it remembers of the last command. */
static void bm_stop(const struct ata_io *io, const struct ata_ports *ports) {
    io->out8(io->ctx, ports->bm + BM_COMMAND, 0);
    u8 status = io->in8(io->ctx, ports->bm + BM_STATUS);
    io->out8(io->ctx, ports->bm + BM_STATUS, status | BM_ERROR | BM_IRQ);
}

static void write_address(const struct ata_io *io, const struct ata_ports *ports,
                          const struct ata_request *request) {
    u64 lba = request->lba;
    tf_out(io, ports, TF_COUNT, (u8)(request->sectors >> 8));
    tf_out(io, ports, TF_LBA0, (u8)(lba >> 24));
    tf_out(io, ports, TF_LBA1, (u8)(lba >> 32));
    tf_out(io, ports, TF_LBA2, (u8)(lba >> 40));
    tf_out(io, ports, TF_COUNT, (u8)request->sectors);
    tf_out(io, ports, TF_LBA0, (u8)lba);
    tf_out(io, ports, TF_LBA1, (u8)(lba >> 8));
    tf_out(io, ports, TF_LBA2, (u8)(lba >> 16));
}

bool disk_start(const struct ata_io *io, const struct ata_ports *ports, const struct ata_request *request,
                u32 prd_paddr) {
    u8 status = select_master(io, ports);
    if ((status & (STATUS_BSY | STATUS_DRQ)) || !(status & STATUS_DRDY))
        return false;
    bm_stop(io, ports);
    if (request->op == ATA_FLUSH) {
        tf_out(io, ports, TF_COMMAND, CMD_FLUSH_CACHE_EXT);
        return true;
    }
    u8 direction = request->op == ATA_READ ? BM_TO_MEMORY : 0;
    io->out32(io->ctx, ports->bm + BM_PRD, prd_paddr);
    io->out8(io->ctx, ports->bm + BM_COMMAND, direction);
    write_address(io, ports, request);
    tf_out(io, ports, TF_COMMAND, request->op == ATA_READ ? CMD_READ_DMA_EXT : CMD_WRITE_DMA_EXT);
    io->out8(io->ctx, ports->bm + BM_COMMAND, direction | BM_START);
    return true;
}

enum disk_answer disk_poll(const struct ata_io *io, const struct ata_ports *ports, u8 *status) {
    u8 bm = io->in8(io->ctx, ports->bm + BM_STATUS);
    if (!(bm & BM_IRQ))
        return DISK_BUSY;
    u8 disk = tf_in(io, ports, TF_STATUS);
    if (disk & STATUS_BSY)
        return DISK_BUSY; /* the interrupt was not this command's end */
    bm_stop(io, ports);
    *status = disk;
    if ((disk & (STATUS_ERR | STATUS_DF | STATUS_DRQ)) || (bm & (BM_ERROR | BM_ACTIVE)))
        return DISK_FAILED;
    return DISK_OK;
}

void disk_reset(const struct ata_io *io, const struct ata_ports *ports) {
    bm_stop(io, ports);
    io->out8(io->ctx, ports->control, CONTROL_SRST);
    /* The reset must stand for 5 us; a read from an ISA port takes more than 0.5 us. */
    for (int i = 0; i < 16; i++)
        alt_status(io, ports);
    io->out8(io->ctx, ports->control, 0);
}

bool disk_is_ready(const struct ata_io *io, const struct ata_ports *ports) {
    u8 status = select_master(io, ports);
    return status != STATUS_FLOATING && !(status & (STATUS_BSY | STATUS_DRQ)) && (status & STATUS_DRDY);
}

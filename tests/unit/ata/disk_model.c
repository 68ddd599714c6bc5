/* SPDX-License-Identifier: MIT */
#include "disk_model.h"

#include <abi/errors.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { BSY = 0x80, DRDY = 0x40, DRQ = 0x08, ERR = 0x01 };
enum { BM_ACTIVE = 1, BM_ERR = 2, BM_IRQ = 4, BM_START = 1, BM_TO_MEMORY = 8 };

u64 model_region_paddr(u32 slot, bool high) {
    return (high ? HIGH_BASE : LOW_BASE) + (u64)slot * REGION_BYTES;
}

u8 *model_region(struct disk_model *m, u32 slot, bool high) {
    return (high ? m->high : m->low) + (u64)slot * REGION_BYTES;
}

u8 *model_memory(struct disk_model *m, u64 paddr, u64 bytes) {
    if (paddr >= LOW_BASE && paddr + bytes <= LOW_BASE + MEMORY_BYTES)
        return m->low + (paddr - LOW_BASE);
    if (paddr >= HIGH_BASE && paddr + bytes <= HIGH_BASE + MEMORY_BYTES)
        return m->high + (paddr - HIGH_BASE);
    if (paddr >= BOUNCE_PADDR && paddr + bytes <= BOUNCE_PADDR + BOUNCE_BYTES)
        return m->bounce + (paddr - BOUNCE_PADDR);
    cr_assert_fail("no memory at %#llx", (unsigned long long)paddr);
    return NULL;
}

static u64 pending_lba(const struct disk_model *m) {
    return m->tf[3] | (u64)m->tf[4] << 8 | (u64)m->tf[5] << 16 | (u64)m->tf_before[3] << 24 |
           (u64)m->tf_before[4] << 32 | (u64)m->tf_before[5] << 40;
}

static u32 pending_sectors(const struct disk_model *m) {
    u32 n = m->tf[2] | (u32)m->tf_before[2] << 8;
    return n ? n : 65536;
}

/* Moves `bytes` between the disk's bytes and the PRD list, checking the list. */
static void dma(struct disk_model *m, u8 *disk, u64 bytes, bool to_memory) {
    cr_assert_eq(m->bm_prd, PRD_PADDR);
    for (u32 i = 0; i < PRD_MAX; i++) {
        const struct ata_prd *p = &m->prd[i];
        u64 n = p->bytes ? p->bytes : PRD_BOUNDARY;
        cr_assert(p->paddr % 2 == 0 && n % 2 == 0);
        cr_assert(p->paddr / PRD_BOUNDARY == (p->paddr + n - 1) / PRD_BOUNDARY, "a PRD crosses 64 KiB");
        cr_assert(n <= bytes, "PRDs hold more than the command moves");
        u8 *memory = model_memory(m, p->paddr, n);
        memcpy(to_memory ? memory : disk, to_memory ? disk : memory, n);
        disk += n;
        bytes -= n;
        if (p->flags & PRD_LAST)
            break;
    }
    cr_assert_eq(bytes, 0, "PRDs hold less than the command moves");
}

static void raise_irq(struct disk_model *m) {
    if (m->control & 2)
        return;
    m->bm_status |= BM_IRQ;
    if (m->lost_irqs)
        m->lost_irqs--;
    else
        m->irq = true;
}

static void finish_dma(struct disk_model *m) {
    u64 lba = pending_lba(m);
    u32 n = pending_sectors(m);
    bool to_memory = m->pending_command == 0x25;
    bool bad = lba + n > DISK_SECTORS;
    cr_assert_eq(!!(m->bm_command & BM_TO_MEMORY), to_memory);
    for (u64 s = lba; !bad && s < lba + n; s++)
        bad = m->bad[s];
    m->bm_status &= (u8)~BM_ACTIVE;
    m->status = DRDY | (bad ? ERR : 0);
    m->error = bad ? 0x04 : 0;
    if (!bad)
        dma(m, m->disk[lba], (u64)n * ATA_SECTOR_BYTES, to_memory);
}

/* Lets happen what is due by now. */
static void settle(struct disk_model *m) {
    if (m->ready_at && m->time >= m->ready_at) {
        m->ready_at = 0;
        m->status = m->absent ? 0 : DRDY;
    }
    if (!m->pending || m->time < m->pending_at)
        return;
    m->pending = false;
    if (m->pending_command == 0xec) {
        m->status = DRDY | (m->identify_fails ? ERR : DRQ);
        m->pio_words = 256;
        if (m->packet) {
            m->status = DRDY | ERR;
            m->tf[4] = 0x14;
            m->tf[5] = 0xeb;
        }
    } else if (m->pending_command == 0xea) {
        m->status = DRDY;
    } else {
        finish_dma(m);
    }
    raise_irq(m);
}

static void tick(struct disk_model *m) {
    m->time += ACCESS_NS;
    settle(m);
}

static void begin_command(struct disk_model *m, u8 command) {
    cr_assert(command == 0x25 || command == 0x35 || command == 0xea || command == 0xec, "command %#x",
              command);
    if (m->absent)
        return;
    cr_assert(m->status & DRDY, "a command to a disk that is not ready");
    m->commands++;
    m->status = BSY;
    m->pending = true;
    m->pending_command = command;
    m->pending_at = m->time + m->delay_ns;
    bool hangs = command == 0xec ? m->identify_hangs : m->hangs > 0;
    if (hangs && command != 0xec)
        m->hangs--;
    if (hangs || command == 0x25 || command == 0x35)
        m->pending_at = ~0ull; /* DMA begins with the bus master */
    if (hangs)
        m->pending_command = 0;
}

static void bm_command(struct disk_model *m, u8 value) {
    bool starts = (value & BM_START) && !(m->bm_command & BM_START);
    if (!(value & BM_START))
        m->bm_status &= (u8)~BM_ACTIVE;
    m->bm_command = value;
    if (!starts)
        return;
    cr_assert(m->pci_command & 4, "bus mastering is off");
    cr_assert(m->pending, "bus master started without a command");
    m->bm_status |= BM_ACTIVE;
    if (m->pending_command)
        m->pending_at = m->time + m->delay_ns;
}

static void control(struct disk_model *m, u8 value) {
    bool ends = (m->control & 4) && !(value & 4);
    m->control = value;
    if (!ends)
        return;
    cr_assert(!(m->bm_command & BM_START), "reset while the bus master runs");
    m->resets++;
    m->pending = false;
    m->refuses = false;
    m->status = BSY;
    m->ready_at = m->dead_after_reset ? ~0ull : m->time + m->delay_ns;
}

static u8 in8(void *ctx, u16 port) {
    struct disk_model *m = ctx;
    tick(m);
    u8 status = m->refuses ? m->status & (u8)~DRDY : m->status;
    switch (port) {
    case 0x3f6:
    case 0x1f7:
        return status;
    case 0x1f4:
    case 0x1f5:
        return m->tf[port - 0x1f0];
    case BM_BASE + 2:
        return m->bm_status;
    default:
        cr_assert_fail("in8 from port %#x", port);
        return 0;
    }
}

static u16 identify_word(const struct disk_model *m, u32 word) {
    switch (word) {
    case 49:
        return 1 << 8;
    case 83:
        return m->no_lba48 ? 0 : 1 << 10;
    case 100:
        return DISK_SECTORS;
    default:
        return 0;
    }
}

static u16 in16(void *ctx, u16 port) {
    struct disk_model *m = ctx;
    tick(m);
    if (port == 0xcfc)
        return m->pci_command;
    cr_assert_eq(port, 0x1f0);
    cr_assert(m->pio_words > 0);
    u16 word = identify_word(m, 256 - m->pio_words--);
    if (m->pio_words == 0)
        m->status &= (u8)~DRQ;
    return word;
}

static u32 in32(void *ctx, u16 port) {
    struct disk_model *m = ctx;
    tick(m);
    cr_assert_eq(port, 0xcfc);
    if ((m->pci_address >> 8 & 0xffff) != m->devfn)
        return 0xffffffff;
    switch (m->pci_address & 0xff) {
    case 0:
        return 0x70108086;
    case 0x20:
        return m->bar4;
    default:
        cr_assert_fail("configuration register %#x", m->pci_address & 0xff);
        return 0;
    }
}

static void out8(void *ctx, u16 port, u8 value) {
    struct disk_model *m = ctx;
    tick(m);
    if (port >= 0x1f0 && port <= 0x1f7) {
        cr_assert(m->absent || !(m->status & BSY) || port == 0x1f6, "port %#x written while busy", port);
        m->tf_before[port - 0x1f0] = m->tf[port - 0x1f0];
        m->tf[port - 0x1f0] = value;
        if (port == 0x1f7)
            begin_command(m, value);
    } else if (port == 0x3f6) {
        control(m, value);
    } else if (port == BM_BASE) {
        bm_command(m, value);
    } else if (port == BM_BASE + 2) {
        m->bm_status &= (u8) ~(value & (BM_ERR | BM_IRQ));
    } else {
        cr_assert_fail("out8 to port %#x", port);
    }
}

static void out16(void *ctx, u16 port, u16 value) {
    struct disk_model *m = ctx;
    cr_assert_eq(port, 0xcfc);
    cr_assert_eq(m->pci_address, 0x80000004u | m->devfn << 8);
    m->pci_command = value;
}

static void out32(void *ctx, u16 port, u32 value) {
    struct disk_model *m = ctx;
    tick(m);
    if (port == 0xcf8)
        m->pci_address = value;
    else if (port == BM_BASE + 4)
        m->bm_prd = value;
    else
        cr_assert_fail("out32 to port %#x", port);
}

static u64 now(void *ctx) {
    struct disk_model *m = ctx;
    tick(m);
    return m->time;
}

static err copy(void *ctx, u32 offset, u64 paddr, u64 bytes, bool to_memory) {
    struct disk_model *m = ctx;
    cr_assert(offset + bytes <= BOUNCE_BYTES);
    cr_assert_geq(paddr, HIGH_BASE);
    if (m->unmapped)
        return -E_FAULT;
    u8 *memory = model_memory(m, paddr, bytes);
    memcpy(to_memory ? memory : m->bounce + offset, to_memory ? m->bounce + offset : memory, bytes);
    return 0;
}

static void event(void *ctx, enum ata_event what, const struct ata_request *request, err detail) {
    struct disk_model *m = ctx;
    m->events[what]++;
    if (request)
        m->last = *request;
    if (what == ATA_EVENT_DONE && m->on_done)
        m->on_done(m, request, detail);
}

struct disk_model *model_new(void) {
    struct disk_model *m = calloc(1, sizeof *m);
    m->devfn = 1 << 3 | 1;
    m->bar4 = BM_BASE | 1;
    m->pci_command = 0;
    m->delay_ns = 50 * 1000;
    m->status = DRDY;
    for (u32 s = 0; s < DISK_SECTORS; s++)
        for (u32 i = 0; i < ATA_SECTOR_BYTES; i++)
            m->disk[s][i] = (u8)(s * 7 + i * 13 + (s >> 8));
    memset(m->low, 0xaa, sizeof m->low);
    memset(m->high, 0xaa, sizeof m->high);
    memset(m->prd, 0xff, sizeof m->prd);
    m->ring.magic = ATA_RING_MAGIC;
    m->ring.slots = ATA_SLOTS;
    m->io = (struct ata_io){m, in8, in16, in32, out8, out16, out32, now, copy, event};
    return m;
}

err model_init_driver(struct disk_model *m) {
    if (m->absent)
        m->status = 0;
    return driver_init(&m->driver, &m->io, (struct ata_dma){m->prd, PRD_PADDR, BOUNCE_PADDR});
}

u32 model_step(struct disk_model *m, u64 limit) {
    u64 target = m->time + limit;
    u64 deadline = driver_deadline(&m->driver);
    if (m->pending && m->pending_at < target)
        target = m->pending_at;
    if (deadline && deadline < target)
        target = deadline;
    if (target > m->time)
        m->time = target;
    settle(m);
    if (!m->irq && !(deadline && m->time >= deadline))
        return 0;
    m->irq = false;
    u32 done = driver_run(&m->driver);
    while (m->driver.state == ATA_STATE_BUSY && m->driver.looks) { /* the last looks are one step */
        settle(m);
        done += driver_run(&m->driver);
    }
    return done;
}

void model_queue(struct disk_model *m, u32 slot, enum ata_op op, u64 lba, u32 sectors, u64 order) {
    struct ata_slot *s = &m->ring.slot[slot];
    cr_assert_eq(ata_slot_status(s), ATA_FREE);
    *s = (struct ata_slot){
        .op = op, .lba = lba, .sectors = sectors, .order = order, .trace = 1000 + order, .error = 1};
    u64 paddr = model_region_paddr(slot, false), left = (u64)sectors * ATA_SECTOR_BYTES;
    for (; left; s->segments++) {
        u64 n = MIN(left, PAGE_BYTES);
        s->segment[s->segments] = (struct ata_segment){paddr, n};
        paddr += n;
        left -= n;
    }
    ata_slot_set_status(s, ATA_QUEUED);
}

/* SPDX-License-Identifier: MIT */
/* The ATA driver's shell: real ports, real time, memory for DMA, and the loop that wakes the driver by irq
 * 14, by cache's notification, and by its deadline. One thread, which waits for nothing but its next message.
 *
 * There is no IOMMU: whoever writes the ring can have any memory written. ata checks the form of a request,
 * not whose frames it names; cache is trusted with that. */
#include "driver.h"

#include <abi/info.h>
#include <abi/layout.h>
#include <abi/trace.h>
#include <ipc/assert.h>
#include <ipc/clock.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <ipc/port.h>
#include <ipc/server.h>
#include <ipc/slab.h>
#include <ipc/space.h>
#include <proto/ata.def>
#include <proto/bits.h>

enum {
    IRQ_LINE = 14,
    BOUNCE_BYTES = ATA_SECTORS_MAX * ATA_SECTOR_BYTES, /* one whole request can be bounced */
    PORTS_PCI = 0xcf8,
    PORTS_COMMAND = 0x1f0,
    PORTS_CONTROL = 0x3f6,
};
_Static_assert((u32)BOUNCE_BYTES <= KMEM_SIZE_MAX, "kmalloc has it in one piece");
_Static_assert(ATA_RING_FRAMES <= ATA_RING_PAGES, "the ring fits the window");

PROTO_DISPATCH(ata, ATA_OPS)

static const struct info_page *const info = (const struct info_page *)INFO_PAGE;
static struct ata_driver driver;
static err disk_error;      /* what driver_init said */
static u32 cache_notify;    /* slot of the endpoint to notify; 0 until attach */
static u32 cache_memory;    /* slot of cache's space (COPY); 0 until attach_memory */
static char *bounce_buffer; /* NULL: not needed */

static u8 in8(void *ctx, u16 port) {
    (void)ctx;
    return port_in8(port);
}
static u16 in16(void *ctx, u16 port) {
    (void)ctx;
    return port_in16(port);
}
static u32 in32(void *ctx, u16 port) {
    (void)ctx;
    return port_in32(port);
}
static void out8(void *ctx, u16 port, u8 value) {
    (void)ctx;
    port_out8(port, value);
}
static void out16(void *ctx, u16 port, u16 value) {
    (void)ctx;
    port_out16(port, value);
}
static void out32(void *ctx, u16 port, u32 value) {
    (void)ctx;
    port_out32(port, value);
}

static u64 now(void *ctx) {
    (void)ctx;
    return clock_ns();
}

static err bounce(void *ctx, u32 offset, u64 paddr, u64 bytes, bool to_memory) {
    (void)ctx;
    if (!cache_memory)
        return -E_FAULT;
    u64 there = OWN_WINDOW + paddr, here = (vaddr)bounce_buffer + offset;
    struct pair p = to_memory ? sys_copy(cache_memory, there, SLOT_SPACE, here, bytes)
                              : sys_copy(SLOT_SPACE, here, cache_memory, there, bytes);
    return p.r == (err)bytes ? 0 : -E_FAULT;
}

static void trace(u64 what, u64 call, u64 a, u64 b, u64 c, u64 d) {
    if (info->trace_mask & BIT(TRACE_USER))
        (void)sys_trace_event(what, call, a, b, c, d); /* nobody could be told */
}

static void event(void *ctx, enum ata_event what, const struct ata_request *r, err detail) {
    (void)ctx;
    switch (what) {
    case ATA_EVENT_START:
        trace(TRACE_USER_disk_request, r->trace, r->lba, r->sectors, r->slot, r->op);
        break;
    case ATA_EVENT_ANSWER:
        trace(TRACE_USER_disk_irq, r->trace, r->slot, (u64)detail, 0, 0);
        break;
    case ATA_EVENT_DONE:
        trace(TRACE_USER_disk_done, r->trace, r->lba, r->sectors, r->slot, (u64)detail);
        if (detail)
            log_line("request failed: op %u, sector %lu, %u sectors: %s", r->op, r->lba, r->sectors,
                     err_name(detail));
        break;
    case ATA_EVENT_TIMEOUT:
        log_line("no answer from the disk: reset (op %u, sector %lu, %u sectors)", r->op, r->lba, r->sectors);
        break;
    case ATA_EVENT_DEAD:
        log_line("the disk does not come back from its reset");
        break;
    }
}

static const struct ata_io io = {NULL, in8, in16, in32, out8, out16, out32, now, bounce, event};

static void serve(void) {
    if (driver_run(&driver))
        (void)sys_notify(cache_notify, BIT(BIT_DISK)); /* cache may be gone: then nobody waits */
}

/* Whether cache has mapped all of the ring: a hole in it would be a crash here. */
static bool ring_is_mapped(void) {
    struct pair p = sys_scan(SLOT_SPACE, ATA_RING_WINDOW, ATA_RING_FRAMES, 0);
    if (p.r < 0 || (u32)p.second != ATA_RING_FRAMES)
        return false;
    const struct range_record *record = (const struct range_record *)ipc_area();
    for (u32 i = 0; i < ATA_RING_FRAMES; i++)
        if ((record[i].value & (PTE_PRESENT | PTE_WRITE)) != (PTE_PRESENT | PTE_WRITE))
            return false;
    return true;
}

/* Puts the capability that came with a message into *place. */
static void keep_cap(struct ipc_ctx *c, u32 *place) {
    if (*place) {
        (void)sys_cap_drop(SLOT_TABLE, *place); /* it may be dead already */
        slot_free(*place);
    }
    *place = c->cap;
    c->cap = 0;
}

err ata_on_attach(struct ipc_ctx *c, const struct ata_attach_req *req, struct ata_attach_rep *rep) {
    if (!c->cap || req->ring_pages != ATA_RING_FRAMES)
        return -E_INVAL;
    if (disk_error)
        return disk_error;
    if (!ring_is_mapped())
        return -E_FAULT;
    err e = driver_attach(&driver, (struct ata_ring *)ATA_RING_WINDOW);
    if (e)
        return e;
    keep_cap(c, &cache_notify);
    rep->sectors = driver.sectors;
    serve();
    return 0;
}

err ata_on_attach_memory(struct ipc_ctx *c, const struct ata_attach_memory_req *req,
                         struct ata_attach_memory_rep *rep) {
    (void)req, (void)rep;
    if (!c->cap)
        return -E_INVAL;
    keep_cap(c, &cache_memory);
    return 0;
}

static err on_call(struct ipc_ctx *c, u64 label, u64 *w) {
    err e = c->badge == SRV_CACHE ? ata_dispatch(c, label, w) : -E_PERM;
    if (c->cap) {
        (void)sys_cap_drop(SLOT_TABLE, c->cap); /* not wanted; it was put there just now */
        slot_free(c->cap);
    }
    return e;
}

static void on_bits(u64 bits) {
    if (bits & BIT(BIT_DRAIN)) {
        kmem_cache_drain();
        drain_magazines();
    }
    serve();
}

static u64 deadline;

static bool before_wait(void) {
    deadline = clock_deadline(driver_deadline(&driver));
    return false;
}

/* Slabs for DMA are contiguous and pinned: so is what lies in them. */
static struct ata_dma dma_init(void) {
    struct kmem_cache *tables =
        kmem_cache_create("ata_prd", PRD_MAX * sizeof(struct ata_prd), 0, SLAB_CACHE_DMA, NULL, NULL);
    ASSERT(tables);
    struct ata_dma dma = {.prd = kmem_cache_alloc(tables, GFP_DMA)};
    ASSERT(dma.prd);
    dma.prd_paddr = (u32)virt_to_phys(dma.prd);
    ASSERT(dma.prd_paddr / PRD_BOUNDARY == (dma.prd_paddr + PRD_MAX * sizeof *dma.prd - 1) / PRD_BOUNDARY);
    if (info->frames > 1ull << (32 - PAGE_SHIFT)) { /* otherwise no segment is high */
        bounce_buffer = kmalloc(BOUNCE_BYTES, GFP_DMA);
        ASSERT(bounce_buffer);
        dma.bounce_paddr = (u32)virt_to_phys(bounce_buffer);
    }
    return dma;
}

static void hardware_init(void) {
    err e = sys_ports(SLOT_IOPORT, PORTS_PCI, 8);
    if (!e)
        e = sys_ports(SLOT_IOPORT, PORTS_COMMAND, 8);
    if (!e)
        e = sys_ports(SLOT_IOPORT, PORTS_CONTROL, 1);
    if (!e)
        e = sys_irq(SLOT_IRQ, IRQ_LINE, SLOT_ENDPOINT, BIT_ATA_IRQ);
    ASSERT(e == 0);
    disk_error = driver_init(&driver, &io, dma_init());
    if (disk_error) {
        log_line("no disk: %s", err_name(disk_error));
        return;
    }
    e = sys_ports(SLOT_IOPORT, driver.ports.bm, 8);
    ASSERT(e == 0);
    log_line("disk of %lu sectors", driver.sectors);
}

int main(void) {
    static const struct server server = {
        .name = "ata",
        .endpoint = SLOT_ENDPOINT,
        .takes_caps = true,
        .on_call = on_call,
        .on_bits = on_bits,
        .deadline = &deadline,
        .before_wait = before_wait,
    };
    log_name(server.name);
    err e = frame_client_init();
    if (!e)
        e = kmem_cache_init();
    ASSERT(e == 0);
    hardware_init();
    server_run(&server);
}

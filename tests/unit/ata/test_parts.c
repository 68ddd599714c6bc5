/* SPDX-License-Identifier: MIT */
/* PCI search, IDENTIFY, reading a slot, PRD lists: each by itself. */
#include "disk_model.h"

#include <abi/errors.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(pci, finds_and_enables_the_controller) {
    struct disk_model *m = model_new();
    struct ata_ports ports;
    m->pci_command = 0x0100;
    cr_assert_eq(pci_find_ide(&m->io, &ports), 0);
    cr_assert_eq(ports.command, 0x1f0);
    cr_assert_eq(ports.control, 0x3f6);
    cr_assert_eq(ports.bm, BM_BASE);
    cr_assert_eq(m->pci_command, 0x0105);
    free(m);
}

Test(pci, searches_the_bus) {
    struct disk_model *m = model_new();
    struct ata_ports ports;
    m->devfn = 31 << 3 | 7;
    cr_assert_eq(pci_find_ide(&m->io, &ports), 0);
    m->devfn = 256;
    cr_assert_eq(pci_find_ide(&m->io, &ports), -E_NODEV);
    free(m);
}

Test(pci, refuses_a_wrong_bar) {
    const u32 wrong[] = {0, 1, 0xc040, 0xc041 | 4, 0x1c041, 0xfffffff1};
    struct disk_model *m = model_new();
    for (u32 i = 0; i < ARRAY_LEN(wrong); i++) {
        struct ata_ports ports = {.bm = 77};
        m->bar4 = wrong[i];
        cr_assert_eq(pci_find_ide(&m->io, &ports), -E_NODEV, "bar %#x", wrong[i]);
        cr_assert_eq(ports.bm, 77);
    }
    free(m);
}

Test(identify, size_of_the_disk) {
    struct disk_model *m = model_new();
    cr_assert_eq(model_init_driver(m), 0);
    cr_assert_eq(m->driver.sectors, DISK_SECTORS);
    cr_assert_eq(m->pio_words, 0);
    free(m);
}

static void expect_no_disk(struct disk_model *m, err expected) {
    u64 begin = m->time;
    cr_assert_eq(model_init_driver(m), expected);
    cr_assert_eq(m->driver.sectors, 0);
    cr_assert_leq(m->time - begin, 3 * ATA_IDENTIFY_MS * NS_PER_MS);
    /* The driver answers all the same. */
    cr_assert_eq(driver_attach(&m->driver, &m->ring), 0);
    model_queue(m, 5, ATA_READ, 0, 1, 0);
    cr_assert_eq(driver_run(&m->driver), 1);
    cr_assert_eq(ata_slot_status(&m->ring.slot[5]), ATA_DONE);
    cr_assert_eq(m->ring.slot[5].error, expected);
    free(m);
}

Test(identify, each_way_to_have_no_disk) {
    struct disk_model *m = model_new();
    m->absent = true;
    expect_no_disk(m, -E_NODEV);
    m = model_new();
    m->devfn = 256;
    expect_no_disk(m, -E_NODEV);
    m = model_new();
    m->packet = true;
    expect_no_disk(m, -E_NODEV);
    m = model_new();
    m->no_lba48 = true;
    expect_no_disk(m, -E_OPNOTSUPP);
    m = model_new();
    m->identify_fails = true;
    expect_no_disk(m, -E_IO);
    m = model_new();
    m->identify_hangs = true;
    expect_no_disk(m, -E_TIMEDOUT);
}

static const struct ata_slot good = {
    .status = ATA_QUEUED,
    .op = ATA_READ,
    .lba = 100,
    .sectors = 3,
    .segments = 2,
    .trace = 42,
    .segment = {{0x1000, 1024}, {0x5002, 512}},
};

static err read_one(struct ata_slot slot, struct ata_request *out) {
    static struct ata_ring ring;
    ring.slot[3] = slot;
    return request_read(&ring, 3, 1000, out);
}

Test(request, a_good_one) {
    struct ata_request r;
    cr_assert_eq(read_one(good, &r), 0);
    cr_assert(r.slot == 3 && r.op == ATA_READ && r.lba == 100 && r.sectors == 3 && r.segments == 2 &&
              r.trace == 42);
    cr_assert(memcmp(r.segment, good.segment, 2 * sizeof r.segment[0]) == 0);
    struct ata_slot flush = {.op = ATA_FLUSH};
    cr_assert_eq(read_one(flush, &r), 0);
    struct ata_slot last = good;
    last.lba = 997;
    cr_assert_eq(read_one(last, &r), 0);
}

#define EXPECT_BAD(change)                                                                                   \
    do {                                                                                                     \
        struct ata_slot s = good;                                                                            \
        struct ata_request r;                                                                                \
        change;                                                                                              \
        cr_expect_eq(read_one(s, &r), -E_INVAL, #change);                                                    \
    } while (0)

Test(request, each_broken_rule) {
    EXPECT_BAD(s.op = 0);
    EXPECT_BAD(s.op = ATA_FLUSH);
    EXPECT_BAD(s.op = ATA_FLUSH + 1);
    EXPECT_BAD(s.op = 0xffffffff);
    EXPECT_BAD(s.lba = 998);
    EXPECT_BAD(s.lba = ~0ull);
    EXPECT_BAD(s.lba = ~0ull - 2);
    EXPECT_BAD(s.sectors = 0);
    EXPECT_BAD(s.sectors = 2);
    EXPECT_BAD(s.sectors = ATA_SECTORS_MAX + 1);
    EXPECT_BAD(s.sectors = 0xffffffff);
    EXPECT_BAD(s.segments = 0);
    EXPECT_BAD(s.segments = 1);
    EXPECT_BAD(s.segments = ATA_SEGMENTS_MAX + 1);
    EXPECT_BAD(s.segments = 0xffffffff);
    EXPECT_BAD(s.segment[0].paddr = 0x1001);
    EXPECT_BAD(s.segment[1].paddr = ~1ull);
    EXPECT_BAD(s.segment[1].paddr = ATA_PHYS_LIMIT - 510);
    EXPECT_BAD(s.segment[0].bytes = 0);
    EXPECT_BAD((s.segment[0].bytes = 1023, s.segment[1].bytes = 513));
    EXPECT_BAD(s.segment[1].bytes = ~1ull);
    EXPECT_BAD((s.sectors = 131, s.segment[0].bytes = ATA_SEGMENT_MAX + 512, s.segment[1].bytes = 1024));
}

Test(request, next_is_the_lowest_order) {
    struct ata_ring ring = {0};
    cr_assert_eq(request_next(&ring), -1);
    ring.slot[31] = (struct ata_slot){.status = ATA_QUEUED, .order = 7};
    cr_assert_eq(request_next(&ring), 31);
    ring.slot[4] = (struct ata_slot){.status = ATA_QUEUED, .order = 9};
    ring.slot[5] = (struct ata_slot){.status = ATA_ACTIVE, .order = 1};
    ring.slot[6] = (struct ata_slot){.status = ATA_DONE, .order = 2};
    ring.slot[7] = (struct ata_slot){.status = 99, .order = 3};
    cr_assert_eq(request_next(&ring), 31);
    ring.slot[31].status = ATA_FREE;
    cr_assert_eq(request_next(&ring), 4);
}

Test(prd, cuts_at_64_kib) {
    struct ata_prd t[PRD_MAX];
    struct ata_request r = {
        .op = ATA_READ,
        .segments = 4,
        .segment = {{0x1fffe, 4}, {0x30000, 0x10000}, {0xfffffff0, 16}, {0x45000, 0x2000}}};
    cr_assert_eq(prd_build(t, &r, BOUNCE_PADDR), 5);
    const struct ata_prd want[] = {
        {0x1fffe, 2, 0}, {0x20000, 2, 0}, {0x30000, 0, 0}, {0xfffffff0, 16, 0}, {0x45000, 0x2000, PRD_LAST}};
    cr_assert(memcmp(t, want, sizeof want) == 0);
}

Test(prd, high_segments_share_the_bounce_buffer) {
    struct ata_prd t[PRD_MAX];
    struct ata_request r = {.op = ATA_READ,
                            .segments = 3,
                            .segment = {{1ull << 32, 0x200}, {0x2000, 0x200}, {(1ull << 32) - 2, 0x400}}};
    cr_assert_eq(prd_build(t, &r, 0x1fe00), 3);
    const struct ata_prd want[] = {{0x1fe00, 0x200, 0}, {0x2000, 0x200, 0}, {0x20000, 0x400, PRD_LAST}};
    cr_assert(memcmp(t, want, sizeof want) == 0);
}

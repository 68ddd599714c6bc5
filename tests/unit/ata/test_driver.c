/* SPDX-License-Identifier: MIT */
/* The driver against the scripted disk, one situation a test. */
#include "disk_model.h"

#include <abi/errors.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct disk_model *begin(void) {
    struct disk_model *m = model_new();
    cr_assert_eq(model_init_driver(m), 0);
    m->irq = false;
    cr_assert_eq(driver_attach(&m->driver, &m->ring), 0);
    cr_assert_eq(driver_run(&m->driver), 0);
    cr_assert_eq(driver_deadline(&m->driver), 0);
    return m;
}

#define LAST_LOOKS_MS 500 /* more than the model's time for ATA_LAST_LOOKS */

static void run_until_done(struct disk_model *m, u32 slot, u64 limit_ms) {
    u64 end = m->time + limit_ms * NS_PER_MS;
    while (ata_slot_status(&m->ring.slot[slot]) != ATA_DONE) {
        cr_assert_lt(m->time, end, "slot %u takes too long", slot);
        model_step(m, NS_PER_MS * 1000);
    }
}

static void expect_data(struct disk_model *m, u32 slot, u64 lba, u32 sectors) {
    cr_assert_eq(m->ring.slot[slot].error, 0);
    u64 bytes = (u64)sectors * ATA_SECTOR_BYTES;
    cr_assert(memcmp(model_region(m, slot, false), m->disk[lba], bytes) == 0);
    cr_assert_eq(model_region(m, slot, false)[bytes], 0xaa);
}

Test(driver, reads) {
    struct disk_model *m = begin();
    model_queue(m, 0, ATA_READ, 7, 256, 0);
    cr_assert_eq(driver_run(&m->driver), 0);
    cr_assert_eq(ata_slot_status(&m->ring.slot[0]), ATA_ACTIVE);
    cr_assert_neq(driver_deadline(&m->driver), 0);
    cr_assert_eq(model_step(m, NS_PER_MS), 1);
    expect_data(m, 0, 7, 256);
    cr_assert(m->events[ATA_EVENT_START] == 1 && m->events[ATA_EVENT_ANSWER] == 1 &&
              m->events[ATA_EVENT_DONE] == 1);
    cr_assert_eq(m->last.trace, 1000);
    cr_assert_eq(driver_deadline(&m->driver), 0);
    free(m);
}

Test(driver, writes_and_flushes) {
    struct disk_model *m = begin();
    memset(model_region(m, 2, false), 0x5b, 1024);
    model_queue(m, 2, ATA_WRITE, 4094, 2, 0);
    model_queue(m, 1, ATA_FLUSH, 0, 0, 1);
    driver_run(&m->driver);
    run_until_done(m, 1, 10);
    cr_assert_eq(ata_slot_status(&m->ring.slot[2]), ATA_DONE);
    cr_assert(m->ring.slot[2].error == 0 && m->ring.slot[1].error == 0);
    cr_assert(m->disk[4094][0] == 0x5b && m->disk[4095][511] == 0x5b && m->disk[4093][511] != 0x5b);
    free(m);
}

Test(driver, high_memory_both_ways) {
    struct disk_model *m = begin();
    model_queue(m, 0, ATA_READ, 10, 16, 0);
    m->ring.slot[0].segment[1].paddr = model_region_paddr(0, true) + 2; /* unaligned, second page only */
    driver_run(&m->driver);
    run_until_done(m, 0, 10);
    cr_assert_eq(m->ring.slot[0].error, 0);
    cr_assert(memcmp(model_region(m, 0, false), m->disk[10], 4096) == 0);
    cr_assert(memcmp(model_region(m, 0, true) + 2, m->disk[18], 4096) == 0);
    cr_assert(model_region(m, 0, true)[1] == 0xaa && model_region(m, 0, true)[4098] == 0xaa);

    memset(model_region(m, 1, true), 0x77, 4096);
    model_queue(m, 1, ATA_WRITE, 50, 8, 0);
    m->ring.slot[1].segment[0].paddr = model_region_paddr(1, true);
    driver_run(&m->driver);
    run_until_done(m, 1, 10);
    cr_assert(m->disk[50][0] == 0x77 && m->disk[57][511] == 0x77);
    free(m);
}

Test(driver, high_memory_that_is_not_mapped) {
    struct disk_model *m = begin();
    m->unmapped = true;
    model_queue(m, 0, ATA_READ, 10, 8, 0);
    model_queue(m, 1, ATA_WRITE, 10, 8, 1);
    m->ring.slot[0].segment[0].paddr = model_region_paddr(0, true);
    m->ring.slot[1].segment[0].paddr = model_region_paddr(1, true);
    driver_run(&m->driver);
    run_until_done(m, 1, 10);
    cr_assert(m->ring.slot[0].error == -E_FAULT && m->ring.slot[1].error == -E_FAULT);
    cr_assert_eq(m->events[ATA_EVENT_START], 1, "the write must not begin");
    free(m);
}

Test(driver, an_error_fails_its_request_only) {
    struct disk_model *m = begin();
    m->bad[20] = true;
    model_queue(m, 0, ATA_READ, 16, 8, 0);
    model_queue(m, 1, ATA_READ, 21, 8, 1);
    model_queue(m, 2, ATA_READ, 13, 8, 2);
    driver_run(&m->driver);
    run_until_done(m, 2, 10);
    cr_assert_eq(m->ring.slot[0].error, -E_IO);
    expect_data(m, 1, 21, 8);
    cr_assert_eq(m->ring.slot[2].error, -E_IO);
    cr_assert_eq(m->resets, 0);
    free(m);
}

Test(driver, serves_in_order) {
    struct disk_model *m = begin();
    for (u32 i = 0; i < ATA_SLOTS; i++)
        model_queue(m, (i * 11) % ATA_SLOTS, ATA_READ, i, 1, 100 + i);
    driver_run(&m->driver);
    for (u32 i = 0; i < ATA_SLOTS; i++) {
        run_until_done(m, (i * 11) % ATA_SLOTS, 10);
        for (u32 j = i + 1; j < ATA_SLOTS; j++)
            cr_assert_neq(ata_slot_status(&m->ring.slot[(j * 11) % ATA_SLOTS]), ATA_DONE);
    }
    free(m);
}

Test(driver, a_lost_irq_costs_a_glance) {
    struct disk_model *m = begin();
    m->lost_irqs = 1;
    model_queue(m, 0, ATA_READ, 0, 8, 0);
    driver_run(&m->driver);
    run_until_done(m, 0, ATA_GLANCE_MS + 1);
    expect_data(m, 0, 0, 8);
    cr_assert_eq(m->resets, 0);
    free(m);
}

Test(driver, spurious_irqs_change_nothing) {
    struct disk_model *m = begin();
    cr_assert_eq(driver_run(&m->driver), 0);
    model_queue(m, 0, ATA_READ, 0, 8, 0);
    m->delay_ns = NS_PER_MS;
    for (int i = 0; i < 5; i++) {
        if (i == 3)
            m->bm_status |= 4; /* and one that even shows in the bus master while the disk is busy */
        cr_assert_eq(driver_run(&m->driver), 0);
    }
    run_until_done(m, 0, 10);
    expect_data(m, 0, 0, 8);
    cr_assert_eq(m->commands, 2, "IDENTIFY and one read");
    free(m);
}

/* A virtual clock has skipped all the time that the machine was idle. */
Test(driver, an_answer_during_the_last_looks_is_none_too_late) {
    struct disk_model *m = begin();
    m->delay_ns = ATA_COMMAND_MS * (u64)NS_PER_MS + NS_PER_MS;
    model_queue(m, 0, ATA_READ, 0, 8, 0);
    driver_run(&m->driver);
    run_until_done(m, 0, ATA_COMMAND_MS + 2);
    expect_data(m, 0, 0, 8);
    cr_assert_eq(m->resets, 0);
    free(m);
}

Test(driver, a_hanging_command_is_tried_again) {
    struct disk_model *m = begin();
    m->hangs = ATA_ATTEMPTS - 1;
    model_queue(m, 0, ATA_READ, 0, 8, 0);
    driver_run(&m->driver);
    run_until_done(m, 0, (ATA_ATTEMPTS - 1) * (ATA_COMMAND_MS + LAST_LOOKS_MS) + 10);
    expect_data(m, 0, 0, 8);
    cr_assert_eq(m->resets, ATA_ATTEMPTS - 1);
    free(m);
}

Test(driver, a_command_that_always_hangs_fails) {
    struct disk_model *m = begin();
    m->hangs = ATA_ATTEMPTS;
    model_queue(m, 0, ATA_READ, 0, 8, 0);
    model_queue(m, 1, ATA_READ, 8, 8, 1);
    driver_run(&m->driver);
    run_until_done(m, 0, ATA_ATTEMPTS * (ATA_COMMAND_MS + LAST_LOOKS_MS));
    cr_assert_eq(m->ring.slot[0].error, -E_IO);
    run_until_done(m, 1, 10);
    expect_data(m, 1, 8, 8);
    free(m);
}

Test(driver, a_disk_that_refuses_a_command_is_reset) {
    struct disk_model *m = begin();
    m->refuses = true;
    model_queue(m, 0, ATA_READ, 0, 8, 0);
    driver_run(&m->driver);
    run_until_done(m, 0, 100);
    expect_data(m, 0, 0, 8);
    cr_assert_eq(m->resets, 1);
    free(m);
}

Test(driver, a_disk_that_does_not_come_back) {
    struct disk_model *m = begin();
    m->hangs = 1;
    m->dead_after_reset = true;
    for (u32 i = 0; i < ATA_SLOTS; i++)
        model_queue(m, i, ATA_READ, i, 1, i);
    driver_run(&m->driver);
    run_until_done(m, ATA_SLOTS - 1, ATA_COMMAND_MS + LAST_LOOKS_MS + ATA_RESET_MS + 10);
    for (u32 i = 0; i < ATA_SLOTS; i++)
        cr_assert_eq(m->ring.slot[i].error, -E_IO);
    cr_assert_eq(m->events[ATA_EVENT_DEAD], 1);
    cr_assert_eq(driver_deadline(&m->driver), 0);
    free(m);
}

Test(driver, refuses_a_ring_without_its_head) {
    struct disk_model *m = model_new();
    cr_assert_eq(model_init_driver(m), 0);
    m->ring.magic++;
    cr_assert_eq(driver_attach(&m->driver, &m->ring), -E_INVAL);
    m->ring.magic--;
    m->ring.slots = 16;
    cr_assert_eq(driver_attach(&m->driver, &m->ring), -E_INVAL);
    cr_assert_null(m->driver.ring);
    free(m);
}

Test(driver, attach_begins_active_requests_again) {
    struct disk_model *m = begin();
    model_queue(m, 3, ATA_READ, 30, 8, 0);
    m->delay_ns = NS_PER_MS;
    driver_run(&m->driver);
    cr_assert_eq(ata_slot_status(&m->ring.slot[3]), ATA_ACTIVE);
    /* cache was restarted while the disk worked: the same ring comes again. */
    cr_assert_eq(driver_attach(&m->driver, &m->ring), 0);
    cr_assert_eq(m->bm_command, 0, "the bus master must not write any more");
    driver_run(&m->driver);
    run_until_done(m, 3, 100);
    expect_data(m, 3, 30, 8);
    cr_assert_eq(m->events[ATA_EVENT_DONE], 1);
    free(m);
}

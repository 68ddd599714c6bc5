/* SPDX-License-Identifier: MIT */
/* Reading the loader's tables, and the trace ring. */
#include "world.h"
#include "boot/bootinfo.h"
#include "boot/main.h"
#include "core/trace.h"
#include <criterion/criterion.h>
#include <string.h>

enum { AT = 0x1000, STRINGS = 0x1800 };

TestSuite(boot, .init = world_init);

static struct boot_info info;

static void put32(u64 at, u32 value) {
    memcpy(phys_to_virt(at), &value, 4);
}
static void put64(u64 at, u64 value) {
    memcpy(phys_to_virt(at), &value, 8);
}
static u32 put_string(u64 at, const char *text) {
    strcpy(phys_to_virt(at), text);
    return (u32)at;
}

/* Multiboot's tables with `ranges` as {base, bytes, type} and one module. */
static void make_tables(const u64 (*ranges)[3], u32 count) {
    put32(AT, 1 << 2 | 1 << 3 | 1 << 6);
    put32(AT + 16, put_string(STRINGS, "/boot/quire.elf trace=all mode=cmd"));
    put32(AT + 20, 1);
    put32(AT + 24, AT + 0x100);
    put32(AT + 0x100, 0x400000);
    put32(AT + 0x104, 0x400123);
    put32(AT + 0x108, put_string(STRINGS + 0x100, "build/servers/root.elf one two"));
    put32(AT + 44, count * 24);
    put32(AT + 48, AT + 0x200);
    for (u32 i = 0; i < count; i++) {
        put32(AT + 0x200 + i * 24, 20);
        put64(AT + 0x204 + i * 24, ranges[i][0]);
        put64(AT + 0x20c + i * 24, ranges[i][1]);
        put32(AT + 0x214 + i * 24, (u32)ranges[i][2]);
    }
}

static const u64 usual[][3] = {{0, 0x9fc00, 1},
                               {0x9fc00, 0x400, 2},
                               {0x100000, 0x1fee0000, 1},
                               {0xfffc0000, 0x40000, 2},
                               {0xfd00000000, 0x300000000, 2}};

Test(boot, multiboot) {
    make_tables(usual, ARRAY_LEN(usual));
    cr_assert_eq(boot_info_read(&info, MULTIBOOT_MAGIC, AT), 0);
    cr_assert_eq(info.ranges_count, 2);
    cr_assert(info.ranges[0].first == 0 && info.ranges[0].frames == 0x9f);
    cr_assert(info.ranges[1].first == 0x100 && info.ranges[1].frames == 0x1fee0);
    cr_assert_eq(info.modules_count, 1);
    cr_assert(info.modules[0].first == 0x400 && info.modules[0].bytes == 0x123);
    cr_assert_str_eq(info.modules[0].name, "root");
    cr_assert(!strncmp(boot_word(info.cmdline, "trace"), "all", 3));
    cr_assert(!strcmp(boot_word(info.cmdline, "mode"), "cmd"));
    cr_assert_null(boot_word(info.cmdline, "mod"));
    cr_assert_null(boot_word(info.cmdline, "race"));
}

Test(boot, words_of_one_key) {
    const char *w = boot_word("trace=all x trace=12 trac=1 =", "trace");
    cr_assert(!strncmp(w, "all ", 4));
    w = boot_word(w, "trace");
    cr_assert(!strncmp(w, "12 ", 3));
    cr_assert_null(boot_word(w, "trace"));
    cr_assert_null(boot_word("", "trace"));
}

Test(boot, ragged_and_absurd_ranges) {
    static const u64 odd[][3] = {{0x1234, 0x1000, 1}, {0x100001, 0x2fff, 1}, {1ull << 45, 1ull << 30, 1}};
    make_tables(odd, ARRAY_LEN(odd));
    cr_assert_eq(boot_info_read(&info, MULTIBOOT_MAGIC, AT), 0);
    cr_assert_eq(info.ranges_count, 1);
    cr_assert(info.ranges[0].first == 0x101 && info.ranges[0].frames == 2);
}

Test(boot, what_is_wrong_is_refused) {
    make_tables(usual, ARRAY_LEN(usual));
    cr_assert_eq(boot_info_read(&info, 0x12345678, AT), -E_PROTO);
    put32(AT + 0x100, 0x400001);
    cr_assert_eq(boot_info_read(&info, MULTIBOOT_MAGIC, AT), -E_INVAL);
    put32(AT, 1 << 3);
    cr_assert_eq(boot_info_read(&info, MULTIBOOT_MAGIC, AT), -E_PROTO);
    info = (struct boot_info){0};
    make_tables(usual, 0);
    cr_assert_eq(boot_info_read(&info, MULTIBOOT_MAGIC, AT), -E_PROTO);
}

Test(boot, too_many_modules) {
    make_tables(usual, ARRAY_LEN(usual));
    put32(AT + 20, INFO_MODULES + 1);
    put32(AT + 24, AT + 0x400);
    for (u32 i = 0; i <= INFO_MODULES; i++) {
        put32(AT + 0x400 + i * 16, 0x400000);
        put32(AT + 0x404 + i * 16, 0x401000);
        put32(AT + 0x408 + i * 16, STRINGS);
    }
    cr_assert_eq(boot_info_read(&info, MULTIBOOT_MAGIC, AT), -E_2BIG);
}

Test(boot, the_ring_is_packets_at_any_moment) {
    enum { PACKETS = 3 };
    const u8 *ring = frame_to_virt(100);
    trace_init(100 << PAGE_SHIFT, PACKETS);
    cr_assert(!trace_on(TRACE_USER));
    trace(TRACE_USER, 1, 0, 0, 0, 0, 0, 0);
    trace_set_mask(1ull << TRACE_USER);
    cr_assert_eq(info_page->trace_mask, 1ull << TRACE_USER);
    for (u64 i = 0; i < 4 * TRACE_EVENTS + 5; i++) {
        trace(TRACE_IRQ, 1, 0, 0, 0, 0, 0, 0);
        trace(TRACE_USER, 7, i, 0, 0, 0, 0, 9);
    }
    /* Packets 2, 3 and 4 are there; 4 has five events. */
    u64 sum = 0;
    for (u32 i = 0; i < PACKETS; i++) {
        const struct trace_packet *p = (const struct trace_packet *)(ring + i * PAGE_BYTES);
        const struct trace_event *e = (const struct trace_event *)(p + 1);
        u64 events = (p->content_size / 8 - sizeof *p) / sizeof *e;
        cr_assert_eq(p->magic, TRACE_MAGIC);
        cr_assert_eq(p->packet_size, PAGE_BYTES * 8);
        cr_assert_eq(p->packet_seq_num % PACKETS, i);
        cr_assert_eq(events, p->packet_seq_num == 4 ? 5 : TRACE_EVENTS);
        for (u64 k = 0; k < events; k++) {
            cr_assert(e[k].id == TRACE_USER && e[k].tid == 7 && e[k].payload[5] == 9);
            cr_assert_eq(e[k].payload[0], p->packet_seq_num * TRACE_EVENTS + k);
            cr_assert(e[k].timestamp >= p->timestamp_begin && e[k].timestamp <= p->timestamp_end);
        }
        sum += p->packet_seq_num;
    }
    cr_assert_eq(sum, 2 + 3 + 4);
}

Test(boot, without_a_ring_nothing_is_traced) {
    trace_init(0, 0);
    trace_set_mask(~0ull);
    cr_assert(!trace_on(TRACE_USER));
}

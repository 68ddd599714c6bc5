/* SPDX-License-Identifier: MIT */
/* The information page: read only in every server at INFO_PAGE, written by the kernel, and by root the time of
 * day. */
#pragma once

#include <abi/types.h>

#define INFO_MODULES 16
#define INFO_RANGES  24
#define INFO_CMDLINE 512
#define INFO_MAGIC   0x6572697551ull /* "Quire" */

struct info_module {
    u64 first; /* frame; account 1's */
    u64 bytes;
    char name[32]; /* base name without ".elf" */
};
struct info_range {
    u64 first, frames; /* usable RAM as the firmware tells it (multiboot type 1), in frames */
};
struct info_page {
    u64 magic;
    u64 tsc_per_ms;
    u64 boot_tsc;                    /* TSC when the kernel had begun */
    u64 boot_wall_s;                 /* seconds since 1970, UTC, at boot_tsc: from the RTC, by root */
    u64 trace_mask;                  /* as trace_mask() set it: bit = enum trace_kind */
    u64 frames;                      /* frame numbers are below this */
    u64 kernel_first, kernel_frames; /* image, frame table, kernel's own tables */
    u64 trace_first, trace_frames;   /* the trace ring; 0 if none */
    u64 irqs_off_max; /* longest path with interrupts off since boot, in TSC ticks (debug builds; else 0) */
    u64 switches;     /* address-space switches since boot */
    u64 modules_count;
    struct info_module modules[INFO_MODULES];
    u64 ranges_count;
    struct info_range ranges[INFO_RANGES];
    char cmdline[INFO_CMDLINE];
};
_Static_assert(sizeof(struct info_page) <= PAGE_BYTES, "the information page is one page");

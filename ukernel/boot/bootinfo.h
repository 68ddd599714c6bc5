/* SPDX-License-Identifier: MIT */
/* What the loader tells, copied out at once: the loader's own tables are not kept. */
#pragma once

#include <abi/errors.h>
#include <abi/info.h>

#define MULTIBOOT_MAGIC 0x2badb002u /* what the loader leaves in eax */

struct boot_info {
    u64 modules_count;
    struct info_module modules[INFO_MODULES];
    u64 ranges_count;
    struct info_range ranges[INFO_RANGES]; /* whole frames of RAM (type 1), as the firmware orders them */
    char cmdline[INFO_CMDLINE];
};

/* Read the loader's tables at physical address `at` (in the physical map). 0; -E_PROTO: another magic or no
 * memory map; -E_2BIG: more modules than INFO_MODULES; -E_INVAL: a module that does not begin on a page.
 * Ranges beyond INFO_RANGES are left unused, and so is RAM beyond BOOT_RAM_MAX. *info must be zero. */
must_check err boot_info_read(struct boot_info *info, u32 magic, u64 at);

#define BOOT_RAM_MAX (1ull << 39) /* one top-level slot of the physical map */

/* The value of the word `key=value` of the command line, up to the next space; NULL if there is none. The
 * value found can be passed again as command line, for the next such word. */
const char *boot_word(const char *cmdline, const char *key);

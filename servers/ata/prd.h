/* SPDX-License-Identifier: MIT */
/* The bus master's list of memory (physical region descriptors; Intel 82371SB, "Bus Master IDE"). */
#pragma once

#include "request.h"

struct ata_prd {
    u32 paddr; /* even; the region does not cross a multiple of 64 KiB */
    u16 bytes; /* even; 0 means 64 KiB */
    u16 flags; /* PRD_LAST in the last entry */
};

_Static_assert(sizeof(struct ata_prd) == 8, "layout of a PRD");

#define PRD_LAST     0x8000u
#define PRD_BOUNDARY 0x10000u
/* A segment of at most 64 KiB crosses at most one boundary. */
#define PRD_MAX (2 * ATA_SEGMENTS_MAX)

_Static_assert(ATA_SEGMENT_MAX <= PRD_BOUNDARY, "a segment needs at most two PRDs");

/* Writes the table for a checked READ or WRITE; high segments lie one after another in the bounce buffer at
 * bounce_paddr. Returns the number of entries, 1 to PRD_MAX. */
u32 prd_build(struct ata_prd table[PRD_MAX], const struct ata_request *request, u32 bounce_paddr);

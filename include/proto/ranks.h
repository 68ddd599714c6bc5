/* SPDX-License-Identifier: MIT */
/* Calls only go down: a server calls only servers of a lower rank. Those of the protocols' servers stand in
 * their .def; nobody calls linux or root. */
#pragma once

#include <abi/layout.h>
#include <proto/ata.def>
#include <proto/cache.def>
#include <proto/console.def>
#include <proto/frame.def>
#include <proto/region.def>
#include <proto/slab.def>

#define LINUX_RANK 7
#define ROOT_RANK  8

static const u8 server_rank[SRV_COUNT] = {
    [SRV_ROOT] = ROOT_RANK,     [SRV_FRAME] = FRAME_RANK,    [SRV_SLAB] = SLAB_RANK,
    [SRV_REGION] = REGION_RANK, [SRV_CACHE] = CACHE_RANK,    [SRV_ATA] = ATA_RANK,
    [SRV_LINUX] = LINUX_RANK,   [SRV_CONSOLE] = CONSOLE_RANK};

/* SPDX-License-Identifier: MIT */
/* Who this server is, and its own space: mapping, with the table pool fed as needed. */
#pragma once

#include <ipc/sys.h>

/* Set before main() runs. */
extern u32 server_id;       /* enum server_id */
extern u32 server_priority; /* enum priority */
extern u32 server_slots;    /* size of the capability table */

void server_start(u32 id, u32 priority, u32 slots);

/* Enter n own frames (any n) into zero entries of `space` (SLOT_SPACE, or a permit with MAP and FEED),
 * feeding its table pool with frames from <ipc/frame.h> when it runs dry. 0, or -E_xxx of the first item that
 * failed: those before it are entered. */
must_check err space_map(u32 space, const struct map_item *items, u32 n);
/* Add n frames (<= FEED_MAX) to the table pool of space. */
must_check err space_feed(u32 space, u32 n);
/* Remove the mappings of [first, first + pages) and leave nothing behind; the frames stay this server's. */
void space_unmap(u32 space, vaddr first, u64 pages);
/* Where in physical memory an address lies that is mapped here. For drivers: of memory that is pinned. */
u64 virt_to_phys(const void *address);

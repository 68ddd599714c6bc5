/* SPDX-License-Identifier: MIT */
/* Boot's division of RAM: what is taken before the frame table stands, and the frame table itself. */
#pragma once

#include "boot/bootinfo.h"

/* Plan with this memory; [first, first + frames) of it (the kernel's image) and the modules are taken
 * already. */
void memory_init(const struct boot_info *info, pfn first, u64 frames);

/* Take contiguous frames, as high as possible below 4 GiB so that low memory stays for DMA. Panics if there
 * are none. */
pfn memory_take(u64 frames);

/* One more than the highest frame of RAM. */
pfn memory_end(void);

/* Fill frame_table (frame_count entries at its place already): everything reserved but RAM, which is account
 * 2's; what was taken is the kernel's. Then `root_frames` free frames and the modules become account 1's.
 * Returns the first of the former; they are contiguous. */
pfn memory_divide(u64 root_frames);

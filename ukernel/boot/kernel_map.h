/* SPDX-License-Identifier: MIT */
/* The kernel's half of every space, built once at boot. */
#pragma once

#include <abi/types.h>

/* Build tables that map RAM below frame `end` at PHYS_BASE (not executable), and the image at KERNEL_BASE:
 * text read and execute, constants read only, data not executable, nothing below the kernel's stack. Loads
 * them and fills kernel_half. */
void kernel_map(pfn end);

/* The kernel's image, in frames. */
pfn kernel_first(void);
u64 kernel_frames(void);

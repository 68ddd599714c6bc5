/* SPDX-License-Identifier: MIT */
/* What vmalloc.c asks of the kernel; on the host, of the test. */
#pragma once

#include <abi/types.h>

enum { VMALLOC_BATCH = 64 }; /* pages of one call at most */

/* Maps n own frames at consecutive pages: all of them, or an error and none. */
err vport_map(vaddr at, const pfn *frames, u32 n) must_check;

/* Unmaps n pages that vport_map has mapped, and tells their frames, in any order. */
void vport_unmap(vaddr at, u32 n, pfn *frames);

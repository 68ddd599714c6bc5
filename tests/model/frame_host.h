/* SPDX-License-Identifier: MIT */
/* The frame server's client interface <ipc/frame.h> on the host, for tests of other parts: frames are pages
 * of one arena. Free frames are junk-filled and poisoned for the address sanitizer; frames of alloc_pages are
 * as good as unmapped: reading or writing them is caught too, until kmap. */
#pragma once

#include <ipc/frame.h>

enum { FRAME_HOST_FIRST = 0x100, FRAME_HOST_FRAMES = 16384 }; /* the arena: 64 MiB from frame 0x100 */

/* Begin anew: all frames free, no failures asked for, no limit. */
void frame_host_reset(void);

/* Allocations after the next n fail (-1: none fails). */
void frame_host_fail_after(i64 n);

/* At most n frames may be in use at a time (0: as many as the arena has). */
void frame_host_limit(u64 n);

/* Frames in use now, and whether this one is. */
u64 frame_host_in_use(void);
bool frame_host_is_used(pfn frame);

/* The contents of a frame in use, mapped or not: what "the kernel" of a test may look at. Copies a page. */
void frame_host_peek(pfn frame, void *page);
void frame_host_poke(pfn frame, const void *page);

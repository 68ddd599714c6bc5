/* SPDX-License-Identifier: MIT */
/* Non-contiguous memory: areas that are contiguous in this server's addresses only, of single frames. For
 * large tables that would need a block of a high order, which fragmented memory may not have. The areas lie
 * between HEAP_BASE and HEAP_END, sorted, each followed by a guard page that is never mapped; a new one takes
 * the first gap that is large enough. */
#pragma once

#include <abi/types.h>

/* `size` bytes, rounded up to pages, mapped; contents undefined. NULL: size 0, no gap, or not enough frames.
 * May call frame and slab, and so let other threads of this server run. */
void *vmalloc(u64 size) must_check;

/* Gives the area that begins there back: what vmalloc returned. vfree(NULL) does nothing. */
void vfree(void *address);

/* SPDX-License-Identifier: MIT */
/* The first thread: root, made of a boot module and frames of account 1. */
#pragma once

#include <abi/info.h>

struct thread;

/* Make root's space, thread and capabilities from the ELF64 file `module`, taking frames from `first` on (of
 * root_frames contiguous free frames of account 1); maps `info_frame` at INFO_PAGE. The thread is READY.
 * Panics if the file is not a static ELF64 program with separate pages for code and data. */
struct thread *root_create(const struct info_module *module, pfn first, u64 frames, pfn info_frame);

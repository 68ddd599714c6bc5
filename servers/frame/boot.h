/* SPDX-License-Identifier: MIT */
/* The shell's start: which frames there are, asked of the kernel. */
#pragma once

#include "holders.h"

/* Builds the zones out of the frames of this server's account. mem_map lies at HEAP_BASE, in frames taken
 * from the account before the rest is released; so do the page tables for it. Machines without enough frames
 * for that are not served: an assertion. */
void boot_zones(struct zones *zones);

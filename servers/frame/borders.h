/* SPDX-License-Identifier: MIT */
/* The kernel word that moves the borders of the zones: zones=dma:4M,normal:64M (units K, M, G; either part
 * may be left out). */
#pragma once

#include <abi/types.h>

/* Reads the word out of the command line and sets the borders, in frames, that it names. Returns false, and
 * changes nothing, if the word is there but makes no sense (unknown name, no number, not a multiple of 2 MiB,
 * out of order). */
bool borders_parse(const char *cmdline, u32 *dma_end, u32 *normal_end);

/* SPDX-License-Identifier: MIT */
/* frame's message handlers: any messages, in any order, with what clients may do between them. */
#include <stddef.h>

#include "world.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t n);

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t n) {
    world_play(bytes, n);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* <ipc/slab.h> on the host, for tests of other parts: every object is a block of malloc of its own, so that
 * the address sanitizer sees a write past its end and a use after its free. A free into the wrong cache, and
 * twice, abort. */
#pragma once

#include <ipc/slab.h>

/* Objects made after the next n fail (-1: none fails). kmalloc counts too. */
void slab_host_fail_after(i64 n);

/* Objects in use over all caches, kmalloc included. */
u64 slab_host_in_use(void);

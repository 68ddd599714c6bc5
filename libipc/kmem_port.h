/* SPDX-License-Identifier: MIT */
/* What the client side of slab (kmem.c) asks of the slab server: calls on the target (kmem_port.c), the
 * server's logic in process in the host tests. All may let other threads of this server run. */
#pragma once

#include <ipc/slab.h>
#include <proto/slab.def>

err kport_create(const char *name, u64 size, u64 offset, u32 flags, struct slab_create_rep *rep) must_check;

/* A slab, mapped; active: objects in use, for the server's statistics. */
err kport_grow(u64 cache, u32 gfp_mask, u64 active, struct slab_grow_rep *rep) must_check;

/* An empty slab goes back: what we got and nobody uses. */
void kport_release(u64 cache, vaddr slab, u64 active);

err kport_destroy(u64 cache) must_check;

/* The number of objects in use, for the server's statistics. */
void kport_report(u64 cache, u64 active);

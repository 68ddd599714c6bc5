/* SPDX-License-Identifier: MIT */
/* What the client side of slab (kmem*.c) asks of the slab server: calls on the target (kmem_port.c), the
 * server's handlers in process in the host tests. All but kport_bug may let other threads of this server
 * run. */
#pragma once

#include <ipc/slab.h>
#include <proto/slab.def>

struct kmem_bug;

/* Where this server's slab window begins. */
extern vaddr kport_window;

/* Begins anew; the page of counts. */
err kport_attach(struct slab_counts **counts) must_check;

err kport_create(const char *name, u64 size, u64 offset, u32 flags, struct slab_create_rep *rep) must_check;

/* A slab, mapped. */
err kport_grow(u64 cache, u32 gfp_mask, struct slab_grow_rep *rep) must_check;

/* An empty slab goes back: what we got and nobody uses. */
void kport_release(u64 cache, vaddr slab);

err kport_destroy(u64 cache) must_check;

/* Somebody has misused an object: on the target that is logged, and the end of this server. */
void kport_bug(const struct kmem_bug *bug);

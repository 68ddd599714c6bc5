/* SPDX-License-Identifier: MIT */
/* What the client side of frame (frame_client.c) asks of the world: calls to the frame server and the kernel
 * on the target (frame_port.c), the server's logic in process in the host tests. */
#pragma once

#include <ipc/runs.h>

/* FRAME_ATTACH. */
err port_attach(struct frame_attach_rep *rep) must_check;

/* A block's first frame, or an error. May let other threads of this server run, as all that calls frame. */
err port_alloc(u32 order, u32 gfp_mask) must_check;

/* Up to count single frames, as runs: how many (at least 1), or an error. */
err port_alloc_batch(u32 count, u32 gfp_mask, struct runs *runs) must_check;

/* The frames change to frame's account, then frame is told. They must be free of mappings and pins: fatal
 * otherwise. */
void port_free(pfn first, u32 order);
void port_free_batch(const struct runs *runs);

/* Map own frames at their places in the window: all of them, or (-E_NOMEM: no page table) none. */
err port_map(const struct runs *runs) must_check;

/* Undo it. */
void port_unmap(const struct runs *runs);

/* Takes up to FEED_MAX frames of this server that no page table of its space needs any more out of the
 * space's pool of tables: how many. */
u32 port_unfeed(u64 *list);

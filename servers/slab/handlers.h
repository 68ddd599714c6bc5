/* SPDX-License-Identifier: MIT */
/* The server's message handlers (slab_on_xxx of <proto/slab.def>) and what they need of the world. They are
 * pure over struct slab_host, so that tests and the fuzzer call them in process. */
#pragma once

#include <abi/layout.h>
#include <ipc/server.h>
#include <proto/slab.def>

#include "registry.h"

struct slab_host {
    void *ctx;
    /* A zeroed page of this server's own, seen here; NULL. And back. */
    void *(*page)(void *ctx);
    void (*free_page)(void *ctx, void *page);
    pfn (*frame_of)(void *ctx, const void *page);
    void *(*address_of)(void *ctx, pfn frame); /* of a page() */
    /* 1 << order contiguous frames; 0: none. And back, mapped nowhere. */
    pfn (*frames)(void *ctx, u32 gfp_mask, u32 order);
    void (*free_frames)(void *ctx, pfn first, u32 order);
    /* Maps them at an address of the client: all of them, or an error and none. unmap cannot fail: of a
     * client without a space nothing is mapped any more. */
    err (*map)(void *ctx, u32 client, vaddr at, pfn first, u32 order);
    void (*unmap)(void *ctx, u32 client, vaddr at, u32 order);
    /* Afterwards what others had mapped can be given back: a frame of ours that its last client loses, by its
     * end or while we map it ourselves, is queued by the kernel until then. */
    void (*collect)(void *ctx);
    /* DMA may be under way to them, or no longer. */
    void (*pin)(void *ctx, pfn first, u32 order, bool on);
    /* Asks the client for its empty slabs. */
    void (*notify_drain)(void *ctx, u32 client);
};

struct slab_server {
    const struct slab_host *host;
    struct registry registry;
};

/* The one that the handlers serve; of the shell or the test. */
extern struct slab_server slab_server;

/* A message of a client, enum server_id: dispatches it. Others: -E_PERM. */
err slab_on_call(struct ipc_ctx *c, u64 label, u64 *w) must_check;

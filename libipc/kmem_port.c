/* SPDX-License-Identifier: MIT */
/* The client side of slab on the target: calls to the slab server. */
#include "kmem_port.h"

#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <string.h>

#include "kmem.h"

vaddr kport_window = SLAB_WINDOW;

err kport_attach(struct slab_counts **counts) {
    struct slab_attach_rep rep;
    err e = slab_attach(SERVICE(SRV_SLAB), &(struct slab_attach_req){0}, &rep);
    *counts = e ? NULL : (struct slab_counts *)rep.counts;
    return e;
}

err kport_create(const char *name, u64 size, u64 offset, u32 flags, struct slab_create_rep *rep) {
    struct slab_create_req req = {.size = size, .offset = offset, .flags = flags};
    memset(ipc_tail(), 0, KMEM_NAME_BYTES);
    memcpy(ipc_tail(), name, strlen(name));
    return slab_create(SERVICE(SRV_SLAB), &req, KMEM_NAME_BYTES / 8, rep);
}

err kport_grow(u64 cache, u32 gfp_mask, struct slab_grow_rep *rep) {
    return slab_grow(SERVICE(SRV_SLAB), &(struct slab_grow_req){.cache = cache, .gfp = gfp_mask}, rep);
}

void kport_release(u64 cache, vaddr slab) {
    struct slab_release_rep rep;
    err e = slab_release(SERVICE(SRV_SLAB), &(struct slab_release_req){.cache = cache, .slab = slab}, &rep);
    ASSERT(e == 0);
}

err kport_destroy(u64 cache) {
    struct slab_destroy_rep rep;
    return slab_destroy(SERVICE(SRV_SLAB), &(struct slab_destroy_req){.cache = cache}, &rep);
}

void kport_bug(const struct kmem_bug *bug) {
    log_line("kmem: cache %s: object %p (of %s) %s", bug->cache, bug->object,
             bug->owner ? bug->owner : "none", bug->what);
    log_line("kmem: by %p; last taken by %p, last given back by %p", bug->caller, bug->taken,
             bug->given_back);
    ASSERT(!"an object was misused");
}

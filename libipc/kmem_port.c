/* SPDX-License-Identifier: MIT */
/* The client side of slab on the target: calls to the slab server. */
#include "kmem_port.h"

#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/server.h>
#include <string.h>

err kport_create(const char *name, u64 size, u64 offset, u32 flags, struct slab_create_rep *rep) {
    struct slab_create_req req = {.size = size, .offset = offset, .flags = flags};
    memset(ipc_tail(), 0, KMEM_NAME_BYTES);
    memcpy(ipc_tail(), name, strlen(name));
    return slab_create(SERVICE(SRV_SLAB), &req, KMEM_NAME_BYTES / 8, rep);
}

err kport_grow(u64 cache, u32 gfp_mask, u64 active, struct slab_grow_rep *rep) {
    struct slab_grow_req req = {.cache = cache, .gfp = gfp_mask, .active = active};
    return slab_grow(SERVICE(SRV_SLAB), &req, rep);
}

void kport_release(u64 cache, vaddr slab, u64 active) {
    struct slab_release_req req = {.cache = cache, .slab = slab, .active = active};
    struct slab_release_rep rep;
    err e = slab_release(SERVICE(SRV_SLAB), &req, &rep);
    ASSERT(e == 0);
}

err kport_destroy(u64 cache) {
    struct slab_destroy_rep rep;
    return slab_destroy(SERVICE(SRV_SLAB), &(struct slab_destroy_req){.cache = cache}, &rep);
}

void kport_report(u64 cache, u64 active) {
    struct slab_report_req req = {.cache = cache, .active = active};
    struct slab_report_rep rep;
    err e = slab_report(SERVICE(SRV_SLAB), &req, &rep);
    ASSERT(e == 0);
}

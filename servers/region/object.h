/* SPDX-License-Identifier: MIT */
/* What region knows of cache's objects: how many regions map each. linux, which opened the object at cache,
 * is told in an answer when that count falls to 0. Pure logic. */
#pragma once

#include "mm.h"

struct vm_object {
    u64 id;           /* cache's name for it */
    u64 regions;      /* regions that map it */
    u32 holds;        /* calls under way that may yet make a region of it */
    bool is_released; /* on ctx->released: the last region went and linux was not yet told */
    RB_ENTRY(vm_object) node;
    TAILQ_ENTRY(vm_object) released;
};

/* The record of an object, made if need be, and kept until vm_object_unhold; NULL without memory. */
struct vm_object *vm_object_hold(struct vm_context *ctx, u64 id);
void vm_object_unhold(struct vm_context *ctx, struct vm_object *object);
/* One region more, one less. At 0 the object joins ctx->released. */
void vm_object_open(struct vm_context *ctx, struct vm_object *object);
void vm_object_close(struct vm_context *ctx, struct vm_object *object);
/* Whether linux holds a reference for regions of the object: it has some, or linux was not yet told that the last is
 * gone. */
bool vm_object_is_known(struct vm_context *ctx, u64 id);
/* Takes an object off ctx->released, and its record with it: true and its id, or false if there is none. */
bool vm_object_take_released(struct vm_context *ctx, u64 *id);

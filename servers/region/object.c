/* SPDX-License-Identifier: MIT */
/* Objects and their counts of regions; see object.h. */
#include "object.h"

#include <ipc/assert.h>
#include <ipc/gfp.h>
#include <ipc/slab.h>

static int object_compare(const struct vm_object *a, const struct vm_object *b) {
    return (a->id > b->id) - (a->id < b->id);
}

RB_GENERATE_STATIC(vm_object_tree, vm_object, node, object_compare)

static struct vm_object *find_object(struct vm_context *ctx, u64 id) {
    struct vm_object key = {.id = id};
    return RB_FIND(vm_object_tree, &ctx->objects, &key);
}

struct vm_object *vm_object_hold(struct vm_context *ctx, u64 id) {
    struct vm_object *object = find_object(ctx, id);
    if (!object) {
        object = kmem_cache_alloc(ctx->object_cachep, GFP_KERNEL);
        if (!object)
            return NULL;
        *object = (struct vm_object){.id = id};
        RB_INSERT(vm_object_tree, &ctx->objects, object);
    }
    object->holds++;
    return object;
}

bool vm_object_is_known(struct vm_context *ctx, u64 id) {
    struct vm_object *object = find_object(ctx, id);
    return object && (object->regions > 0 || object->is_released);
}

static void forget(struct vm_context *ctx, struct vm_object *object) {
    RB_REMOVE(vm_object_tree, &ctx->objects, object);
    kmem_cache_free(ctx->object_cachep, object);
}

void vm_object_unhold(struct vm_context *ctx, struct vm_object *object) {
    ASSERT(object->holds > 0);
    if (--object->holds == 0 && object->regions == 0 && !object->is_released)
        forget(ctx, object);
}

void vm_object_open(struct vm_context *ctx, struct vm_object *object) {
    object->regions++;
    if (object->is_released) {
        TAILQ_REMOVE(&ctx->released, object, released);
        object->is_released = false;
    }
}

void vm_object_close(struct vm_context *ctx, struct vm_object *object) {
    ASSERT(object->regions > 0);
    if (--object->regions == 0) {
        object->is_released = true;
        TAILQ_INSERT_TAIL(&ctx->released, object, released);
    }
}

bool vm_object_take_released(struct vm_context *ctx, u64 *id) {
    struct vm_object *object;
    TAILQ_FOREACH(object, &ctx->released, released) {
        if (object->holds > 0)
            continue; /* it may come back to life: a call under way decides */
        TAILQ_REMOVE(&ctx->released, object, released);
        *id = object->id;
        forget(ctx, object);
        return true;
    }
    return false;
}

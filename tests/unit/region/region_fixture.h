/* SPDX-License-Identifier: MIT */
/* What all tests of region begin with: a context with its slab caches. */
#pragma once

#include <criterion/criterion.h>

#include "mm.h"
#include "model/slab_host.h"
#include "object.h"

static inline void region_fixture(struct vm_context *ctx) {
    *ctx = (struct vm_context){.zero_page = 1, .account = 7};
    vm_context_init(ctx);
    ctx->mm_cachep = kmem_cache_create("mm_struct", sizeof(struct mm_struct), 0, 0, NULL, NULL);
    ctx->vm_area_cachep =
        kmem_cache_create("vm_area_struct", sizeof(struct vm_area_struct), 0, 0, NULL, NULL);
    ctx->object_cachep = kmem_cache_create("vm_object", sizeof(struct vm_object), 0, 0, NULL, NULL);
    cr_assert(ctx->mm_cachep && ctx->vm_area_cachep && ctx->object_cachep);
}

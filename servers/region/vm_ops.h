/* SPDX-License-Identifier: MIT */
/* The kinds of memory: anonymous, stack, object. One table each. */
#pragma once

#include "mm.h"

extern const struct vm_operations_struct anonymous_vm_ops; /* private, zeroes at first */
extern const struct vm_operations_struct stack_vm_ops;     /* the same, and grows downwards */
extern const struct vm_operations_struct object_vm_ops;    /* a file or shared memory: pages of cache */

/* The table for a new region. */
const struct vm_operations_struct *vm_operations(bool has_object, u64 vm_flags);

/* SPDX-License-Identifier: MIT */
/* A new program's stack, read as the program does. */
#pragma once

#include <abi/types.h>

struct stack_view {
    const char *bytes;
    u64 sp;
};
static inline const char *stack_string(const struct stack_view *v, u64 address) {
    return v->bytes + (address - v->sp);
}
static inline u64 stack_auxiliary(const struct stack_view *v, const u64 *vector, u64 type) {
    (void)v;
    while (vector[0] && vector[0] != type)
        vector += 2;
    return vector[1];
}

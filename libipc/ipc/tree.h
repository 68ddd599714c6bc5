/* SPDX-License-Identifier: MIT */
/* Red-black trees: libbsd's sys/tree.h. Its static variants rely on a macro `__unused` that the C library's
 * own headers use as a field name, so it is not defined here; the attribute is named at the two places that
 * need it. */
#pragma once

#include <stddef.h>
#include <bsd/sys/tree.h>

#undef RB_PROTOTYPE_STATIC
#undef RB_GENERATE_STATIC
#define RB_PROTOTYPE_STATIC(name, type, field, cmp)                                                          \
    RB_PROTOTYPE_INTERNAL(name, type, field, cmp, __attribute__((unused)) static)
#define RB_GENERATE_STATIC(name, type, field, cmp)                                                           \
    RB_GENERATE_INTERNAL(name, type, field, cmp, __attribute__((unused)) static)

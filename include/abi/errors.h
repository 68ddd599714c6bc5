/* SPDX-License-Identifier: MIT */
/* Error numbers as positive constants E_xxx; functions return them negated. */
#pragma once

enum {
#define E(name, number, text) E_##name = number,
#include <abi/errors.def>
#undef E
};

/* The name of an error number (positive or negated), for logs; "E?" if unknown. */
static inline const char *err_name(long long e) {
    switch (e < 0 ? -e : e) {
    case 0:
        return "0";
#define E(name, number, text)                                                                                \
    case number:                                                                                             \
        return "E_" #name;
#include <abi/errors.def>
#undef E
    default:
        return "E?";
    }
}

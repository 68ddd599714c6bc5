/* SPDX-License-Identifier: MIT */
/* A small formatter: %d %i %u %x %X %o %c %s %p %% with flags - 0, width, precision of %s, and l, ll, z; `*`
 * for width and precision. */
#pragma once

#include <stdarg.h>
#include <abi/types.h>

/* As snprintf: writes at most n bytes including the final 0, returns the length that the whole text has. */
size_t fmt_snprintf(char *to, size_t n, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t fmt_vsnprintf(char *to, size_t n, const char *format, va_list args);

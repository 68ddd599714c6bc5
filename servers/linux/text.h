/* SPDX-License-Identifier: MIT */
/* A text that grows, for files of /proc. Pure over kmalloc and the formatter. */
#pragma once

#include <abi/types.h>

struct text {
    char *bytes;
    u64 n, room;
    bool failed; /* no memory, or longer than TEXT_BYTES_MAX: the rest is missing */
};
#define TEXT_BYTES_MAX 65536u

void text_release(struct text *t);
void text_add(struct text *t, const void *bytes, u64 n);
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

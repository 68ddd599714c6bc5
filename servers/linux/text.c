/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdarg.h>
#include <string.h>

#include <ipc/fmt.h>
#include <ipc/slab.h>

void text_release(struct text *t) {
    kfree(t->bytes);
    *t = (struct text){0};
}

void text_add(struct text *t, const void *bytes, u64 n) {
    if (t->failed || !n)
        return;
    if (t->n + n > t->room) {
        u64 room = t->room ? t->room : 1024;
        while (room < t->n + n)
            room *= 2;
        char *more = room <= TEXT_BYTES_MAX ? kmalloc(room, GFP_KERNEL) : NULL;
        if (!more) {
            t->failed = true;
            return;
        }
        if (t->n)
            memcpy(more, t->bytes, t->n);
        kfree(t->bytes);
        t->bytes = more;
        t->room = room;
    }
    memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
}

void text_printf(struct text *t, const char *format, ...) {
    char line[256];
    va_list args;
    va_start(args, format);
    size_t n = fmt_vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_add(t, line, MIN(n, sizeof line - 1));
}

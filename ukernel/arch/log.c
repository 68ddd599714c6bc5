/* SPDX-License-Identifier: MIT */
/* The log: a debug console that takes a byte at a time and never waits. */

#include "arch/cpu.h"
#include "arch/log.h"

#define LOG_PORT 0xe9

/* Where formatted text goes: the port, and a buffer too if there is one (panics). */
struct out {
    char *buffer;
    u64 left; /* bytes of the buffer, the final 0 not counted */
};

static void put(struct out *o, char c) {
    out8(LOG_PORT, (u8)c);
    if (o->left > 0) {
        *o->buffer++ = c;
        *o->buffer = 0;
        o->left--;
    }
}

static void put_number(struct out *o, u64 v, u32 base, u32 width, char fill) {
    char digits[24];
    u32 n = 0;
    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    for (u32 i = n; i < width; i++)
        put(o, fill);
    while (n)
        put(o, digits[--n]);
}

static void format_out(struct out *o, const char *f, va_list args) {
    for (; *f; f++) {
        if (*f != '%') {
            put(o, *f);
            continue;
        }
        char fill = *++f == '0' ? '0' : ' ';
        u32 width = 0, longs = 0;
        for (; *f >= '0' && *f <= '9'; f++)
            width = width * 10 + (u32)(*f - '0');
        for (; *f == 'l'; f++)
            longs++;
        if (*f == 's') {
            for (const char *s = va_arg(args, const char *); *s; s++)
                put(o, *s);
        } else if (*f == 'u' || *f == 'x') {
            u64 v = longs ? va_arg(args, u64) : va_arg(args, u32);
            put_number(o, v, *f == 'x' ? 16 : 10, width, fill);
        } else {
            put(o, *f);
        }
    }
}

void klog(const char *format, ...) {
    va_list args;
    va_start(args, format);
    klog_into(NULL, 1, format, args);
    va_end(args);
}

void klog_into(char *buffer, u64 bytes, const char *format, va_list args) {
    struct out o = {buffer, bytes - 1};
    format_out(&o, format, args);
}

void klog_bytes(const char *bytes, u64 n) {
    for (u64 i = 0; i < n; i++)
        out8(LOG_PORT, (u8)bytes[i]);
}

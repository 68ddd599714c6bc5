/* SPDX-License-Identifier: MIT */
/* The kernel's log (debug console at port 0xe9), panics and assertions. */
#pragma once

#include <abi/types.h>
#include <stdarg.h>

/* Formats: %s %u %x %%, with l or ll for 64 bits, and a width that may begin with 0, as in %016lx. */
__attribute__((format(printf, 1, 2))) void klog(const char *format, ...);
/* Into a buffer of that size (ended with a 0) as well. */
void klog_into(char *buffer, u64 bytes, const char *format, va_list args);
/* Bytes as they are. */
void klog_bytes(const char *bytes, u64 n);

/* Log `quire: panic: FILE:LINE: ...` with a call trace, keep it in the epitaph, switch the machine off. */
__attribute__((noreturn, format(printf, 3, 4))) void panic_at(const char *file, int line, const char *format,
                                                              ...);
#define PANIC(...) panic_at(__FILE__, __LINE__, __VA_ARGS__)
/* An invariant of the kernel itself; never for what comes from user level. */
#define ASSERT(x)                                                                                            \
    do {                                                                                                     \
        if (__builtin_expect(!(x), 0))                                                                       \
            PANIC("broken: %s", #x);                                                                         \
    } while (0)

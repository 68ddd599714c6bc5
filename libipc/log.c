/* SPDX-License-Identifier: MIT */
/* Lines for the kernel's log. What lies in the message page's area (range results, say) survives. */
#include <ipc/assert.h>
#include <ipc/fmt.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <string.h>

static const char *name = "?";

void log_name(const char *server) {
    name = server;
}

static void put(const char *line, size_t n) {
    u64 saved[LOG_BYTES_MAX / 8];
    n = MIN(n, LOG_BYTES_MAX);
    memcpy(saved, ipc_area(), sizeof saved);
    memcpy(ipc_area(), line, n);
    (void)sys_log(n); /* nobody could be told */
    memcpy(ipc_area(), saved, sizeof saved);
}

/* The text is cut at LOG_BYTES_MAX bytes, and always ends its line. */
static void put_formatted(const char *prefix, const char *format, va_list args) {
    char line[LOG_BYTES_MAX];
    size_t n = prefix ? fmt_snprintf(line, sizeof line, "%s: ", prefix) : 0;
    n = MIN(n, sizeof line - 2);
    n += fmt_vsnprintf(line + n, sizeof line - 1 - n, format, args);
    n = MIN(n, sizeof line - 2);
    line[n++] = '\n';
    put(line, n);
}

void log_line(const char *format, ...) {
    va_list args;
    va_start(args, format);
    put_formatted(name, format, args);
    va_end(args);
}

void log_raw(const char *format, ...) {
    va_list args;
    va_start(args, format);
    put_formatted(NULL, format, args);
    va_end(args);
}

_Noreturn void assert_failed(const char *file, int line, const char *what) {
    log_line("assertion failed: %s:%d: %s", file, line, what);
    __builtin_trap(); /* root sees the exception, with registers */
}

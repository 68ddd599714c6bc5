/* SPDX-License-Identifier: MIT */
/* The kernel's log, one line a call, prefixed with the server's name. Formats: see <ipc/fmt.h>. */
#pragma once

#include <abi/types.h>

void log_name(const char *server);
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The line as it is, without a prefix. */
void log_raw(const char *format, ...) __attribute__((format(printf, 1, 2)));

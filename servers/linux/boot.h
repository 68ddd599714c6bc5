/* SPDX-License-Identifier: MIT */
#pragma once

#include "call.h"

/* Caches, the other servers, and the first program: /bin/sh with `command`, or interactive (NULL). An error:
 * the system cannot start, and the log says why. */
err boot(const char *command) must_check;
/* The exception of a task: a fault of its own becomes a signal, then what resume() does. */
void exception(struct call *k, const struct exception_words *x);
/* console has input, room or typed signals. */
void console_changed(void);

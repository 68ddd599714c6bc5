/* SPDX-License-Identifier: MIT */
/* Calls that only look something up in the task, and those that are another server's alone, which then answers
 * the program itself: they go round the general dispatch. */
#pragma once

#include <ipc/server.h>

extern const quick_call quick_table[QUICK_CALLS];

/* SPDX-License-Identifier: MIT */
/* Calls that only look something up in the task: they go round the general dispatch. */
#pragma once

#include "task.h"

#define QUICK_CALLS 256
typedef i64 (*quick_call)(const struct task *t);
extern const quick_call quick_table[QUICK_CALLS];

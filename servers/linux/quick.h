/* SPDX-License-Identifier: MIT */
/* Calls that only look something up in the task: they go round the general dispatch. */
#pragma once

#include "task.h"

#define QUICK_CALLS 256
extern i64 (*const quick_table[QUICK_CALLS])(const struct task *t);

/* SPDX-License-Identifier: MIT */
/* Limits that several servers count with. */
#pragma once

/* Threads of programs at a time: linux makes no more. Each may be waiting for an answer whose right region or
 * cache keeps, in a slot of its own. */
#define TASKS_MAX 1280

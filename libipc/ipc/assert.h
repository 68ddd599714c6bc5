/* SPDX-License-Identifier: MIT */
/* Internal invariants. A broken one is a crash: on the target the supervisor sees it (with file and line in
 * the log), on the host the test aborts. */
#pragma once

_Noreturn void assert_failed(const char *file, int line, const char *what);
#define ASSERT(x) ((x) ? (void)0 : assert_failed(__FILE__, __LINE__, #x))

/* In debug builds only: what a path that is to be short can't afford. */
#ifdef DEBUG
#define DEBUG_ASSERT(x) ASSERT(x)
#else
#define DEBUG_ASSERT(x) ((void)sizeof(x))
#endif

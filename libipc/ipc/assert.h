/* SPDX-License-Identifier: MIT */
/* Internal invariants. A broken one is a crash: on the target the supervisor sees it (with file and line in
 * the log), on the host the test aborts. */
#pragma once

_Noreturn void assert_failed(const char *file, int line, const char *what);
#define ASSERT(x) ((x) ? (void)0 : assert_failed(__FILE__, __LINE__, #x))

/* SPDX-License-Identifier: MIT */
/* <ipc/assert.h> on the host: a broken invariant aborts the test. */
#include <ipc/assert.h>

#include <stdio.h>
#include <stdlib.h>

_Noreturn void assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: ASSERT(%s)\n", file, line, what);
    abort();
}

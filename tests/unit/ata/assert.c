/* SPDX-License-Identifier: MIT */
/* A broken invariant of the logic ends the test. */
#include <ipc/assert.h>
#include <stdio.h>
#include <stdlib.h>

void assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: broken: %s\n", file, line, what);
    abort();
}

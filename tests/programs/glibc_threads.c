/* SPDX-License-Identifier: MIT */
/* threads.c with glibc instead of musl. */
#include "threads.c"

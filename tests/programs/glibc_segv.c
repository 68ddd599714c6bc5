/* SPDX-License-Identifier: MIT */
/* segv.c with glibc instead of musl. */
#include "segv.c"

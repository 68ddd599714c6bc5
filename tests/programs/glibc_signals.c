/* SPDX-License-Identifier: MIT */
/* signals.c with glibc instead of musl. */
#include "signals.c"

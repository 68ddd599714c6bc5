/* SPDX-License-Identifier: MIT */
/* malloc.c with glibc instead of musl. */
#include "malloc.c"

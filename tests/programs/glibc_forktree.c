/* SPDX-License-Identifier: MIT */
/* forktree.c with glibc instead of musl. */
#include "forktree.c"

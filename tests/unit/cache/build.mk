# SPDX-License-Identifier: MIT
CACHE_TEST_EXTRA := tests/model/assert_host.c tests/model/slab_host.c
CACHE_TEST_CFLAGS := -D_GNU_SOURCE

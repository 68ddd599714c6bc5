# SPDX-License-Identifier: MIT
# The client side is tested against the server's logic in process.
SLAB_TEST_EXTRA := tests/model/assert_host.c libipc/kmem.c libipc/kmem_cache.c libipc/kmalloc.c

# SPDX-License-Identifier: MIT
# The client side is tested against the server's handlers in process.
SLAB_TEST_EXTRA := tests/model/assert_host.c tests/model/slab_world.c libipc/kmem.c libipc/kmem_cache.c \
    libipc/kmem_debug.c libipc/kmem_reap.c libipc/kmalloc.c libipc/vmalloc.c
SLAB_FUZZ_EXTRA := $(filter-out libipc/vmalloc.c,$(SLAB_TEST_EXTRA))

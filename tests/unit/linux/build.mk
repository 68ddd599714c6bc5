# SPDX-License-Identifier: MIT
# The whole personality but main.c and kern.c, over a model of the kernel and of the servers below (world.c).
LINUX_TEST_EXTRA := tests/model/assert_host.c tests/model/slab_host.c tests/model/frame_host.c libipc/fmt.c

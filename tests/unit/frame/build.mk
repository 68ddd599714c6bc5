# SPDX-License-Identifier: MIT
# The client side is tested against the server's logic in process.
FRAME_TEST_EXTRA := tests/model/assert_host.c libipc/frame_client.c
FRAME_FUZZ_EXTRA := tests/model/assert_host.c tests/unit/frame/world.c

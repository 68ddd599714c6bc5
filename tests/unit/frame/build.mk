# SPDX-License-Identifier: MIT
FRAME_TEST_EXTRA := tests/model/assert_host.c

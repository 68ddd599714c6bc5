# SPDX-License-Identifier: MIT
CONSOLE_TEST_EXTRA := tests/model/assert_host.c

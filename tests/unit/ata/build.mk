# SPDX-License-Identifier: MIT
ATA_TEST_EXTRA := tests/model/assert_host.c

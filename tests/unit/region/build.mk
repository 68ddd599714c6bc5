# SPDX-License-Identifier: MIT
REGION_TEST_EXTRA := tests/model/assert_host.c tests/model/slab_host.c tests/model/kernel_model.c \
    tests/model/kernel_model_fault.c tests/model/kernel_model_check.c

# SPDX-License-Identifier: MIT
UKERNEL_TEST_EXTRA := ukernel/boot/multiboot.c ukernel/core/trace.c
UKERNEL_TEST_CFLAGS := -Iukernel

# SPDX-License-Identifier: MIT
# The kernel's core on the host: core/ without interrupts and trace, over mm/, on a fake processor (machine.c).
# sched.c is included by machine.c, so that the invariants can look into its queues.
UKERNEL_CORE_TEST_CFLAGS := -Iukernel
UKERNEL_CORE_TEST_EXTRA := $(filter-out %/interrupt.c %/trace.c %/sched.c,$(wildcard ukernel/core/*.c)) \
    $(wildcard ukernel/mm/*.c)

# SPDX-License-Identifier: MIT
# Tests of tests/system/ring3 on the host: the same sources, with the kernel's core and mm/ below them, on the fake processor
# of tests/unit/ukernel_core. Those that wait run as contexts of their own (host.c).
UKERNEL_RULES_TEST_CFLAGS := -Iukernel -Ilibipc -Itests/system/ring3 -Itests/unit/ukernel_core -DMACHINE_FRAMES=6144
UKERNEL_RULES_TEST_EXTRA = $(UKERNEL_CORE_TEST_EXTRA) tests/unit/ukernel_core/machine.c \
    $(addprefix tests/system/ring3/,support.c test_names.c test_ranges.c probe.c test_ipc.c \
    test_notify.c test_deadline.c test_priority.c test_stale.c test_limits.c \
    test_conversation.c test_alone.c)

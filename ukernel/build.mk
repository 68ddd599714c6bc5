# SPDX-License-Identifier: MIT
# UKERNEL_LOGIC: files without assembly or ports, host-tested with tests/unit/ukernel (the core's own tests, which need them
# together with others, are tests/unit/ukernel_core).
ukernel_files = $(sort $(patsubst ukernel/%,%,$(wildcard $(addprefix ukernel/,$(1)))))
UKERNEL_LOGIC := $(call ukernel_files,mm/*.c)
UKERNEL_SRC := $(filter-out arch/offsets.c,$(call ukernel_files,boot/*.c arch/*.c core/*.c))
UKERNEL_ASM := $(call ukernel_files,boot/*.asm arch/*.asm)

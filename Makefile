# SPDX-License-Identifier: MIT
# Quire's build. `make help` lists the targets; docs/testing.md says how parts and tests plug in (build.mk files).
#
# Variables: CC=gcc|clang, RELEASE=1 (no audits), SLOW=1 (the kernel without its short paths), UBSAN=1 (undefined behaviour of
# kernel and servers is a trap), PART=name, V=1 (show commands), P=protocol.
# Each combination of CC, RELEASE, SLOW and UBSAN has a build folder of its own, so that they can stand side by side.

.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/sh

ifeq ($(origin CC),default)
CC := gcc
endif
B := build$(if $(findstring clang,$(CC)),/clang)$(if $(RELEASE),/release)$(if $(UBSAN),/ubsan)$(if $(SLOW),/slow)$(if \
    $(COVERAGE),/coverage)
Q := $(if $(V),,@)
say = @printf '  %-8s %s\n' $(1) $(2)

.DEFAULT_GOAL := all
.PHONY: all kernel servers libipc help deps run iso debug disk test unit system bench fuzz lint format \
        format-check expand size clean

# ---- parts ------------------------------------------------------------------------------------------------
# Boot order. Each server is linked at a base of its own, so that a debugger can hold the symbols of all.
SERVERS_KNOWN := root frame slab region cache ata linux console
BASE_root := 0x1000000
BASE_frame := 0x2000000
BASE_slab := 0x3000000
BASE_region := 0x4000000
BASE_cache := 0x5000000
BASE_ata := 0x6000000
BASE_linux := 0x7000000
BASE_console := 0x8000000

SERVERS := $(foreach s,$(SERVERS_KNOWN),$(if $(wildcard servers/$(s)/build.mk),$(s)))
-include libipc/build.mk ukernel/build.mk $(SERVERS:%=servers/%/build.mk)

# A part's list: $(call list,frame,LOGIC) is FRAME_LOGIC of servers/frame/build.mk.
upper = $(shell printf %s $(1) | tr a-z A-Z)
list = $(or $($(call upper,$(1))_$(2)),$($(1)_$(2)))

# ---- flags ------------------------------------------------------------------------------------------------
WARN := -std=c17 -Wall -Wextra -Werror
FREESTANDING := -ffreestanding -nostdlib -mgeneral-regs-only -mno-red-zone -fno-stack-protector \
    -fcf-protection=none -fno-pic -fno-pie -fno-asynchronous-unwind-tables -fno-strict-aliasing -O2 -g
DEFINES := $(if $(RELEASE),,-DDEBUG) $(if $(SLOW),-DSLOW_PATHS)
TRAPS := $(if $(UBSAN),-fsanitize=undefined $(if $(findstring clang,$(CC)),-fsanitize-trap=undefined,\
    -fsanitize-undefined-trap-on-error))
DEPS = -MMD -MP -MF $@.d

KERNEL_CFLAGS := $(WARN) $(FREESTANDING) -mcmodel=kernel $(DEFINES) $(TRAPS) -Iinclude -Iukernel
SERVER_CFLAGS := $(WARN) $(FREESTANDING) -ffunction-sections -fdata-sections $(DEFINES) $(TRAPS) -Iinclude -Ilibipc
LDFLAGS_ALL := -static -z max-page-size=4096 -z noexecstack --build-id=none
# Of musl only the memory and string functions are used: they need neither vector registers nor FS.
MUSL_LIBC := /usr/lib/x86_64-linux-musl/libc.a

objects = $(addprefix $(B)/obj/$(1)/,$(addsuffix .o,$(2)))
all: kernel servers

# ---- the kernel -------------------------------------------------------------------------------------------
KERNEL := $(if $(wildcard ukernel/build.mk),$(B)/quire.elf)
KERNEL_OBJ := $(call objects,ukernel,$(sort $(UKERNEL_SRC) $(UKERNEL_LOGIC)) $(UKERNEL_ASM))
OFFSETS := $(if $(wildcard ukernel/offsets.c),$(B)/gen/offsets.inc)
kernel: $(KERNEL)

$(B)/obj/ukernel/%.c.o: ukernel/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(KERNEL_CFLAGS) $(DEPS) -c $< -o $@

# No debug information from nasm: what it writes for files with several sections confuses gdb 13.
$(B)/obj/ukernel/%.asm.o: ukernel/%.asm $(OFFSETS)
	@mkdir -p $(@D)
	$(call say,NASM,$<)
	$(Q)nasm -f elf64 -w+error $(DEFINES) -I$(B)/gen/ -Iukernel/ -MD $@.d -MP -o $@ $<

# Structure offsets for nasm: ukernel/offsets.c holds, inside one function, lines OFFSET(NAME, constant); the
# target compiler evaluates them, and its assembly output is searched for the marks.
$(B)/gen/offsets.inc: ukernel/offsets.c
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)$(CC) $(KERNEL_CFLAGS) $(DEPS) -MT $@ -S \
	    -D'OFFSET(name, value)=__asm__ volatile("\n.ascii \"->" #name " %c0\"" : : "i"(value))' -o $@.s $<
	$(Q)sed -n 's/.*"->\([A-Za-z0-9_]*\) \(-\{0,1\}[0-9]*\)".*/%define \1 \2/p' $@.s >$@

$(B)/quire.elf: $(KERNEL_OBJ) ukernel/ukernel.ld images/check-kernel
	$(call say,LINK,$@)
	$(Q)ld $(LDFLAGS_ALL) -T ukernel/ukernel.ld -Map=$(@:.elf=.map) -o $@ $(KERNEL_OBJ)
	$(Q)images/check-kernel $@
	$(call listing,$@)

# Disassembly and symbols beside each linked image.
define listing
	$(Q)objdump -d -M intel --no-show-raw-insn $(1) >$(1:.elf=.lst)
	$(Q)nm -n $(1) >$(1:.elf=.sym)
endef

# ---- libipc and the servers -------------------------------------------------------------------------------
LIBIPC := $(if $(wildcard libipc/build.mk),$(B)/libipc.a)
LIBIPC_OBJ := $(call objects,libipc,$(LIBIPC_LOGIC) $(LIBIPC_SHELL))
libipc: $(LIBIPC)
servers: $(SERVERS:%=$(B)/servers/%.elf)

$(B)/libipc.a: $(LIBIPC_OBJ) libipc/build.mk
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsD $@ $(LIBIPC_OBJ)

$(B)/obj/libipc/%.c.o: libipc/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(SERVER_CFLAGS) $(DEPS) -c $< -o $@

$(B)/obj/libipc/%.asm.o: libipc/%.asm
	@mkdir -p $(@D)
	$(call say,NASM,$<)
	$(Q)nasm -f elf64 -w+error -Ilibipc/ -MD $@.d -MP -o $@ $<

define server_rules
$(1)_OBJ := $$(call objects,servers/$(1),$$(call list,$(1),LOGIC) $$(call list,$(1),SHELL))

$$(B)/obj/servers/$(1)/%.c.o: servers/$(1)/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)
	$$(Q)$$(CC) $$(SERVER_CFLAGS) -Iservers/$(1) $$(DEPS) -c $$< -o $$@

$$(B)/servers/$(1).elf: $$($(1)_OBJ) $$(LIBIPC) servers/server.ld
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)ld $$(LDFLAGS_ALL) --gc-sections -u _start --defsym=IMAGE_BASE=$$(BASE_$(1)) -T servers/server.ld \
	    -Map=$$(@:.elf=.map) -o $$@ $$($(1)_OBJ) $$(LIBIPC) $$(MUSL_LIBC)
	$$(call listing,$$@)

.PHONY: servers/$(1)
servers/$(1): $$(B)/servers/$(1).elf
endef
$(foreach s,$(SERVERS),$(eval $(call server_rules,$(s))))

include images/images.mk
include tests/tests.mk
include tests/docs/docs.mk

# ---- everyday ---------------------------------------------------------------------------------------------
help: ## this list
	@sed -n 's/^\([a-z][a-z_.-]*\):.*## \(.*\)/  \1@\2/p' Makefile images/images.mk tests/tests.mk tests/docs/docs.mk \
	    | sort | awk -F@ '{ printf "  %-24s %s\n", $$1, $$2 }'
	@echo "  variables: CC=gcc|clang RELEASE=1 SLOW=1 UBSAN=1 V=1 PART=name P=protocol SECONDS=n"

all: ## kernel and servers (the default)

deps: ## check images/packages.txt and install what is missing
	@images/deps

C_FILES = $(shell git ls-files -co --exclude-standard '*.c' '*.h')
format: ## apply .clang-format to all C files
	$(Q)clang-format -i $(C_FILES)

format-check: ## fail if a file is not as .clang-format has it
	$(Q)clang-format --dry-run -Werror $(C_FILES)

expand: ## P=name: show what include/proto/name.def expands to
	$(if $(P),,$(error make expand P=name, one of: $(basename $(notdir $(wildcard include/proto/*.def)))))
	$(Q)printf '#include <proto/$(P).def>\n' | $(CC) $(SERVER_CFLAGS) -E -P -x c - | clang-format

size: all ## lines per part (neither blank nor comment), the longest files and functions, and sizes of the images
	$(Q)images/count-lines --longest 20 ukernel libipc $(SERVERS:%=servers/%) include tests images
	$(Q)size $(wildcard $(B)/quire.elf $(B)/servers/*.elf) </dev/null

compile_commands.json: FORCE ## for clangd and clang-tidy
	$(Q)$(MAKE) -Bnk V=1 CC=clang all 2>/dev/null | images/compile-commands >$@

clean: ## remove build/
	rm -rf build compile_commands.json

.PHONY: FORCE
FORCE:

-include $(shell find $(B)/obj $(B)/gen $(B)/unit -name '*.d' 2>/dev/null)

# SPDX-License-Identifier: MIT
# Images (disk, ISO), and running them. The disk does not depend on CC or RELEASE: it is always build/disk.img.

# ---- programs of the disk: tests/programs/*.c, and tests/bench/*.c as bench_NAME ----------------------------
PROGRAM_CFLAGS := -std=gnu17 -Wall -Wextra -Werror -O2 -static -no-pie -Itests/programs
MUSL_PROGRAMS := $(filter-out glibc_%,$(notdir $(basename $(wildcard tests/programs/*.c))))
GLIBC_PROGRAMS := $(filter glibc_%,$(notdir $(basename $(wildcard tests/programs/*.c))))
BENCH_PROGRAMS := $(addprefix bench_,$(notdir $(basename $(wildcard tests/bench/*.c))))
PROGRAMS := $(addprefix build/programs/,$(MUSL_PROGRAMS) $(GLIBC_PROGRAMS) $(BENCH_PROGRAMS))

.PHONY: programs
programs: $(PROGRAMS)

define program_rule
build/programs/$(3): $(2)
	@mkdir -p $$(@D)
	$$(call say,$(1),$$<)
	$$(Q)$(1) $$(PROGRAM_CFLAGS) $$(DEPS) -o $$@ $$< -lm -lpthread
endef
$(foreach p,$(MUSL_PROGRAMS),$(eval $(call program_rule,musl-gcc,tests/programs/$(p).c,$(p))))
$(foreach p,$(GLIBC_PROGRAMS),$(eval $(call program_rule,gcc,tests/programs/$(p).c,$(p))))
$(foreach p,$(BENCH_PROGRAMS),$(eval $(call program_rule,musl-gcc,tests/bench/$(p:bench_%=%).c,$(p))))
-include $(wildcard build/programs/*.d)

# ---- the disk ---------------------------------------------------------------------------------------------
DISK_VARIANTS := build/disk-1k.img build/disk-2k.img build/disk-4k.img

build/tree.stamp: images/disk-tree $(PROGRAMS) /bin/busybox
	@mkdir -p build
	$(call say,TREE,build/tree)
	$(Q)images/disk-tree build/tree $(PROGRAMS)
	@touch $@

build/disk.img: build/disk-4k.img
	$(Q)ln -f $< $@

build/disk-1k.img: DISK_OPTIONS := --block 1024
build/disk-2k.img: DISK_OPTIONS := --block 2048 --inode 256
build/disk-4k.img: DISK_OPTIONS := --block 4096
$(DISK_VARIANTS): build/tree.stamp images/disk-image
	$(call say,DISK,$@)
	$(Q)images/disk-image $(DISK_OPTIONS) build/tree $@

/bin/busybox:
	$(error busybox-static is missing: make deps)

disk: build/disk.img ## the default disk, build/disk.img

# ---- traces -----------------------------------------------------------------------------------------------
build/trace-metadata: images/trace-metadata.c
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)$(CC) $(WARN) -O1 -Iinclude $(DEPS) -o $@ $<
-include build/trace-metadata.d
all: build/trace-metadata

# ---- running ----------------------------------------------------------------------------------------------
run: deps ## build all and start an interactive terminal (Ctrl-A X leaves)
	$(Q)$(MAKE) --no-print-directory all disk
	$(Q)images/run --build $(B)

debug: all disk ## start halted under gdb, with the symbols of the kernel and all servers
	$(Q)images/debug --build $(B)

# ---- the ISO: GRUB, kernel and servers; the disk stays a disk -----------------------------------------------
iso: $(B)/quire.iso ## a GRUB ISO (images/run --iso build/quire.iso)

$(B)/quire.iso: $(KERNEL) $(SERVERS:%=$(B)/servers/%.elf) images/grub-cfg
	$(call say,ISO,$@)
	$(Q)rm -rf $(B)/iso && mkdir -p $(B)/iso/boot/grub
	$(Q)cp $(KERNEL) $(SERVERS:%=$(B)/servers/%.elf) $(B)/iso/boot/
	$(Q)images/grub-cfg $(SERVERS) >$(B)/iso/boot/grub/grub.cfg
	$(Q)grub-mkrescue -o $@ $(B)/iso 2>$@.log || { cat $@.log; exit 1; }

# SPDX-License-Identifier: MIT
# Tests. Unit tests: tests/unit/X/*.c and X's logic files, with Criterion, ASan and UBSan, on the host.
#
# X is a server, `ukernel`, `libipc`, or any other name (then everything comes from its build.mk).
# tests/unit/X/build.mk may set X_TEST_EXTRA (more .c files) and X_TEST_CFLAGS; paths from the top, X in capitals.
# tests/fuzz/fuzz_X_WHAT.c: libFuzzer programs over X's logic files, by clang, with the files of X_FUZZ_EXTRA (else X_TEST_EXTRA).

UNIT_PARTS := $(sort $(notdir $(patsubst %/,%,$(dir $(wildcard tests/unit/*/*.c)))))
-include $(wildcard tests/unit/*/build.mk)

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
ifdef COVERAGE
SANITIZE := --coverage
endif
HOST_CFLAGS := $(WARN) -O1 -g -DDEBUG -DHOST_TEST -Iinclude

home = $(or $(wildcard servers/$(1)),$(wildcard $(filter ukernel libipc,$(1))))
logic_sources = $(addprefix $(call home,$(1))/,$(call list,$(1),LOGIC))
unit_sources = $(sort $(wildcard tests/unit/$(1)/*.c) $(call list,$(1),TEST_EXTRA) $(call logic_sources,$(1)))
host_includes = $(if $(filter ukernel,$(1)),,-Ilibipc) $(if $(call home,$(1)),-I$(call home,$(1))) -Itests \
    -Itests/unit/$(1) $(call list,$(1),TEST_CFLAGS)

define unit_rules
$(1)_UNIT_OBJ := $$(addprefix $$(B)/unit/$(1)/,$$(addsuffix .o,$$(call unit_sources,$(1))))

$$(B)/unit/$(1)/%.c.o: %.c
	@mkdir -p $$(@D)
	$$(call say,HOSTCC,$$<)
	$$(Q)$$(CC) $$(HOST_CFLAGS) $$(SANITIZE) $$(call host_includes,$(1)) $$(DEPS) -c $$< -o $$@

$$(B)/unit/$(1)/suite: $$($(1)_UNIT_OBJ)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(SANITIZE) -o $$@ $$^ -lcriterion
endef
$(foreach p,$(UNIT_PARTS),$(eval $(call unit_rules,$(p))))
FUZZERS := $(notdir $(basename $(wildcard tests/fuzz/fuzz_*.c)))
SUITES := $(patsubst %,$(B)/unit/%/suite,$(or $(PART),$(UNIT_PARTS)))

# ---- system tests: tests/system/test_*.py ------------------------------------------------------------------
build/stub/quire.elf: tests/system/stub.asm
	@mkdir -p $(@D)
	$(call say,NASM,$<)
	$(Q)nasm -f bin -w+error -o $@ $<

# The kernel without its short paths, which must behave alike, and the one in which undefined behaviour is a trap.
ifndef SLOW
SLOW_KERNEL := $(B)/slow/quire.elf
$(SLOW_KERNEL): FORCE
	$(Q)$(MAKE) --no-print-directory SLOW=1 kernel
ifndef UBSAN
UBSAN_KERNEL := $(B)/ubsan/quire.elf
$(UBSAN_KERNEL): FORCE
	$(Q)$(MAKE) --no-print-directory UBSAN=1 kernel
endif
endif

SYSTEM_NEEDS := all disk iso build/stub/quire.elf $(DISK_VARIANTS) $(SLOW_KERNEL) $(UBSAN_KERNEL)

unit: $(SUITES) ## unit tests of all parts, or of PART=name
	$(Q)tests/run --unit $(SUITES)

system: $(SYSTEM_NEEDS) ## system tests in QEMU, or those whose name contains PART
	$(Q)QUIRE_BUILD=$(B) tests/run --system --only '$(PART)'

test: deps ## everything: unit and system tests; ends with `N passed, N failed`
	$(Q)$(MAKE) --no-print-directory test-built

.PHONY: test-built
test-built: $(SUITES) $(SYSTEM_NEEDS) build/capabilities $(FUZZERS:%=build/fuzz/%)
	$(Q)QUIRE_BUILD=$(B) tests/run --docs build/capabilities --unit $(SUITES) --fuzz $(FUZZERS:%=build/fuzz/%) --system

# ---- how good the unit tests are ---------------------------------------------------------------------------
coverage: ## lines and branches that the unit suites reach, by file (or those of PART=name)
	$(Q)rm -rf build/coverage/report && mkdir -p build/coverage/report
	$(Q)find build/coverage -name '*.gcda' -delete
	$(Q)$(MAKE) --no-print-directory COVERAGE=1 unit
	$(Q)gcovr --root . --filter servers/ --filter libipc/ --filter ukernel/ --exclude-unreachable-branches \
	    --print-summary --html-details build/coverage/report/index.html --txt build/coverage/report/text build/coverage/unit
	$(Q)cat build/coverage/report/text

mutants: ## break the logic of frame and slab in 30 places, one at a time: the suites must notice 27
	$(Q)tests/mutants

.PHONY: coverage mutants
# ---- bench: the release build, under icount ----------------------------------------------------------------
bench: disk ## figures under icount, with their goals (release build)
	$(Q)$(MAKE) --no-print-directory RELEASE=1 all
	$(Q)tests/bench/run --build build/release

build/profile: tests/bench/tools/profile.c
	$(call say,HOSTCC,$<)
	$(Q)$(CC) $(WARN) -O2 -o $@ $<

profile: disk build/profile ## P=program CASE=name: where the instructions of a bench case go, by function
	$(Q)$(MAKE) --no-print-directory RELEASE=1 all
	$(Q)tests/bench/profile $(or $(P),bench_process) '$(or $(CASE),getppid)'

# ---- fuzzing -----------------------------------------------------------------------------------------------
FUZZ_SECONDS := $(or $(SECONDS),60)
fuzz_part = $(word 2,$(subst _, ,$(1)))

define fuzz_rule
build/fuzz/$(1): tests/fuzz/$(1).c $$(call logic_sources,$(call fuzz_part,$(1))) \
    $$(or $$(call list,$(call fuzz_part,$(1)),FUZZ_EXTRA),$$(call list,$(call fuzz_part,$(1)),TEST_EXTRA)) FORCE
	@mkdir -p build/fuzz/corpus-$(1)
	$$(call say,FUZZCC,$$<)
	$$(Q)clang $$(HOST_CFLAGS) $$(SANITIZE) -fsanitize=fuzzer $$(call host_includes,$(call fuzz_part,$(1))) -o $$@ $$(filter %.c,$$^)
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzz_rule,$(f))))

FUZZ_CALLS := $(or $(CALLS),10000000)
UBSAN_CALLS := $(or $(CALLS),1000000)
FUZZ_KERNEL := $(if $(filter $(or $(PART),kernel),kernel),fuzz-kernel)
fuzz: $(patsubst %,build/fuzz/%,$(filter fuzz_$(PART)%,$(FUZZERS))) $(FUZZ_KERNEL) ## fuzzers, of PART=name; SECONDS=60, CALLS=n
	$(Q)for f in $(notdir $(filter build/%,$^)); do \
	    build/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) build/fuzz/corpus-$$f || exit 1; done

.PHONY: fuzz-kernel
fuzz-kernel: kernel $(UBSAN_KERNEL)
	$(Q)tests/fuzz/kernel/run --kernel $(B)/quire.elf --calls $(FUZZ_CALLS)
	$(Q)$(if $(UBSAN_KERNEL),tests/fuzz/kernel/run --kernel $(UBSAN_KERNEL) --calls $(UBSAN_CALLS))

# ---- static checks -----------------------------------------------------------------------------------------
lint: ## rules of the tree
	$(Q)tests/lint

.PHONY: analyze
analyze: compile_commands.json ## clang's static analyzer over kernel, libipc and servers (or PART=folder); for reading
	$(Q)clang-tidy --quiet -p . --checks='-*,clang-analyzer-*,-clang-analyzer-security.insecureAPI.*' \
	    $(filter %.c,$(shell git ls-files $(or $(PART),ukernel libipc servers)))

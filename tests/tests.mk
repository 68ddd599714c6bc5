# SPDX-License-Identifier: MIT
# Tests. Unit tests: tests/unit/X/*.c and X's logic files, with Criterion, ASan and UBSan, on the host.
#
# X is a server, `ukernel`, `libipc`, or any other name (then everything comes from its build.mk).
# tests/unit/X/build.mk may set X_TEST_EXTRA (more .c files) and X_TEST_CFLAGS; paths from the top, X in capitals.

UNIT_PARTS := $(notdir $(patsubst %/,%,$(dir $(wildcard tests/unit/*/*.c))))
UNIT_PARTS := $(sort $(UNIT_PARTS))
-include $(wildcard tests/unit/*/build.mk)

UNIT_CFLAGS := $(WARN) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer \
    -DDEBUG -DHOST_TEST -Iinclude

home = $(or $(wildcard servers/$(1)),$(wildcard $(filter ukernel libipc,$(1))))
unit_sources = $(wildcard tests/unit/$(1)/*.c) $(call list,$(1),TEST_EXTRA) \
    $(addprefix $(call home,$(1))/,$(call list,$(1),LOGIC))
unit_includes = $(if $(filter ukernel,$(1)),,-Ilibipc) $(if $(call home,$(1)),-I$(call home,$(1))) -Itests \
    -Itests/unit/$(1) $(call list,$(1),TEST_CFLAGS)

define unit_rules
$(1)_UNIT_OBJ := $$(addprefix $$(B)/unit/$(1)/,$$(addsuffix .o,$$(call unit_sources,$(1))))

$$(B)/unit/$(1)/%.c.o: %.c
	@mkdir -p $$(@D)
	$$(call say,HOSTCC,$$<)
	$$(Q)$$(CC) $$(UNIT_CFLAGS) $$(call unit_includes,$(1)) $$(DEPS) -c $$< -o $$@

$$(B)/unit/$(1)/suite: $$($(1)_UNIT_OBJ)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) -fsanitize=address,undefined -o $$@ $$^ -lcriterion
endef
$(foreach p,$(UNIT_PARTS),$(eval $(call unit_rules,$(p))))

unit: $(patsubst %,$(B)/unit/%/suite,$(or $(PART),$(UNIT_PARTS))) ## unit tests of all parts, or of PART=name
	$(Q)for suite in $^; do "$$suite" --jobs 2 || exit 1; done

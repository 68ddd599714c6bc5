# SPDX-License-Identifier: MIT
# Documents that are made from the code, and the check that the others still point at it.

.PHONY: docs docs-check

build/capabilities: tests/docs/capabilities.c servers/root/wiring.c servers/root/wiring.h
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)$(CC) $(WARN) -O1 -Iinclude -Iservers/root -o $@ $(filter %.c,$^)

docs: build/capabilities ## make the generated documents anew
	$(Q)build/capabilities >docs/capabilities.md

docs-check: build/capabilities ## generated documents are fresh, references in the others hold
	$(Q)build/capabilities | cmp - docs/capabilities.md
	$(Q)tests/docs/check-references
	$(Q)tests/docs/check-errors

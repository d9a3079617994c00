# SPDX-License-Identifier: GPL-2.0
# The verbs; each is a script, which does whatever it needs first.

MAKEFLAGS += --no-print-directory

# Handed to the scripts as they are, without expansion by make.
VARS := LINUX KERNEL ARCH SMP ARM64 BASE T M B CMD MEM SWAP DTB KSRC KDIR SOAK CPU JOBS PAN_SEED SUITE BUSY AT WHO OBJECTS
$(foreach v,$(VARS),$(if $(filter undefined default,$(origin $(v))),,$(eval override $(v) := $$(value $(v)))$(eval export $(v))))

help:
	@scripts/help.sh

run:
	@scripts/run.sh
test:
	@scripts/test.sh
kunit:
	@scripts/kunit.sh
selftest:
	@scripts/selftest.sh
soak:
	@scripts/soak.sh
igt:
	@scripts/igt.sh
bench:
	@scripts/bench.sh
profile:
	@scripts/profile.sh
shell:
	@scripts/shell.sh
tree:
	@scripts/deps.sh
	@scripts/tree.sh
export:
	@scripts/export.sh
status:
	@scripts/status.sh
check:
	@scripts/check.sh
arm64:
	@scripts/arm64.sh
board:
	@scripts/board.sh
coverage:
	@scripts/coverage.sh
mutants:
	@scripts/mutants.sh
apply:
	@scripts/apply.sh
mainline:
	@scripts/mainline.sh
newcomer:
	@scripts/newcomer.sh

.DEFAULT:
	@scripts/help.sh '$@'

.PHONY: help run test kunit selftest soak igt bench profile coverage mutants shell tree export status check arm64 board apply mainline newcomer

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: run selftests by name (PROGRAM, or PROGRAM.TEST for one test or
# variant of it); ktap.awk reads the output. The kernel log
# gets the names, too, so that a report there can be told to a test.
# TESTS_DIR and TEST_LIMIT (seconds for each) are for scripts/runner-test.sh.

[ -n "$PAN_SEED" ] || unset PAN_SEED
dir=${TESTS_DIR:-${PANTHOR_USER:-build/user}/tests}
limit=${TEST_LIMIT:-$((1800 + 60 * ${SOAK:-0}))}
# If memory runs out, a test is to be killed, and reported, not its runner.
echo -999 >/proc/$$/oom_score_adj
for t in "$@"; do
	echo "### $t"
	echo "# selftest: $t" >/dev/kmsg
	only=()
	case $t in *.*) only=(-t "${t#*.}" -v "${t#*.}") ;; esac
	(echo 0 >/proc/$BASHPID/oom_score_adj; exec timeout -k 5 "$limit" "$dir/${t%%.*}" "${only[@]}" 2>&1)
	echo "### end $?"
done

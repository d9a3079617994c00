#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A test of the test runner: each way in which a run can go wrong without a test
# saying so must be a failure, and the reason must be shown. Results come in the
# runner's own format. Ends with "N passed, N failed, N skipped".

. "$(dirname "$0")/lib.sh"
from_env debug
[ "$kernel" = debug ] || die "needs KERNEL=debug, for lkdtm"
"$top/scripts/prepare.sh" --tree "$tree" --kernel "$kernel"

work=$build/runner-test
rm -rf "$work"
mkdir -p "$work/tests"

check() # NAME STATUS_WANTED PATTERN... : looks at $work/{status,text}
{
	local name=$1 want=$2 pattern

	shift 2
	if [ "$(cat "$work/status")" != "$want" ]; then
		sed 's/^/# /' "$work/text"
		result_fail "$name: status $(cat "$work/status"), not $want"
		return
	fi
	for pattern in "$@"; do
		if ! grep -q -e "$pattern" "$work/text"; then
			sed 's/^/# /' "$work/text"
			result_fail "$name: doesn't say '$pattern'"
			return
		fi
	done
	echo "ok - $name"
	passed=$((passed + 1))
}

# What the reader of KTAP makes of a text; the status is its counts.
read_ktap() # TEXT
{
	printf '%b' "$1" | awk -f "$top/scripts/ktap.awk" -v counts="$work/status" >"$work/text"
}

in_guest() # guest.sh's arguments
{
	local status=0

	"$top/scripts/guest.sh" --kernel "$kernel" --tree "$tree" --name runner-test "$@" \
		>"$work/text" 2>&1 || status=$?
	echo $status >"$work/status"
}

# A whole run as selftest.sh does it, with programs that misbehave.
fake() # NAME SCRIPT
{
	printf '#!/bin/bash\n%b\n' "$2" >"$work/tests/$1"
	chmod +x "$work/tests/$1"
}

run_fakes() # NAME...
{
	# a run of its own: the results are looked at, not counted
	(
		results_start
		run_ktap "$work/fakes" --kernel "$kernel" --tree "$tree" --name runner-test --no-leaks \
			--timeout 60 -- env TESTS_DIR="$work/tests" TEST_LIMIT=3 scripts/tests-guest.sh "$@"
		results_end
	) >"$work/text" 2>&1 && echo 0 >"$work/status" || echo $? >"$work/status"
}

results_start

read_ktap ''
check "nothing at all" "0 1 0" "no plan"
read_ktap '### a\n### end 0\n'
check "a test without output" "0 1 0" "not ok - a: no plan"
read_ktap '### a\nok 1 x\n### end 0\n'
check "a missing plan" "1 1 0" "no plan"
read_ktap '### a\n1..3\nok 1 x\nsome text\n### end 0\n'
check "an early exit" "1 1 0" "planned 3 tests, saw 1" "some text"
read_ktap '### a\n1..1\nok 1 x\nok 2 y\n### end 0\n'
check "more results than planned" "2 1 0" "planned 1 tests, saw 2"
read_ktap '### a\n1..1\nok 1 x\n### end 139\n'
check "a status without a failed test" "1 1 0" "exit status 139"
read_ktap '### a\n1..2\nok 1 x\n'
check "a run that is cut off" "1 1 0" "planned 2 tests, saw 1"
read_ktap '### a\n1..1\n# why\nnot ok 1 x\n### end 1\n'
check "a failed test, with what it said" "0 1 0" "# why" "not ok 1 x"
read_ktap '### a\n1..2\nok 1 x # SKIP no such thing\nok 2 y\n### end 0\n'
check "a skipped test" "1 0 1"
read_ktap '### a\n1..0 # SKIP nothing here\n### end 4\n'
check "a skipped document" "0 1 1"

in_guest --no-panthor --no-leaks -- sh -c 'exit 3'
check "the command's status" 3
in_guest --no-panthor --no-leaks --timeout 10 -- sleep 1000
check "a guest that hangs" 124 "no end after 10 s, stopped. Last lines of" "^   | \["
# shellcheck disable=SC2016 # expanded in the guest
provoke='modprobe -d "$PANTHOR_MODULES" lkdtm; echo $0 >/sys/kernel/debug/provoke-crash/DIRECT'
in_guest --no-panthor --no-leaks -- bash -c "$provoke" WARNING
check "a warning" 126 "WARNING: " "lkdtm_WARNING" "the command's status was 0"
in_guest --no-panthor --no-leaks -- bash -c "$provoke" BUG
check "an oops" 125 "Kernel panic" "lkdtm_BUG"

fake good 'echo 1..1; echo ok 1 fine'
fake hangs 'echo 1..2; echo ok 1 begun; sleep 1000'
fake dies 'echo 1..2; echo ok 1 begun; kill -SEGV $$'
fake silent 'exit 0'
# shellcheck disable=SC2016 # expanded by the fake
fake crashes 'echo 1..2; echo ok 1 begun
modprobe -d "$PANTHOR_MODULES" lkdtm; echo PANIC >/sys/kernel/debug/provoke-crash/DIRECT; sleep 1000'
run_fakes good
check "a good run" 0 "^ok 1 fine" "^1 passed, 0 failed, 0 skipped"
run_fakes hangs dies silent missing good
check "programs that misbehave" 1 "hangs: planned 2 tests, saw 1 (exit status 124)" \
	"dies: planned 2 tests, saw 1 (exit status 139)" "silent: no plan" \
	"missing: no plan (exit status 127)" "^3 passed, 4 failed, 0 skipped"
run_fakes good crashes good
check "a crash in the middle" 1 "crashes: planned 2 tests, saw 1" "Kernel panic" \
	"exit status 125 of the guest" "^2 passed, 2 failed, 0 skipped"

results_end

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make coverage: which of the lines that the series adds to the kernel do the unit
# tests and the selftests run? On a kernel that counts (KERNEL=gcov); the counts
# of all guests are added up by lcov. Prints a table and fails if less than 90 % of
# the lines are run, or if a line that is not has no reason in
# coverage-reasons.list. Writes tools/testing/panthor/COVERAGE.md, and build/coverage
# for a browser. Ends with "N passed, N failed, N skipped" of the tests.

. "$(dirname "$0")/lib.sh"
only_612
only_um

unset BASE T KERNEL
export KERNEL=gcov
"$top/scripts/deps.sh" coverage
"$top/scripts/prepare.sh" --tree series --kernel gcov
export PREPARED=1
src=$(tree_dir series)
dir=$build/coverage
[ -z "$(git -C "$src" status --porcelain -uno)" ] || die "build/linux has uncommitted changes: commit them"
rm -rf "$dir"
mkdir -p "$dir"
results_start

# Every guest leaves its counters in build/run/NAME/gcov.
forget() { rm -rf "$build"/run/*/gcov; }

tests() # NAME command...
{
	local name=$1 out=$build/log/coverage-$1.txt status=0 counts

	shift
	"$@" >"$out" 2>&1 </dev/null || status=$?
	counts=$(sed -nE '$s/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' "$out")
	grep -E '^not ok' "$out" || true
	[ -n "$counts" ] || { result_fail "$name: exit status $status, see ${out#"$top"/}"; return; }
	results_add "$counts"
}

# gcov wants a file's notes (.gcno) beside its counts (.gcda).
capture() # RUN
{
	local f out=$src/out-gcov info=$dir/$(basename "$1").info

	find "$1/gcov" -name '*.gcda' | while read -r f; do
		f=${f%.gcda}.gcno
		ln -sf "$out/${f#*/out-gcov/}" "$f"
	done
	lcov -q -c -d "$1/gcov" --rc lcov_branch_coverage=1 -o "$info" \
		>>"$build/log/coverage-lcov.txt" 2>&1 || die "lcov failed, see build/log/coverage-lcov.txt"
}

forget
tests kunit "$top/scripts/kunit.sh"
tests selftest "$top/scripts/selftest.sh"
: >"$build/log/coverage-lcov.txt"
for run in "$build"/run/*/; do
	[ ! -d "$run/gcov" ] || capture "${run%/}"
done
"$top/scripts/coverage.py" "$src" "$top/scripts/coverage-reasons.list" "$panthor/COVERAGE.md" "$dir"/*.info ||
	result_fail "coverage"
results_end

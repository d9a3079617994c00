#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make kunit: the model's suites and the DRM core ones that the series adds or
# changes, as modules in the guest; then panthor's own by kunit.py alone, without
# the model. These are not run in the guest: they map buffers with
# kunit_vm_mmap(), which in 6.12 leaks an mm each time, and kmemleak sees that. A
# gcov kernel has no kmemleak, and runs all in the guest, as does ARCH=arm64, which
# doesn't look for leaks here: several CPUs are what it's for.
# Ends with "N passed, N failed, N skipped".

. "$(dirname "$0")/lib.sh"
from_env debug debug
case $flavour in *plain|mglru|*kcsan) die "there are no unit tests in KERNEL=$kernel: leave that out" ;; esac

src=$(tree_dir "$tree")
modules=$build/modules/$tree-$flavour
log=$build/log/kunit-$tree
options=()
if [ "$arch" = arm64 ]; then
	log+=-arm64
	options=(--no-leaks)
fi
results_start

# Paths of the modules with suites to run.
suite_modules()
{
	local f

	find "$build/model/$tree-$flavour" -name '*_kunit.ko'
	[ "$tree" = series ] || return 0
	find "$modules" -name panthor_test.ko
	git -C "$src" diff --name-only base series -- 'drivers/gpu/drm/tests/*.c' | while read -r f; do
		find "$modules" -name "$(basename "$f" .c).ko"
	done
}

# One KTAP document from the results of all suites, which are documents of
# their own with one test each.
join_ktap() # FILE...
{
	echo "KTAP version 1"
	echo "1..$#"
	awk 'FNR == 1 { n++ }
	     /^KTAP version|^1\.\.1$/ { next }
	     /^(not )?ok 1 / { sub(/ok 1 /, "ok " n " ") }
	     { print }' "$@"
}

in_guest()
{
	local names status=0 dir=$log.results

	mapfile -t names < <(suite_modules | sed 's|.*/||; s|\.ko$||' | sort -u)
	[ ${#names[@]} -gt 0 ] || die "no unit tests were built"
	say "unit tests in the guest: ${names[*]}"
	rm -rf "$dir"
	mkdir -p "$dir"
	# shellcheck disable=SC2016 # expanded in the guest
	"$top/scripts/guest.sh" "${guest[@]}" --name "${log##*/}" "${options[@]}" --no-panthor --swap 0 --timeout 1800 -- \
		bash -c 'modprobe -d "$PANTHOR_MODULES" -a "$@" || exit
			cd /sys/kernel/debug/kunit && for s in *; do echo "### suite $s"; cat "$s/results"; done' \
		- "${names[@]}" >"$log.out" || status=$?
	[ $status = 0 ] || result_fail "unit tests in the guest: exit status $status"
	grep -q '^### suite' "$log.out" || return 0
	csplit -s -z -f "$dir/" "$log.out" '/^### suite/' '{*}'
	sed -i '/^### suite/d' "$dir"/*
	join_ktap "$dir"/* >"$log.ktap"
	"$src/tools/testing/kunit/kunit.py" parse "$log.ktap" >"$log.txt" 2>&1 || true
	grep -v -e '^$' "$log.txt" || true
	count_kunit "$log.txt"
}

# "Ran 5 tests: passed: 3, failed: 1, skipped: 1"
count_kunit() # FILE
{
	local line

	line=$(sed -n 's/.*Ran [0-9]* tests: //p' "$1" | tail -n 1)
	[ -n "$line" ] || { result_fail "unit tests: no results"; return; }
	results_add "$(awk -v RS='[,\n] *' -F': *' '
		$1 == "passed" { p += $2 }
		$1 == "failed" || $1 == "crashed" || $1 == "errors" { f += $2 }
		$1 == "skipped" { s += $2 }
		END { print p + 0, f + 0, s + 0 }' <<<"$line")"
}

by_kunit_py()
{
	local dir=drivers/gpu/drm/panthor/tests status=0

	[ "$tree$flavour" = seriesdebug ] && [ -f "$src/$dir/.kunitconfig" ] || return 0
	say "unit tests of $dir by kunit.py"
	kunit_py "$tree" run --timeout=1800 >"$log-py.txt" 2>&1 || status=$?
	grep -E '^\[[0-9:]+\] ' "$log-py.txt" || tail -n 20 "$log-py.txt"
	count_kunit "$log-py.txt"
	cp "$src/out-kunit/test.log" "$log-py.log" 2>/dev/null || true
	"$top/scripts/scan-log.sh" "$log-py.log" || result_fail "reports in the log of kunit.py's run"
	[ $status = 0 ] || [ "$failed" -gt 0 ] || result_fail "kunit.py: exit status $status"
}

"$top/scripts/prepare.sh" "${target[@]}"
in_guest
by_kunit_py
results_end

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make kunit: the model's suites, the DRM core ones that the series adds or changes,
# and panthor's own, as modules in the guest. Panthor's are in a guest of their own,
# where nobody looks for leaks: they map buffers with kunit_vm_mmap(), which in 6.12
# leaks an mm each time. With other kernels, nobody looks for leaks at all.
# Ends with "N passed, N failed, N skipped".

. "$(dirname "$0")/lib.sh"
from_env debug debug
case $flavour in *plain|mglru|*kcsan|*k) die "there are no unit tests in KERNEL=$kernel: leave that out" ;; esac

src=$(tree_dir "$tree")
modules=$build/modules/$tree-$flavour
log=$build/log/kunit-$tree
[ "$arch" = um ] || log+=-$arch
results_start

# Paths of the modules with suites to run: panthor's own, and the others.
own_modules() { [ "$tree" != series ] || find "$modules" -name panthor_test.ko; }

other_modules()
{
	local f

	find "$build/model/$tree-$flavour" -name '*_kunit.ko'
	[ "$tree" = series ] || return 0
	git -C "$src" diff --name-only base "series$suffix" -- 'drivers/gpu/drm/tests/*.c' | while read -r f; do
		find "$modules" -name "$(basename "$f" .c).ko"
	done
}

module_names() { sed 's|.*/||; s|\.ko$||' | sort -u; }

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

in_guest() # LOG OPTIONS MODULE...
{
	local log=$1 status=0 dir=$1.results
	local -a options

	read -ra options <<<"$2"
	shift 2
	[ $# -gt 0 ] || die "no unit tests were built"
	say "unit tests in the guest: $*"
	rm -rf "$dir"
	mkdir -p "$dir"
	# shellcheck disable=SC2016 # expanded in the guest
	stops_with_us "$top/scripts/guest.sh" "${guest[@]}" --name "${log##*/}" "${options[@]}" --no-panthor --swap 0 --timeout 1800 -- \
		bash -c 'modprobe -d "$PANTHOR_MODULES" -a "$@" || exit
			cd /sys/kernel/debug/kunit && for s in *; do echo "### suite $s"; cat "$s/results"; done' \
		- "$@" >"$log.out" || status=$?
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

"$top/scripts/prepare.sh" "${target[@]}"
mapfile -t own < <(own_modules | module_names)
[ "$tree" != series ] || [ ${#own[@]} -gt 0 ] || die "the series' own unit tests were not built"
mapfile -t others < <(other_modules | module_names)
if [ "$arch$kernel" = umdebug ]; then
	in_guest "$log" '' "${others[@]}"
	[ ${#own[@]} = 0 ] || in_guest "$log-panthor" --no-leaks "${own[@]}"
else
	in_guest "$log" --no-leaks "${others[@]}" "${own[@]}"
fi
results_end

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make selftest [T=glob]: the programs of tools/testing/panthor/tests in the
# guest. A line " * guest: OPTIONS" in the comment at the head of a test's file
# gives guest.sh options (RAM, swap); tests with the same options share a boot.
# Ends with "N passed, N failed, N skipped".

. "$(dirname "$0")/lib.sh"
from_env debug
glob=${T:-*}

declare -A groups=()
for f in "$panthor"/tests/*.c; do
	name=$(basename "$f" .c)
	# shellcheck disable=SC2053 # a pattern is wanted
	[[ $name == $glob ]] || continue
	opts=$(sed -n '1,30s/^ \* guest: *//p' "$f" | head -n 1)
	groups[${opts:- }]+=" $name"
done
[ ${#groups[@]} -gt 0 ] ||
	die "no test is named '$glob'; there are: $(cd "$panthor/tests" && echo *.c | sed 's/\.c//g')"

"$top/scripts/prepare.sh" --tree "$tree" --kernel "$kernel"
results_start
n=0
while IFS= read -r opts; do
	n=$((n + 1))
	read -ra extra <<<"$opts"
	read -ra names <<<"${groups[$opts]}"
	run_ktap "$build/log/selftest-$tree-$kernel-$n" --tree "$tree" --kernel "$kernel" \
		--name "selftest-$tree-$kernel-$n" --timeout $((120 + 120 * ${#names[@]} + 60 * ${SOAK:-0})) \
		"${extra[@]}" -- env PAN_SEED="${PAN_SEED:-}" SOAK="${SOAK:-}" scripts/tests-guest.sh "${names[@]}"
done < <(printf '%s\n' "${!groups[@]}" | sort)
results_end

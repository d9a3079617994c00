#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make selftest [T='glob...']: the programs of tools/testing/panthor/tests in the
# guest. A line " * guest: OPTIONS" in the comment at the head of a test's file
# gives guest.sh options (RAM, swap); tests with the same options share a boot, and
# boots share the CPUs. CPU=n: one after the other, on that one.
# "--kernel plain" is for those that move too much memory for the debug kernel. With
# ARCH=arm64 SMP=n on emulated CPUs, two if not told otherwise.
# Ends with "N passed, N failed, N skipped".

. "$(dirname "$0")/lib.sh"
from_env debug
[[ ${SOAK:-0} =~ ^[0-9]{1,5}$ ]] || die "bad SOAK '$SOAK': minutes"
[[ ${PAN_SEED:-0} =~ ^(0x[0-9a-fA-F]{1,16}|[0-9]{1,20})$ ]] || die "bad PAN_SEED '$PAN_SEED': a number"
case ${DTB:-coherent} in
coherent|noncoherent) ;;
*) die "unknown DTB '$DTB': coherent or noncoherent" ;;
esac

declare -A groups=()
for name in $(chosen_programs); do
	f=$panthor/tests/$name.c
	opts=$(guest_options "$name")
	# it skips all of its tests, which any guest is good for
	[ "$tree" != base ] || ! grep -q 'EVICT_REQUIRE\|EVICT_SETUP' "$f" || opts=
	# they need the series: on the unpatched kernel, any build can skip them
	[ "$tree$flavour" = seriesdebug ] || opts=${opts//--kernel plain/}
	groups[${opts:- }]+=" $name"
done
[ ${#groups[@]} -gt 0 ] || no_such_program

"$top/scripts/prepare.sh" "${target[@]}"
if [[ "${!groups[*]}" == *"--kernel plain"* ]] && [ "$kernel" != plain ]; then
	"$top/scripts/prepare.sh" --tree "$tree" --kernel plain
fi
results_start
# A crash ends the guest: programs that it did not come to get another one.
run_group() # N OPTIONS NAME...
{
	local log=$build/log/selftest-$tree-$flavour-$1 opts=$2 left
	local -a extra

	shift 2
	read -ra extra <<<"$opts"
	while [ $# -gt 0 ]; do
		run_ktap "$log" "${guest[@]}" --name "$(basename "$log")" \
			--dtb "${DTB:-coherent}" \
			--timeout $((1800 + 300 * $# + 60 * ${SOAK:-0})) "${extra[@]}" \
			-- env PAN_SEED="${PAN_SEED:-}" SOAK="${SOAK:-}" scripts/tests-guest.sh "$@"
		left=$(printf '%s\n' "$@" | grep -vxF -f <(sed -n 's/^### //p' "$log.out") || true)
		[ "$(wc -w <<<"$left")" -lt $# ] || break
		# shellcheck disable=SC2086 # a list of names
		set -- $left
		[ $# = 0 ] || { say "the rest in a new guest"; log+=b; }
	done
}

mapfile -t boots < <(printf '%s\n' "${!groups[@]}" | sort)

# Those that are on their own show what they do while they do it.
run_boot() # N
{
	local out=$build/log/selftest-$tree-$flavour-$(($1 + 1)).txt

	results_start
	# shellcheck disable=SC2086 # a list of names
	run_group $(($1 + 1)) "${boots[$1]}" ${groups[${boots[$1]}]} >"$out"
	echo "$passed $failed $skipped" >"$out.counts"
	flock "$build/log/queue-selftest.lock" cat "$out"
}

if [ ${#boots[@]} = 1 ] || [ "$arch" = arm64 ]; then
	for n in "${!boots[@]}"; do
		# shellcheck disable=SC2086 # a list of names
		run_group $((n + 1)) "${boots[n]}" ${groups[${boots[n]}]}
	done
	results_end
fi

rm -f "$build/log/selftest-$tree-$flavour-"*.txt.counts
on_all_cpus ${#boots[@]} run_boot "$build/log/queue-selftest-$tree-$flavour" || true
for n in "${!boots[@]}"; do
	counts=$build/log/selftest-$tree-$flavour-$((n + 1)).txt.counts
	if [ -f "$counts" ]; then
		results_add "$(cat "$counts")"
	else
		result_fail "boot $((n + 1)) (${boots[n]# }) was not run to its end"
	fi
done
results_end

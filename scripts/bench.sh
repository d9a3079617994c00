#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make bench [B=letters]: the programs of tools/testing/panthor/bench in the
# plain guest, pinned to one host CPU. The comment at the head of each says, after
# its letter, what is measured; its lines " * guest: OPTIONS" give guest.sh options,
# " * trees: both" has it run on the patched and the unpatched kernel in turn,
# " * boots: N" says how often the guest is booted for it. LINUX=7.3 has a shrinker without
# patches, too: there, all are run on both, but for those that say " * needs: WHAT" it lacks.
# Results: a table, build/bench.json, plots in build/bench (bench-7.3 of that kernel).

. "$(dirname "$0")/lib.sh"
only_um
from_env plain
[ "$kernel" = plain ] || die "measurements are made with KERNEL=plain"
[ "$tree" = series ] || die "both kernels are measured where it matters: without BASE=1"

boots=7
out=$build/bench$suffix

declare -A program=()
for f in "$panthor"/bench/*.c; do
	letter=$(sed -nE '3,6s/^ \* ([A-Z]): .*/\1/p' "$f")
	[ -z "$letter" ] || program[$letter]=$(basename "$f" .c)
done
all=$(printf '%s\n' "${!program[@]}" | sort | tr -d '\n')
letters=${B:-$all}
[[ $letters =~ ^[$all]+$ ]] || die "unknown benchmark in B='$letters': letters of $all, for example B=${all::2}"

header() { sed -nE "1,12s/^ \* $2: *//p" "$panthor/bench/$1.c"; } # PROGRAM KEY

on_both() # PROGRAM
{
	[ "$(header "$1" trees)" = both ] || { [ "$linux" != 6.12 ] && [ -z "$(header "$1" needs)" ]; }
}

trees_of() # PROGRAM BOOT: the sides alternate
{
	on_both "$1" || { echo series; return; }
	if [ $(($2 % 2)) = 0 ]; then echo base series; else echo series base; fi
}

# What bench_wait_quiet() of the programs before this one took for a quiet machine.
quiet_spin() { sed -nE 's/^\w+ spin //p' "$out/samples" | sort -g | head -n 1; }

run() # PROGRAM TREE
{
	local opts status=0 log=$build/log/bench-$1

	read -ra opts <<<"$(header "$1" guest)"
	stops_with_us "$top/scripts/guest.sh" --kernel plain --tree "$2" --swap 0 --name "bench-$1" --timeout 600 "${opts[@]}" \
		-- scripts/bench-guest.sh "$1" "$(quiet_spin)" >"$log.out" || status=$?
	grep -E '^(sample|series|spin) ' "$log.out" | sed "s/^/$2 /" >>"$out/samples" || true
	[ $status = 0 ] && return
	failed=1
	say "$1 on $2: status $status. $(grep -m 1 FAILED "$log.out" || echo "See build/log/bench-$1.out")"
}

"$top/scripts/deps.sh" bench
"$top/scripts/prepare.sh" --tree series --kernel plain
for ((i = 0; i < ${#letters}; i++)); do
	! on_both "${program[${letters:i:1}]}" || { "$top/scripts/prepare.sh" --tree base --kernel plain; break; }
done

CPU=${CPU:-$(pick_cpu)}
export CPU
rm -rf "$out"
mkdir -p "$out"
: >"$out/samples"
failed=0
for letter in $(grep -o . <<<"$letters" | sort -u); do
	p=${program[$letter]}
	start=$SECONDS
	n=$(header "$p" boots)
	[ "$linux" = 6.12 ] || on_both "$p" ||
		say "$letter ($p): with patches only. Without them, there's no $(header "$p" needs)"
	for ((boot = 0; boot < ${n:-$boots}; boot++)); do
		for tree in $(trees_of "$p" $boot); do
			run "$p" "$tree"
		done
	done
	say "$letter ($p): $((SECONDS - start)) s"
done

"$top/scripts/bench.py" "$out/samples" "$out.json" "$out"
for f in "$out"/*.dat; do
	[ -s "$f" ] || continue
	name=$(basename "$f" .dat)
	gnuplot -e "data='$f'; set output '$out/$name.svg'" "$panthor/bench/$name.gnuplot" ||
		die "gnuplot failed on $name"
	say "plot: ${out#"$top"/}/$name.svg"
done
say "results: ${out#"$top"/}.json"
[ $failed = 0 ] || die "not everything could be measured, see above"

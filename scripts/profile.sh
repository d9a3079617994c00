#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make profile: where the time goes, where the targets of make bench are missed:
# when buffers of 4 KiB are evicted and swapped out, compared with files of one page,
# when a CPU fault brings a buffer its memory, during the life of a buffer, and when it's
# mapped, compared with the base kernel (tools/testing/panthor/bench/profile_*.c).
# perf on the host samples the guest's kernel, which is a process there; the guest
# tells where its modules are. Writes tools/testing/panthor/bench/PROFILE.md.

. "$(dirname "$0")/lib.sh"
only_612
only_um

out=$build/profile

profile() # NAME TREE PROGRAM
{
	local dir=$out/$1 opts

	read -ra opts <<<"$(sed -nE '1,12s/^ \* guest: *//p' "$panthor/bench/$3.c")"
	say "profile: $1, for about a minute"
	mkdir -p "$dir"
	perf record -q -k CLOCK_MONOTONIC -e cpu-clock -F 2000 -o "$dir/perf.data" -- \
		"$top/scripts/guest.sh" --tree "$2" --kernel plain --swap 0 --name profile \
		--timeout 300 "${opts[@]}" -- \
		bash -c "sed 's/^/symbol /' /proc/kallsyms; exec scripts/bench-guest.sh $3" 2>"$dir/log" |
		"$top/scripts/profile.py" stamp >"$dir/guest" ||
		die "failed, see ${dir#"$top"/}/log (perf needs kernel.perf_event_paranoid of 2 or less)"
	perf script -i "$dir/perf.data" -F comm,time,ip --ns >"$dir/samples" 2>>"$dir/log"
}

"$top/scripts/deps.sh" profile
"$top/scripts/prepare.sh" --tree series --kernel plain
"$top/scripts/prepare.sh" --tree base --kernel plain
rm -rf "$out"
profile swap series profile_swap
profile calls-series series profile_calls
profile calls-base base profile_calls
"$top/scripts/profile.py" report "$out" >"$panthor/bench/PROFILE.md"
cat "$panthor/bench/PROFILE.md"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make profile: where the time goes when buffers of 4 KiB are evicted and swapped
# out, and when files of one page are (tools/testing/panthor/bench/profile.c).
# perf on the host samples the guest's kernel, which is a process there; the guest
# tells where its modules are. Writes tools/testing/panthor/bench/PROFILE.md.

. "$(dirname "$0")/lib.sh"

out=$build/profile
"$top/scripts/deps.sh" profile
"$top/scripts/prepare.sh" --tree series --kernel plain
mkdir -p "$out"
read -ra opts <<<"$(sed -nE '1,12s/^ \* guest: *//p' "$panthor/bench/profile.c")"
say "profile: the guest runs for about a minute"
perf record -q -k CLOCK_MONOTONIC -e cpu-clock -F 2000 -o "$out/perf.data" -- \
	"$top/scripts/guest.sh" --kernel plain --swap 0 --name profile --timeout 300 "${opts[@]}" -- \
	bash -c "sed 's/^/symbol /' /proc/kallsyms; exec scripts/bench-guest.sh profile" 2>"$out/log" |
	"$top/scripts/profile.py" stamp >"$out/guest" ||
	die "failed, see ${out#"$top"/}/log (perf needs kernel.perf_event_paranoid of 2 or less)"
perf script -i "$out/perf.data" -F comm,time,ip --ns >"$out/samples" 2>>"$out/log"
"$top/scripts/profile.py" report "$out/guest" "$out/samples" >"$panthor/bench/PROFILE.md"
cat "$panthor/bench/PROFILE.md"

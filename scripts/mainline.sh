#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make mainline [T='glob...']: the selftests on Linux 7.3, as it is and with our
# patches, plain kernel. Writes tools/testing/panthor/tests/MAINLINE.md: what passes and
# what fails, with causes from tests/mainline-causes.list. A program of which no test is
# in this run keeps its row.

. "$(dirname "$0")/lib.sh"
only_um
export LINUX=7.3 KERNEL=plain

tests=$panthor/tests
results=$build/mainline
causes=$tests/mainline-causes.list
mkdir -p "$results"
mapfile -t programs < <(chosen_programs)
[ ${#programs[@]} -gt 0 ] || no_such_program

# Lines "TEST ok|fail|skip", and "PROGRAM crash" for one that didn't come to its end,
# or failed without saying in which test
parse() # < output
{
	awk '
		/^### end / { if ($3 != 0 && !bad) print name " crash"; name = ""; next }
		/^### / { if (name != "") print name " crash"; name = $2; bad = 0; next }
		/^ok .*# SKIP/ { print $3 " skip"; next }
		/^ok [0-9]+ / { print $3 " ok"; next }
		/^not ok [0-9]+ / { print $4 " fail"; bad = 1; next }
		END { if (name != "") print name " crash" }'
}

# A boot for each program, so that what one leaves behind isn't another's failure.
run_kernel() # series|base
{
	local base='' name log

	[ "$1" = series ] || base=1
	BASE=$base "$top/scripts/prepare.sh" --tree "$1" --kernel plain
	for name in "${programs[@]}"; do
		log=$results/$1-$name
		rm -f "$build/log/selftest-$1-7.3-plain-1"*.out
		BASE=$base PREPARED=1 T=$name stops_with_us into "$log.txt" "$top/scripts/selftest.sh" || true
		cat "$build/log/selftest-$1-7.3-plain-1"*.out 2>/dev/null | parse >"$log.tests" || true
		! grep -q 'kernel log has a report' "$log.txt" || echo "$name report" >>"$log.tests"
		say "$1: $(tail -n 1 "$log.txt")  $name"
	done
}

# The cause of a failure: the first line "GLOB TEXT" that fits
cause() # TEST
{
	local glob text

	while read -r glob text; do
		[ -n "$glob" ] && [ "${glob#\#}" = "$glob" ] || continue
		# shellcheck disable=SC2053 # a pattern is wanted
		if [[ $1 == $glob ]]; then echo "$text"; return; fi
	done <"$causes"
	echo "not known"
}

# "passed/failed/skipped", and what else happened
summary() # FILE
{
	[ -f "$1" ] || { echo "-"; return; }
	awk '{ n[$2]++ } END {
		printf "%d/%d/%d", n["ok"], n["fail"], n["skip"]
		if (n["crash"]) printf " crash"
		if (n["report"]) printf " report"
	}' "$1"
}

failures() # FILE...
{
	cat "$@" 2>/dev/null | awk '$2 != "ok" && $2 != "skip" { print $1 }' | sort -u
}

# Rows of the last document whose program has no results in this clone
kept_rows() # HEADING OF THE TABLE
{
	local row name

	[ -f "$tests/MAINLINE.md" ] || return 0
	awk -v heading="$1" '
		/^\| (program|test) / { inside = $2 == heading; next }
		inside && /^\| /' "$tests/MAINLINE.md" |
	while read -r row; do
		name=${row#| }
		name=${name%%[ .]*}
		[ -f "$results/base-$name.tests" ] || echo "$row"
	done
}

program_rows()
{
	local f name

	for f in "$results"/base-*.tests; do
		name=$(basename "$f" .tests)
		name=${name#base-}
		echo "| $name | $(summary "$f") | $(summary "$results/series-$name.tests") |"
	done
}

failure_rows()
{
	local name t

	while read -r t; do
		name=${t%%.*}
		echo "| $t | $(state "$t" "$results/base-$name.tests") | $(state "$t" "$results/series-$name.tests") | $(cause "$t") |"
	done < <(failures "$results"/base-*.tests "$results"/series-*.tests)
}

document()
{
	local rows

	cat <<-EOF
	# The selftests on Linux 7.3

	Made by \`make mainline\`: Linux $(kernel_version "$build/linux-7.3") as it is, and with the
	$(git -C "$build/linux-7.3" rev-list --count base..series-7.3) patches of \`patches/7.3\`, plain kernel on UML with one CPU, a boot for each
	program. Passed/failed/skipped; "crash": the program didn't come to its end; "report": there's a
	WARN, a BUG or a complaint of the model in the kernel log; "-": it wasn't run there.

	| program | 7.3 | with patches |
	|---|---|---|
	EOF
	{ program_rows; kept_rows program; } | sort
	rows=$({ failure_rows; kept_rows test; } | sort)
	[ -n "$rows" ] || return 0
	printf '\n## Failures\n\n| test | 7.3 | with patches | cause |\n|---|---|---|---|\n%s\n' "$rows"
}

state() # TEST FILE
{
	[ -f "$2" ] || { echo "-"; return; }
	awk -v t="$1" '$1 == t { s = s (s == "" ? "" : ", ") $2 } END { print s == "" ? "-" : s }' "$2"
}

for kernel in base series; do
	run_kernel $kernel
done
document >"$results/MAINLINE.md"
cp "$results/MAINLINE.md" "$tests/MAINLINE.md"
say "tools/testing/panthor/tests/MAINLINE.md"

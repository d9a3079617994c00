#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make mutants [M=glob]: tests of the tests. Applies one deliberate defect at a
# time (tools/testing/panthor/mutants/*.patch) to the series, and runs the tests
# named in the patch, each of which must fail. They must all pass without it.
#
# A mutant begins with a sentence that says what is broken; lines "Kunit:
# SUITE.TEST" and "Selftest: PROGRAM[.TEST]" (or PROGRAM.VARIANT) name the tests.
# "Smp: PROGRAM[.TEST]" is a selftest that is run with ARCH=arm64 SMP=2, for defects
# which take two CPUs to do harm. Where there is no such guest, these are skipped.
# The series is what branch `series` in build/linux has; nothing is changed there,
# build/mutants/linux is a worktree.
# Ends with "N passed, N failed, N skipped". mutants/RESULT.md says what came
# of each, in any number of runs. M=new is those of which it doesn't.

. "$(dirname "$0")/lib.sh"
only_612
only_um

glob=${M:-*}
dir=$panthor/mutants
src=$(tree_dir mutant)
log=$build/log/mutants
export JOBS=${JOBS:-$(nproc)}

names()
{
	local f name

	for f in "$dir"/*.patch; do
		name=$(basename "$f" .patch)
		# shellcheck disable=SC2053 # a pattern is wanted
		[[ $name != $glob ]] || echo "$name"
	done
}

# The tests of mutants, "Kunit SUITE.TEST" or "Selftest PROGRAM[.TEST]" one a line.
tests_of() # NAME...
{
	local n

	for n in "$@"; do
		sed -n '/^--- /q; s/^\(Kunit\|Selftest\|Smp\): */\1 /p' "$dir/$n.patch"
	done
}

what_of() { sed -n '1p' "$dir/$1.patch"; }

# --- the scratch tree

prepare()
{
	"$top/scripts/deps.sh"
	"$top/scripts/tree.sh"
	[ -z "$(git -C "$build/linux" status --porcelain -uno)" ] ||
		say "build/linux has uncommitted changes, which are not looked at"
	"$top/scripts/build-user.sh"
	if [ ! -e "$src/.git" ]; then
		rm -rf "$src"
		git -C "$build/linux" worktree prune
		git -C "$build/linux" worktree add -q --detach "$src" series
	fi
	restore
	git -C "$src" checkout -q --detach series
}

wants_smp() { tests_of "$@" | grep '^Smp ' >/dev/null; } # NAME...

# Sets $chosen and $skipped: without the guest that has several CPUs, there are fewer.
prepare_smp()
{
	local n
	local -a left=()

	wants_smp "${chosen[@]}" || return 0
	if "$top/scripts/deps.sh" guest-arm64 && "$top/scripts/fetch-root.sh"; then
		"$top/scripts/build-user.sh" --arch arm64
		return
	fi
	for n in "${chosen[@]}"; do
		if wants_smp "$n"; then
			echo "*** $n IS NOT TRIED: no guest with several CPUs, see above ***"
			skipped=$((skipped + 1))
		else
			left+=("$n")
		fi
	done
	chosen=("${left[@]}")
}

restore() { git -C "$src" checkout -q --force -- .; }
trap 'restore 2>/dev/null || true' EXIT

# No fuzz: with it, defects went to places where they do no harm.
mutate() { patch -d "$src" -p1 -s -F0 --no-backup-if-mismatch -r - <"$dir/$1.patch" >"$log/$1.patch.txt" 2>&1; }

# --- running tests

kunit_build() { kunit_py mutant build --kconfig_add CONFIG_DRM_KUNIT_TEST=y >"$1" 2>&1; }

# With the core's suites, in one kernel.
kunit_passes() # SUITE.TEST|'' LOG
{
	stops_with_us into "$2" kunit_py mutant exec --timeout 120 ${1:+"$1"} &&
		"$top/scripts/scan-log.sh" "$src/out-kunit/test.log" >>"$2" 2>&1
}

# Something was run, for whatever end. What couldn't even begin has noticed nothing.
was_begun() { grep -q '^### \|Ran [0-9]* tests' "$1"; } # LOG

# smp is KERNEL=plain of arm64
guest_target() # KERNEL
{
	if [ "$1" = smp ]; then echo --arch arm64 --tree mutant --kernel plain
	else echo --tree mutant --kernel "$1"
	fi
}

guest_build() # KERNEL LOG
{
	local -a target

	read -ra target <<<"$(guest_target "$1")"
	"$top/scripts/build-kernel.sh" "${target[@]}" >"$2" 2>&1
}

# The debug kernel, unless the test wants the other one.
kernel_of() # PROGRAM[.TEST]
{
	case " $(guest_options "$1") " in *" --kernel plain "*) echo plain ;; *) echo debug ;; esac
}

# Boots a guest, which runs tests that want the same one.
run_guest() # KERNEL LOG PROGRAM[.TEST]...
{
	local limit=$((${MUTANT_LIMIT:-150} * ($# - 2))) kernel=$1 log=$2
	local -a opts target

	read -ra target <<<"$(guest_target "$kernel")"
	[ "$kernel" != smp ] || target+=(--smp 2)
	shift 2
	read -ra opts <<<"$(guest_options "$1")"
	stops_with_us "$top/scripts/guest.sh" "${target[@]}" --name mutant --no-leaks --timeout "$limit" \
		"${opts[@]}" -- env PAN_SEED="${PAN_SEED:-}" scripts/tests-guest.sh "$@" >"$log" 2>"$log.err"
}

selftest_passes() # KERNEL PROGRAM[.TEST] LOG
{
	local status=0

	run_guest "$1" "$3" "$2" || status=$?
	awk -f "$top/scripts/ktap.awk" -v counts="$3.counts" "$3" >"$3.txt"
	[ $status = 0 ] && [ "$(cut -d' ' -f1 "$3.counts")" != 0 ] && [ "$(cut -d' ' -f2 "$3.counts")" = 0 ]
}

passes() # KIND TEST LOG
{
	case $1 in
	Kunit) kunit_passes "$2" "$3" ;;
	Selftest) selftest_passes debug "$2" "$3" ;;
	Smp) MUTANT_LIMIT=300 selftest_passes smp "$2" "$3" ;;
	esac
}

# What has to be built for tests, "KIND TEST" one a line: kunit, debug, plain, smp.
builds_for()
{
	local kind test

	while read -r kind test; do
		case $kind in
		Kunit) echo kunit ;;
		Selftest) kernel_of "$test" ;;
		Smp) echo smp ;;
		esac
	done | sort -u
}

build_all() # LOG WHAT...
{
	local what log=$1

	shift
	for what in "$@"; do
		case $what in
		kunit) kunit_build "$log.kunit-build" || return ;;
		*) guest_build "$what" "$log.$what-build" || return ;;
		esac
	done
}

# Selftests that the series passed before are not run again.
passed_before() # KIND TEST
{
	[ "$(cat "$log/series.$1.$2.passed" 2>/dev/null)" = "$(program_state "$2")" ]
}

program_state() { echo "$series $(stat -c %Y "$build/user/tests/${1%%.*}" 2>/dev/null || true)"; } # TEST
has_passed() { program_state "$2" >"$log/series.$1.$2.passed"; } # KIND TEST

# Those of tests-guest.sh that passed, and did something
passed_tests() # < LOG
{
	awk '/^### end 0$/ && ok && !bad { print name }
		/^### / { name = $2; ok = bad = 0 }
		/^ok [0-9]/ && !/# SKIP/ { ok++ }
		/^not ok / { bad++ }'
}

# As many as possible in one guest. What doesn't pass like this is tried alone later.
together() # TEST...
{
	local test status
	local -A groups=()

	for test in "$@"; do
		passed_before Selftest "$test" || groups["$(kernel_of "$test") $(guest_options "$test")"]+=" $test"
	done
	for test in "${!groups[@]}"; do
		status=0
		# shellcheck disable=SC2086 # a list of names
		run_guest "${test%% *}" "$log/series.together" ${groups[$test]} </dev/null || status=$?
		# a report in the kernel's log is anybody's
		[ $status != 126 ] || continue
		while read -r test; do has_passed Selftest "$test"; done < <(passed_tests <"$log/series.together")
	done
}

# The series itself passes all tests of the chosen mutants, once each: those that
# it does not are of no use.
declare -A useless=()
baseline() # NAME...
{
	local kind test list what units=$log/series.kunit
	local -a builds selftests target

	list=$(tests_of "$@" | sort -u)
	mapfile -t builds < <(builds_for <<<"$list")
	build_all "$log/series" "${builds[@]}" || die "the series does not build, see ${log#"$top"/}/series.*"
	case $list in *Kunit*) kunit_passes '' "$units" || die "unit tests fail without any defect, see ${units#"$top"/}" ;; esac
	for what in "${builds[@]}"; do
		[ "$what" != kunit ] || continue
		read -ra target <<<"$(guest_target "$what")"
		"$top/scripts/build-model.sh" "${target[@]}"
	done
	mapfile -t selftests < <(sed -n 's/^Selftest //p' <<<"$list")
	together "${selftests[@]}"
	while read -r kind test; do
		case $kind in
		Kunit) grep -qw "\[PASSED\] ${test#*.}" "$units" && continue ;;
		Selftest|Smp)
			! passed_before "$kind" "$test" || continue
			if passes "$kind" "$test" "$log/series.$test" </dev/null; then
				has_passed "$kind" "$test"
				continue
			fi ;;
		esac
		echo "# $test fails, or does not exist, without any defect: see ${log#"$top"/}/series.$test"
		useless[$test]=1
	done <<<"$list"
	say "the series passes $(($(wc -l <<<"$list") - ${#useless[@]})) of $(wc -l <<<"$list") tests"
}

# --- one mutant

verdict() # NAME N
{
	local name=$1 kind test list caught='' survived=''
	local -a builds

	list=$(tests_of "$name")
	[ -n "$list" ] || { result="not ok $2 $name — names no test"; return; }
	while read -r kind test; do
		[ -z "${useless[$test]:-}" ] ||
			{ result="not ok $2 $name — without it, $test fails, too"; return; }
	done <<<"$list"
	mutate "$name" || { result="not ok $2 $name — the patch does not apply any more: refresh it"; return; }
	mapfile -t builds < <(builds_for <<<"$list")
	build_all "$log/$name" "${builds[@]}" || { result="not ok $2 $name — does not build"; return; }
	while read -r kind test; do
		if passes "$kind" "$test" "$log/$name.$test" </dev/null; then
			survived+=${survived:+, }$test
		elif was_begun "$log/$name.$test"; then
			caught+=${caught:+, }$test
		else
			result="not ok $2 $name — $test could not be run, see ${log#"$top"/}/$name.$test"
			return
		fi
	done <<<"$list"
	if [ -n "$survived" ]; then
		result="not ok $2 $name — survived $survived"
	else
		result="ok $2 $name — caught by $caught"
	fi
}

# --- what became of each

# Changes with the mutant, its tests, and the functions it's about, as they are in $src.
state_of() # NAME
{
	local scratch=$log/state file

	rm -rf "$scratch"
	mkdir -p "$scratch/a"
	sed -n 's|^+++ b/||p' "$dir/$1.patch" | while read -r file; do
		install -D "$src/$file" "$scratch/a/$file"
	done
	cp -r "$scratch/a" "$scratch/b"
	patch -d "$scratch/b" -p1 -s -F0 --no-backup-if-mismatch -r - <"$dir/$1.patch" >/dev/null || return 0
	{
		sed '/^--- /q' "$dir/$1.patch"
		cd "$scratch"
		# which tells by its status that there is a difference
		{ git diff --no-index --function-context a b || true; } | grep -v '^\(index\|@@\) '
	} | sha1sum | cut -c1-8
}

# Results of earlier runs are in the table itself.
declare -A verdicts=() states=()
read_table()
{
	local name caught state

	while IFS='|' read -r _ name _ caught state _; do
		name=${name//[\` ]/} state=${state// /} caught=${caught# }
		[[ $state =~ ^[0-9a-f]{8}$ ]] || continue
		states[$name]=$state verdicts[$name]=${caught% }
	done <"$dir/RESULT.md"
}

keep() { states[$1]=$(state_of "$1") verdicts[$1]=$2; } # NAME VERDICT

rows()
{
	local n state

	for n in $(glob='*' names); do
		state=$(state_of "$n")
		[[ -n $state && ${states[$n]:-} = "$state" ]] || verdicts[$n]='not run yet' state=''
		printf '| `%s` | %s | %s | %s |\n' "$n" "$(what_of "$n" | sed 's/\.$//')" "${verdicts[$n]}" "$state"
	done
}

table()
{
	local rows

	rows=$(rows)
	cat <<-'END'
		# Mutants

		Written by `make mutants`. Each line is a defect that was put into the series on purpose, and the tests that noticed. The last column
		stands for the mutant and the functions it changes, as they were then: once these change, it's to be run again.

	END
	echo "Of $(wc -l <<<"$rows") mutants, $(grep -c '| not run yet |' <<<"$rows" || true) are to be run again, and $(grep -c '| \*\*' <<<"$rows" || true) were not noticed."
	cat <<-'END'

		| mutant | what is broken | caught by | state |
		|---|---|---|---|
	END
	echo "$rows"
}

write_table()
{
	table >"$dir/RESULT.new"
	mv "$dir/RESULT.new" "$dir/RESULT.md"
}

is_known() { [ "${states[$1]:-}" = "$(state_of "$1")" ]; } # NAME

choose_new()
{
	local n

	chosen=()
	for n in $(glob='*' names); do is_known "$n" || chosen+=("$n"); done
}

[ "$glob" != new ] || glob='*' only_new=1
mapfile -t chosen < <(names)
[ ${#chosen[@]} -gt 0 ] ||
	die "no mutant is named '$glob'; there are: $(cd "$dir" && echo *.patch | sed 's/\.patch//g')"
mkdir -p "$log"
exec 7>"$log/lock"
flock -n 7 || die "another one runs, and there is one tree for both"
prepare
read_table
[ -z "${only_new:-}" ] || choose_new
results_start
prepare_smp
# a better test, unit tests included, doesn't call earlier results in question
series=$(git -C "$src" ls-tree -r HEAD | grep -v "	drivers/gpu/drm/panthor/tests/" | sha1sum | cut -d' ' -f1)
[ ${#chosen[@]} = 0 ] || baseline "${chosen[@]}"
# what's known is kept, whatever ends this
trap 'restore; write_table' EXIT
n=0
for name in "${chosen[@]}"; do
	n=$((n + 1))
	verdict "$name" $n
	restore
	echo "$result"
	case $result in
	ok*) passed=$((passed + 1)); keep "$name" "${result#*caught by }" ;;
	*) failed=$((failed + 1)); keep "$name" "**${result#*— }**" ;;
	esac
done
results_end

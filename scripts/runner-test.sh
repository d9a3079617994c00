#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A test of the test runner: each way in which a run can go wrong without a test
# saying so must be a failure, and the reason must be shown. Results come in the
# runner's own format. Ends with "N passed, N failed, N skipped".

. "$(dirname "$0")/lib.sh"
only_um
from_env debug
[ "$kernel" = debug ] || die "needs KERNEL=debug, for lkdtm"
"$top/scripts/prepare.sh" --tree "$tree" --kernel "$kernel"

work=$build/runner-test
rm -rf "$work"
mkdir -p "$work/tests"

check() # NAME STATUS_WANTED PATTERN... : looks at $work/{status,text}
{
	local name=$1 want=$2 pattern

	shift 2
	if [ "$(cat "$work/status")" != "$want" ]; then
		sed 's/^/# /' "$work/text"
		result_fail "$name: status $(cat "$work/status"), not $want"
		return
	fi
	for pattern in "$@"; do
		if ! grep -q -e "$pattern" "$work/text"; then
			sed 's/^/# /' "$work/text"
			result_fail "$name: doesn't say '$pattern'"
			return
		fi
	done
	echo "ok - $name"
	passed=$((passed + 1))
}

# What the reader of KTAP makes of a text; the status is its counts.
read_ktap() # TEXT
{
	printf '%b' "$1" | awk -f "$top/scripts/ktap.awk" -v counts="$work/status" >"$work/text"
}

in_guest() # guest.sh's arguments
{
	local status=0

	"$top/scripts/guest.sh" --kernel "$kernel" --tree "$tree" --name runner-test "$@" \
		>"$work/text" 2>&1 || status=$?
	echo $status >"$work/status"
}

# A whole run as selftest.sh does it, with programs that misbehave.
fake() # NAME SCRIPT
{
	printf '#!/bin/bash\n%b\n' "$2" >"$work/tests/$1"
	chmod +x "$work/tests/$1"
}

run_fakes() # LIMIT NAME...
{
	local limit=$1

	shift
	# a run of its own: the results are looked at, not counted
	(
		results_start
		run_ktap "$work/fakes" --kernel "$kernel" --tree "$tree" --name runner-test --no-leaks \
			--timeout 600 -- env TESTS_DIR="$work/tests" TEST_LIMIT="$limit" scripts/tests-guest.sh "$@"
		results_end
	) >"$work/text" 2>&1 && echo 0 >"$work/status" || echo $? >"$work/status"
}

# One of our scripts, in a world of its own.
script() # command...
{
	local status=0

	"$@" >"$work/text" 2>&1 </dev/null || status=$?
	echo $status >"$work/status"
}

# A machine that has only a few commands, for the user with that ID.
poor_machine() # UID
{
	local c

	rm -rf "$work/poor"
	mkdir "$work/poor"
	printf '#!/bin/sh\necho %s\n' "$1" >"$work/poor/id"
	chmod +x "$work/poor/id"
	for c in bash sh env dirname basename mkdir cat awk sed git unshare setpriv nproc flock find sort tail; do
		ln -s "$(command -v "$c")" "$work/poor/$c"
	done
}

results_start

read_ktap ''
check "nothing at all" "0 1 0" "no plan"
read_ktap '### a\n### end 0\n'
check "a test without output" "0 1 0" "not ok - a: no plan"
read_ktap '### a\nok 1 x\n### end 0\n'
check "a missing plan" "1 1 0" "no plan"
read_ktap '### a\n1..3\nok 1 x\nsome text\n### end 0\n'
check "an early exit" "1 1 0" "planned 3 tests, saw 1" "some text"
read_ktap '### a\n1..1\nok 1 x\nok 2 y\n### end 0\n'
check "more results than planned" "2 1 0" "planned 1 tests, saw 2"
read_ktap '### a\n1..1\nok 1 x\n### end 139\n'
check "a status without a failed test" "1 1 0" "exit status 139"
read_ktap '### a\n1..2\nok 1 x\n'
check "a run that is cut off" "1 1 0" "planned 2 tests, saw 1"
read_ktap '### a\n1..1\n# why\nnot ok 1 x\n### end 1\n'
check "a failed test, with what it said" "0 1 0" "# why" "not ok 1 x"
read_ktap '### a\n1..2\nok 1 x # SKIP no such thing\nok 2 y\n### end 0\n'
check "a skipped test" "1 0 1"
read_ktap '### a\n1..0 # SKIP nothing here\n### end 4\n'
check "a skipped document" "0 1 1"

in_guest --no-panthor --no-leaks -- sh -c 'exit 3'
check "the command's status" 3
in_guest --no-panthor --no-leaks --timeout 10 -- sleep 1000
check "a guest that hangs" 124 "no end after 10 s, stopped. Last lines of" "^   | \["
# shellcheck disable=SC2016 # expanded in the guest
provoke='modprobe -d "$PANTHOR_MODULES" lkdtm; echo $0 >/sys/kernel/debug/provoke-crash/DIRECT'
in_guest --no-panthor --no-leaks -- bash -c "$provoke" WARNING
check "a warning" 126 "WARNING: " "lkdtm_WARNING" "the command's status was 0"
in_guest --no-panthor --no-leaks -- bash -c "$provoke" BUG
check "an oops" 125 "Kernel panic" "lkdtm_BUG"

fake good 'echo 1..1; echo ok 1 fine'
fake hangs 'echo 1..2; echo ok 1 begun; sleep 1000'
fake dies 'echo 1..2; echo ok 1 begun; kill -SEGV $$'
fake silent 'exit 0'
# shellcheck disable=SC2016 # expanded by the fake
fake crashes 'echo 1..2; echo ok 1 begun
modprobe -d "$PANTHOR_MODULES" lkdtm; echo PANIC >/sys/kernel/debug/provoke-crash/DIRECT; sleep 1000'
run_fakes 300 good
check "a good run" 0 "^ok 1 fine" "^1 passed, 0 failed, 0 skipped"
run_fakes 10 hangs dies silent missing good
check "programs that misbehave" 1 "hangs: planned 2 tests, saw 1 (exit status 124)" \
	"dies: planned 2 tests, saw 1 (exit status 139)" "silent: no plan" \
	"missing: no plan (exit status 127)" "^3 passed, 4 failed, 0 skipped"
run_fakes 300 good crashes good
check "a crash in the middle" 1 "crashes: planned 2 tests, saw 1" "Kernel panic" \
	"exit status 125 of the guest" "^2 passed, 2 failed, 0 skipped"

# Data races: ours, and others'
race() { printf '[    1.0] ====\n[    1.0] BUG: KCSAN: data-race in %s\n[    1.0]\n' "$1" >"$work/dmesg"; }
race "panthor_gem_mmap+0x1c/0x30 [panthor] / ksys_mmap_pgoff+0x10/0x20"
script "$top/scripts/scan-log.sh" "$work/dmesg"
check "a data race of the driver" 1 "^   2:.*KCSAN: data-race in panthor_gem_mmap"
race "tick_sched_do_timer+0x1c/0x30 / timekeeping_update+0x10/0x20"
script "$top/scripts/scan-log.sh" "$work/dmesg"
check "a data race of others" 0

echo "unreferenced object 0x0000000060a1c000 (size 64):" >"$work/dmesg"
script "$top/scripts/scan-log.sh" "$work/dmesg"
check "a leak" 1 "^   1:unreferenced object"
echo "[   12.345678] kmemleak: Kernel memory leak detector disabled" >"$work/dmesg"
script "$top/scripts/scan-log.sh" "$work/dmesg"
check "leaks that nobody looks for" 1 "^   1:.*detector disabled"

# What set -e ends doesn't do so silently.
# shellcheck disable=SC2016 # expanded by that script
printf '%s\n' ". '$top/scripts/lib.sh'" 'x=$(false | cat)' 'echo not reached' >"$work/ends.sh"
script bash "$work/ends.sh"
check "a script that stops" 1 "^ends: stopped at line 2 of ends.sh, status 1 of: x="
# shellcheck disable=SC2016 # the same
printf '%s\n' ". '$top/scripts/lib.sh'" 'quietly "$build/log/runner-quietly.log" false' >"$work/ends.sh"
script bash "$work/ends.sh"
check "a script that says why" 1 "^ends: failed, see build/log/runner-quietly.log"

# Progress is seen where people look, and nothing is left behind that holds locks.
cat >"$work/ends.sh" <<EOF
. '$top/scripts/lib.sh'
exec 9>'$work/progress.lock'; flock 9
with_progress runner-progress sleep 2; with_progress runner-progress sleep 2
EOF
script env -u NO_PROGRESS script -qec "bash '$work/ends.sh'" /dev/null
check "progress on a terminal" 0 "runner-progress: 1 s, 2 s last time"
script flock -n "$work/progress.lock" true
check "progress leaves no process behind" 0
# Work that fails on one CPU isn't lost among the rest.
cat >"$work/ends.sh" <<EOF
. '$top/scripts/lib.sh'
work() { echo "number \$1"; [ \$1 != 1 ]; }
on_all_cpus 4 work '$work/queue'
EOF
script bash "$work/ends.sh"
check "work for all CPUs, some of which fails" 1 "number 0" "number 1" "number 2" "number 3"

# Whoever stops a script stops what it started: on all CPUs, or a guest on its own.
for workers in 2 1; do
	cat >"$work/ends.sh" <<-EOF
	. '$top/scripts/lib.sh'
	work() { exec 9>&-; bash -c 'exec 8>"$work/worker-\$0.lock"; flock 8; touch "$work/worker-\$0"; sleep infinity' \$1; }
	if [ $workers = 1 ]; then stops_with_us work 0; else on_all_cpus 2 work '$work/queue'; fi
	EOF
	for signal in INT TERM; do
		rm -f "$work"/worker-*
		env --default-signal=INT CPU="0 0" bash "$work/ends.sh" >"$work/ends.out" 2>&1 &
		pid=$!
		while kill -0 $pid && [ "$(find "$work" -name 'worker-?' | wc -l)" -lt $workers ]; do sleep 0.1; done
		kill -s $signal $pid || true
		status=0
		wait $pid || status=$?
		script flock -w 60 "$work/worker-0.lock" flock -w 60 "$work/worker-1.lock" echo "status $status"
		check "SIG$signal stops $workers of $workers" 0 "^status 1[34][03]$"
	done
done

# Patches become commits where git knows nobody's name.
git clone -q --shared --no-checkout --sparse "$build/linux" "$work/kernel"
git -C "$work/kernel" sparse-checkout set drivers/gpu/drm mm include/linux include/drm \
	Documentation/gpu Documentation/ABI/testing
git -C "$work/kernel" checkout -q base
script env HOME="$work" GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null KDIR="$work/kernel" "$top/scripts/apply.sh"
check "make apply without a git identity" 0 "^-- $(git -C "$build/linux" rev-list --count base..series) commits on top of Linux 6.12"
rm -rf "$work/kernel"

mkdir -p "$build/log/mutants"
exec 7>>"$build/log/mutants/lock"
flock -n 7 || true	# or they really run
script env M=clean-pages "$top/scripts/mutants.sh"
check "mutants twice at a time" 1 "^mutants: another one runs"
exec 7>&-

# Tests that there are not, and numbers that are none, before anything is built.
for verb in selftest mainline; do
	script env T=nosuch "$top/scripts/$verb.sh"
	check "make $verb without a test" 1 "^$verb: no test is named 'nosuch'; there are: as_errors "
done
for bad in SOAK=abc PAN_SEED=xyz DTB=x; do
	script env $bad "$top/scripts/selftest.sh"
	check "$bad" 1 "^selftest: \(bad\|unknown\) ${bad%=*} '${bad#*=}': "
done

# The arm64 guest, as far as it goes without a kernel for it.
for bad in 0 9 99 two; do
	script env ARCH=arm64 SMP=$bad "$top/scripts/selftest.sh"
	check "SMP=$bad" 1 "^selftest: bad SMP '$bad': 1 to 8$"
done
script env SMP=2 "$top/scripts/shell.sh"
check "several CPUs on UML" 1 "^shell: SMP=2: ARCH=um has one CPU, more are with ARCH=arm64$"
script env ARCH=mips "$top/scripts/igt.sh"
check "an architecture that there is no guest of" 1 "^igt: unknown ARCH 'mips': um or arm64$"
script env KERNEL=kcsan "$top/scripts/selftest.sh"
check "data races with one CPU" 1 "^selftest: KERNEL=kcsan is for several CPUs: with ARCH=arm64$"
script env KERNEL=64k "$top/scripts/selftest.sh"
check "larger pages on x86" 1 "^selftest: KERNEL=64k is for CPUs with larger pages: with ARCH=arm64$"
script env ARCH=arm64 "$top/scripts/bench.sh"
check "a verb for UML only" 1 "^bench: not on ARCH=arm64: "
poor_machine 0
script env PATH="$work/poor" "$top/scripts/guest.sh" --arch arm64 --kernel plain -- true
check "no QEMU" 1 "^guest: no qemu-system-aarch64 here, .*install Debian's qemu-system-arm$"
script env PATH="$work/poor" "$top/scripts/deps.sh" guest-arm64
check "no cross compiler" 1 "^deps: missing here: .*gcc-aarch64-linux-gnu .*qemu-system-arm.*install them by hand$"
script env PATH="$work/poor" "$top/scripts/deps.sh" board
check "nothing to make packages and a board with" 1 "^deps: missing here: .*debhelper .*qemu-system-arm.*install them by hand$"
script env SMP=99 "$top/scripts/board.sh"
check "a board with 99 CPUs" 1 "^board: bad SMP '99': 1 to 8$"
script env LINUX=7.3 "$top/scripts/board.sh"
check "a board with another Linux" 1 "^board: not with LINUX=7.3: "
script env PATH="$work/poor" "$top/scripts/board-root.sh" Image
check "a board without QEMU" 1 "^board-root: no qemu-system-aarch64 here, .*install Debian's qemu-system-arm$"
# a clone that has nothing yet, but a kernel which doesn't trace
mkdir -p "$work/clone/build/linux/out-arm64-plain"
cp -r "$top/scripts" "$work/clone/"
script env PATH="$work/poor" "$work/clone/scripts/fetch-root.sh"
check "no archive of packages" 3 "^fetch-root: no apt here, so no programs for arm64$"
script env PATH="$work/poor" LINUX=7.3 "$work/clone/scripts/base.sh"
check "no archive for Linux 7.3" 3 "^base: no apt here to get linux-source-7.3 with: "
ln -s bash "$work/poor/qemu-system-aarch64"
script env PATH="$work/poor" "$work/clone/scripts/board-root.sh" Image
check "no archive for a board" 3 "^board: no apt here, so no Debian for arm64$"
rm "$work/poor/qemu-system-aarch64"
touch "$work/clone/build/linux/out-arm64-plain/"{Module.symvers,.config}
script "$work/clone/scripts/build-model.sh" --arch arm64 --kernel plain
check "a kernel without MMIO tracing" 1 "has no CONFIG_TRACE_MMIO_ACCESS, without which the model sees no register access$"

newcomer="$top/scripts/newcomer.sh"
script env SUITE=potato "$newcomer"
check "a Debian that doesn't exist" 1 "^newcomer: unknown SUITE 'potato': bookworm or trixie$"
script env -u SUITE "$newcomer"
check "no Debian" 1 "^newcomer: which Debian? SUITE=bookworm or SUITE=trixie$"
script env SUITE=trixie T='run soak' "$newcomer"
check "a verb that newcomers don't know" 1 "^newcomer: unknown T 'soak': run, test, check, igt, bench or shell$"
script env SUITE=trixie BUSY=very "$newcomer"
check "not a number of busy loops" 1 "^newcomer: bad BUSY 'very'"
poor_machine 0
script env PATH="$work/poor" SUITE=trixie "$newcomer"
check "no mmdebstrap" 1 "^deps: missing here: .*mmdebstrap.*install them by hand$"
poor_machine 1000
script env PATH="$work/poor" SUITE=trixie "$newcomer"
check "no root" 1 "^newcomer: needs root, .*(there is no sudo)$"

results_end

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make test: everything CI needs. The patched kernel runs all rings and the
# story; the unpatched one what tests the model (selftests that don't need the
# series, IGT), and the runner itself. If all that took no longer than ARM64 seconds
# (15 minutes if not told otherwise; 0: in no case), some selftests run on several
# CPUs, too: the first time, it takes a kernel of arm64. With ARCH=arm64 SMP=n it's
# several CPUs only, and all of it. Ends with "N passed, N failed, N skipped" alone on
# a line. MAINLINE=seconds and NEWCOMER=seconds, which CI gives: if what comes before took no
# longer than that, also the story and some selftests on Linux 7.3 with patches/7.3, and
# `make run` in the Debian that this machine is not, from nothing.

. "$(dirname "$0")/lib.sh"
only_612

unset BASE T
from_env debug
export KERNEL=$kernel
[[ ${ARM64:=900} =~ ^[0-9]+$ ]] || die "bad ARM64 '$ARM64': seconds"
[[ ${MAINLINE:=0} =~ ^[0-9]+$ ]] || die "bad MAINLINE '$MAINLINE': seconds"
[[ ${NEWCOMER:=0} =~ ^[0-9]+$ ]] || die "bad NEWCOMER '$NEWCOMER': seconds"
results_start
mkdir -p "$build/log/test"
start=$SECONDS

# One part, its output kept; counts come from its last line.
part() # NAME command...
{
	local name=$1 out=$build/log/test/$1.txt begin=$SECONDS status=0 last

	shift
	last=$(sed -n 's/.* seconds //p' "$out.end" 2>/dev/null) || true
	say "$name${last:+: about $last s}"
	stops_with_us into "$out" "$@" || status=$?
	echo "status $status seconds $((SECONDS - begin))" >"$out.end"
	say "$name: done after $((SECONDS - begin)) s, $((SECONDS - start)) s in all"
}

finish() # NAME
{
	local out=$build/log/test/$1.txt counts status seconds

	echo "=== $1"
	counts=$(sed -nE '$s/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' "$out")
	if [ -n "$counts" ]; then sed '$d' "$out"; else cat "$out"; fi
	read -r _ status _ seconds <"$out.end"
	if [ -n "$counts" ]; then
		results_add "$counts"
		[ "$status" = 0 ] || [ "$(cut -d' ' -f2 <<<"$counts")" != 0 ] || result_fail "$1: exit status $status"
	elif [ "$status" = 0 ]; then
		echo "ok - $1"
		results_add "1 0 0"
	else
		result_fail "$1: exit status $status"
	fi
	echo "=== $1: $seconds s"
}

# What there is to do on a CPU each, the longest first. Names that end in -base: the
# unpatched kernel. The selftests of the series, which use all CPUs, are the rest.
parts=(selftest-base igt kunit igt-base run)
[ "$KERNEL" != debug ] || parts+=(runner)

run_part() # N
{
	local name=${parts[$1]}

	case $name in
	run) part run env -u KERNEL scripts/run.sh ;;
	runner) BASE=1 part runner scripts/runner-test.sh ;;
	*-base) BASE=1 part "$name" "scripts/${name%-base}.sh" ;;
	*) part "$name" "scripts/$name.sh" ;;
	esac
}

several_cpus()
{
	if [ $((SECONDS - start)) -ge "$ARM64" ]; then
		echo "ok - smp # SKIP no time left for tests on several CPUs (ARM64=$ARM64 s)"
		results_add "0 0 1"
		return
	fi
	part smp scripts/smp.sh
	finish smp
}

# What patches/7.3 mends or adds, as far as programs of which all tests pass show it; plain
# kernel.
chosen_73='evict_active evict_cgroup evict_counters evict_lifecycle evict_mmap evict_order evict_precision
evict_psi evict_suspend evict_trace flush_errors job mem_claim mem_reclaim scheduling uapi_errors
vm_bind_async'

# Without the source of 7.3, nothing that is in this clone can be wrong.
mainline()
{
	[ "$MAINLINE" != 0 ] || return 0
	if [ $((SECONDS - start)) -gt "$MAINLINE" ]; then
		echo "ok - mainline # SKIP no time left for Linux 7.3 (MAINLINE=$MAINLINE s)"
		results_add "0 0 1"
		return
	fi
	part tree-7.3 env LINUX=7.3 scripts/tree.sh
	if grep -q '^status 3 ' "$build/log/test/tree-7.3.txt.end"; then
		cat "$build/log/test/tree-7.3.txt"
		echo "*** NO TESTS ON LINUX 7.3: its source can't be had, see above ***"
		results_add "0 0 1"
		return
	fi
	part run-7.3 env -u KERNEL -u PREPARED LINUX=7.3 scripts/run.sh
	part selftest-7.3 env -u PREPARED LINUX=7.3 KERNEL=plain T="${chosen_73//$'\n'/ }" scripts/selftest.sh
	for p in tree run selftest; do
		finish $p-7.3
	done
}

newcomer()
{
	local suite=trixie

	[ "$NEWCOMER" != 0 ] || return 0
	! grep -q '^VERSION_CODENAME=trixie' /etc/os-release || suite=bookworm
	if [ $((SECONDS - start)) -gt "$NEWCOMER" ]; then
		echo "ok - newcomer # SKIP no time left for make run on Debian $suite"
		results_add "0 0 1"
		return
	fi
	part newcomer env -u KERNEL -u PREPARED SUITE=$suite scripts/newcomer.sh
	finish newcomer
}

# With ARCH=arm64: all that there is for several CPUs.
if [ "$arch" = arm64 ]; then
	scripts/prepare.sh "${target[@]}"
	export PREPARED=1 ARCH=arm64 SMP=$smp
	for p in kunit selftest igt; do
		part $p scripts/$p.sh
		finish $p
	done
	results_end
fi

# Failing to build is the end of it, said once.
scripts/prepare.sh --tree series --kernel "$KERNEL"
scripts/prepare.sh --tree base --kernel "$KERNEL"
[ "$KERNEL" = plain ] || scripts/prepare.sh --tree series --kernel plain
export PREPARED=1
say "built after $((SECONDS - start)) s"
part status scripts/status.sh
part ledger scripts/check-ledger.sh
scripts/fetch-igt.sh >/dev/null || true

on_all_cpus ${#parts[@]} run_part "$build/log/test/queue"
part selftest scripts/selftest.sh
for p in status ledger "${parts[@]}" selftest; do
	finish "$p"
done
several_cpus
mainline
newcomer
say "$((SECONDS - start)) s in all"
results_end

# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Helpers of all scripts. Sourced first: sets $top, moves there, stops on errors.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$top"

build=$top/build
panthor=$top/tools/testing/panthor

say() { printf '%s\n' "-- $*" >&2; }

# One line that says what is wrong and what to do.
die()
{
	printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
	exit 1
}

# A script that stops says why, also where it is set -e that stops it. Our own
# scripts, called from one, have said it themselves.
stopped() # STATUS COMMAND
{
	[ "$BASH_SUBSHELL" = 0 ] || return 0
	case $2 in *scripts/*) [ "$1" -ge 128 ] || return 0 ;; esac
	printf '%s: stopped at line %s of %s, status %s of: %s\n' \
		"$(basename "$0" .sh)" "${BASH_LINENO[0]}" "${BASH_SOURCE[1]##*/}" "$1" "${2%%$'\n'*}" >&2
}
set -E
trap 'stopped $? "$BASH_COMMAND"' ERR

case $top in
*[[:space:]:]*) die "the path '$top' has a blank or a colon, which the kernel's makefiles can't stand: move the clone" ;;
esac

# Everything is made below build/.
mkdir -p "$build/log" 2>/dev/null && [ -w "$build" ] ||
	die "can't write in build/: remove it, or mend its owner and mode"

# Which kernel: 6.12 (the default), or 7.3 with a series of its own. What is made for
# 6.12 has the plain names in build/. Scripts called from here see LINUX, too.
linux=${LINUX:-6.12}
case $linux in
6.12) suffix='' oldest=115 ;;	# before $linux.$oldest, patches don't apply
7.3) suffix=-7.3 oldest=4 ;;
*) die "unknown LINUX '$linux': 6.12 or 7.3" ;;
esac

as_root()
{
	if [ "$(id -u)" = 0 ]; then "$@"
	elif command -v sudo >/dev/null; then sudo "$@"
	else die "need root for: $* (there is no sudo)"
	fi
}

# Where the guest runs: um, a process with one CPU, or arm64, a machine of QEMU
# with several. ARCH of the environment is for this, not for the kernel's makefiles.
arch=${ARCH:-um} smp=${SMP:-}
unset ARCH SMP

# Sets $flavour, the part of directories' names that tells kernels apart.
check_kernel() # KERNEL
{
	case $arch in
	um)
		case $1 in
		plain|debug|gcov|mglru) ;;
		kcsan) die "KERNEL=kcsan is for several CPUs: with ARCH=arm64" ;;
		16k|64k) die "KERNEL=$1 is for CPUs with larger pages: with ARCH=arm64" ;;
		*) die "unknown KERNEL '$1': plain, debug, mglru or gcov" ;;
		esac
		flavour=${suffix#-}${suffix:+-}$1
		case $flavour in *-gcov|*-mglru) die "KERNEL=$1 is for LINUX=6.12" ;; esac ;;
	arm64)
		[ "$linux" = 6.12 ] || die "ARCH=arm64 is for LINUX=6.12"
		case $1 in
		plain|debug|kcsan|16k|64k|board) ;;
		*) die "unknown KERNEL '$1': plain, debug, kcsan, 16k or 64k with ARCH=arm64" ;;
		esac
		flavour=arm64-$1
		[ "$1" != board ] || flavour=arm64 ;;
	*) die "unknown ARCH '$arch': um or arm64" ;;
	esac
}

# CPUs of the guest. One is for comparison, 8 is what the kernel is built for.
check_smp()
{
	if [ "$arch" = um ]; then
		[ "${smp:-1}" = 1 ] || die "SMP=$smp: ARCH=um has one CPU, more are with ARCH=arm64"
		return
	fi
	: "${smp:=2}"
	[[ $smp =~ ^[1-8]$ ]] || die "bad SMP '$smp': 1 to 8"
}

# Verbs that know UML only
only_um()
{
	[ "$arch" = um ] || die "not on ARCH=$arch: shell, selftest, kunit, igt, soak and test are"
}

# Verbs that know 6.12 only
only_612()
{
	[ "$linux" = 6.12 ] || die "not with LINUX=$linux: tree, export, status, apply, check, run, shell, selftest, kunit, igt, bench are"
}

check_size() # SIZE...
{
	local s

	for s in "$@"; do
		[[ $s =~ ^[0-9]+[KMG]?$ ]] || die "bad size '$s': for example 512M or 1G (swap: 0 for none)"
	done
}

check_tree() { # TREE
	case $1 in series|base|mutant) ;; *) die "unknown tree '$1': series, base or mutant" ;; esac
}

# --tree and --kernel, for the scripts that build for one kernel
parse_target()
{
	tree=series kernel=debug
	while [ $# -gt 0 ]; do
		case $1 in
		--arch) arch=${2?} ;;
		--tree) tree=${2?} ;;
		--kernel) kernel=${2?} ;;
		*) die "unknown argument '$1'" ;;
		esac
		shift 2
	done
	check_tree "$tree"
	check_kernel "$kernel"
}

# Two verbs at once: the second waits while the first builds the same thing.
lock_target()
{
	exec 8>"$build/log/$tree-$flavour.lock"
	flock 8
}

# The same for what all kernels share
lock_shared()
{
	exec 6>"$build/log/shared.lock"
	flock 6
}

# KERNEL=, BASE=, ARCH= and SMP= of the verbs. The debug kernel is too slow for
# most tests where every instruction is emulated.
from_env() # [DEFAULT_KERNEL [DEFAULT_KERNEL_OF_ARM64]]
{
	kernel=${1:-debug} tree=series
	[ "$arch" != arm64 ] || kernel=${2:-plain}
	kernel=${KERNEL:-$kernel}
	check_kernel "$kernel"
	check_smp
	case ${BASE:-} in
	''|0) ;;
	1) tree=base ;;
	*) die "unknown BASE '$BASE': 1 for the unpatched kernel" ;;
	esac
	target=(--arch "$arch" --tree "$tree" --kernel "$kernel")
	guest=("${target[@]}" --smp "$smp")
}

# Version of a kernel tree, for example 6.12.117.
kernel_version() { # DIR
	awk '$2 == "=" && /^(VERSION|PATCHLEVEL|SUBLEVEL) / { v = v s $3; s = "." } END { print v }' "$1/Makefile"
}

# User programs of an architecture
user_dir() { if [ "$arch" = arm64 ]; then echo "$build/user-arm64"; else echo "$build/user"; fi; }

# Directory of a tree's sources.
tree_dir()
{
	case $1 in
	base) echo "$build/linux$suffix-base" ;;
	mutant) echo "$build/mutants/linux" ;;
	*) echo "$build/linux$suffix" ;;
	esac
}

# Make everything in build/ through these, so that objects are shared:
# no absolute path, date, user or host gets into an object.
export CCACHE_DIR=$build/ccache CCACHE_NOHASHDIR=1
export KBUILD_BUILD_USER=panthor KBUILD_BUILD_HOST=build
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970'
export LC_ALL=C.UTF-8
jobs=${JOBS:-$(nproc)}
# variables given to our make are not meant for the kernel's
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

cross=aarch64-linux-gnu-

# [COMPILER]
ccache_cc() { if command -v ccache >/dev/null; then echo "ccache ${1:-gcc}"; else echo "${1:-gcc}"; fi; }

# gcc 14 and later put what is larger than 64 KiB into sections of its own, .ldata
# and .lbss, for UML's code model. arch/um's linker script doesn't know them, so
# they come after _end, where kmemleak doesn't look for pointers.
large_data()
{
	local version

	version=$(gcc -dumpversion)
	[ "${version%%.*}" -lt 14 ] || echo KCFLAGS=-mlarge-data-threshold=0x7fffffff
}

# What make of the kernel wants to know about an architecture.
arch_flags() # FLAVOUR
{
	case $1 in
	arm64*) printf '%s\n' ARCH=arm64 CROSS_COMPILE=$cross CC="$(ccache_cc ${cross}gcc)" ;;
	*)
		printf '%s\n' ARCH=um CC="$(ccache_cc)"
		large_data ;;
	esac
}

kmake() { # TREE FLAVOUR args...: make in a tree's output directory
	local src out
	local -a flags

	src=$(tree_dir "$1")
	out=out-$2
	mapfile -t flags < <(arch_flags "$2")
	shift 2
	# LOCALVERSION empty: one release string for both trees
	make -C "$src" O="$out" LOCALVERSION= --no-print-directory -j"$jobs" "${flags[@]}" "$@"
}

# Files of the kernel that the series adds or changes: what coverage is about. What's
# built in can't be instrumented on UML, see gcov.config.
series_sources() { # TREE
	git -C "$(tree_dir "$1")" diff --name-only --diff-filter=AM base HEAD -- 'drivers/*.c' ':!*/tests/*'
}

# Kconfig drops what it can't satisfy without a word.
check_config() # FRAGMENT .config
{
	local line lost=

	while read -r line; do
		case $line in
		CONFIG_*=n) line="# ${line%=n} is not set" ;&
		"# CONFIG_"*" is not set")
			line=${line#\# }
			! grep -q "^${line%% *}=" "$2" || lost+=" ${line%% *}=n" ;;
		CONFIG_*) grep -qxF -- "$line" "$2" || lost+=" $line" ;;
		esac
	done <"$1"
	[ -z "$lost" ] || die "this tree's Kconfig refuses:$lost"
}

# kunit.py on the driver's suites, alone: UML without the model.
kunit_py() # TREE run|build|exec arguments...
{
	local src cmd=$2
	local -a pin=(taskset -c "$(pick_cpu)")

	src=$(tree_dir "$1")
	shift 2
	[ "$cmd" != build ] || pin=()
	case $cmd in
	exec) ;;
	*) set -- --kunitconfig=drivers/gpu/drm/panthor/tests --jobs="$jobs" \
		--make_options=CC="$(ccache_cc)" --make_options=LOCALVERSION= "$@" ;;
	esac
	mkdir -p "$build/run/kunit-py"
	# UML keeps its pid file in the home directory
	(cd "$src" && HOME=$build/run/kunit-py "${pin[@]}" \
		tools/testing/kunit/kunit.py "$cmd" --build_dir=out-kunit "$@")
}

# The guest that a selftest wants: options of guest.sh.
guest_options() { sed -n '1,30s/^ \* guest: *//p' "$panthor/tests/${1%%.*}.c" | head -n 1; } # TEST

# The selftests that T names, one a line
chosen_programs()
{
	local f glob
	local -a globs

	read -ra globs <<<"${T:-*}"
	for f in "$panthor"/tests/*.c; do
		for glob in "${globs[@]}"; do
			# shellcheck disable=SC2053 # a pattern is wanted
			[[ $(basename "$f" .c) != $glob ]] || { basename "$f" .c; break; }
		done
	done
}

no_such_program()
{
	die "no test is named '${T:-}'; there are: $(cd "$panthor/tests" && echo *.c | sed 's/\.c//g')"
}

# Run a command that may take minutes: say how long it has been at it, and how long it
# took last time. On a terminal each second, in place; a log gets a line each minute.
with_progress() # NAME command...
{
	local name=$1 seconds=$build/log/seconds/$1 begin=$SECONDS status=0 ticker=''

	shift
	if [ -z "${NO_PROGRESS:-}" ]; then
		tick "$name" "$(cat "$seconds" 2>/dev/null)" &
		ticker=$!
	fi
	"$@" || status=$?
	if [ -n "$ticker" ]; then
		kill "$ticker" 2>/dev/null || true
		wait "$ticker" 2>/dev/null || true
		[ ! -t 2 ] || printf '\r\033[K' >&2
	fi
	if [ $status = 0 ]; then
		mkdir -p "${seconds%/*}"
		echo $((SECONDS - begin)) >"$seconds"
	fi
	return $status
}

# Without a child, which would be left behind, and hold our locks.
tick() # NAME SECONDS-LAST-TIME
{
	local begin=$SECONDS never now

	exec {never}<> <(:)
	while kill -0 $$ 2>/dev/null; do
		read -rt 1 -u "$never" || true
		now=$((SECONDS - begin))
		if [ -t 2 ]; then
			printf '\r\033[K-- %s: %d s%s' "$1" $now "${2:+, $2 s last time}" >&2
		elif [ $now -ge 60 ] && [ $((now % 60)) = 0 ]; then
			say "$1: $now s${2:+, $2 s last time}"
		fi
	done
}

into() { "${@:2}" >"$1" 2>&1; } # LOG cmd...

# Run a command quietly; show the end of its log if it fails.
quietly() # LOG cmd...
{
	local log=$1

	shift
	mkdir -p "$(dirname "$log")"
	if ! with_progress "$(basename "$log" .log)" into "$log" "$@"; then
		grep -E -m 8 'error:|ERROR|No rule to make|undefined reference|Error:' "$log" >&2 ||
			tail -n 15 "$log" >&2
		die "failed, see ${log#"$top"/}"
	fi
}

# The CPU that was idle for longest during a tenth of a second.
pick_cpu()
{
	local allowed

	allowed=$(taskset -pc $$ 2>/dev/null | sed 's/.*: //') || return 0
	{ cat /proc/stat; sleep 0.1; cat /proc/stat; } | awk -v allowed="$allowed" '
		BEGIN {
			n = split(allowed, part, ",")
			for (i = 1; i <= n; i++) {
				m = split(part[i], r, "-")
				for (c = r[1] + 0; c <= r[m] + 0; c++) ok[c] = 1
			}
		}
		/^cpu[0-9]/ {
			c = substr($1, 4) + 0
			if (!(c in ok)) next
			if (!(c in idle)) { idle[c] = $5; next }
			if (best == "" || $5 - idle[c] > most) { best = c; most = $5 - idle[c] }
		}
		END { print best }'
}

# Call FUNCTION with each number below N. Each CPU that we may use, but no more than four,
# takes the next one when it's done with one, as CPU, which is where its guests run.
# CPU=n: all there. Status: whether all of them returned 0.
on_all_cpus() # N FUNCTION QUEUE
{
	local c status=0
	local -a workers=()

	mkdir -p "$(dirname "$3")"
	echo 0 >"$3"
	for c in ${CPU:-$(allowed_cpus | head -n 4)}; do
		CPU=$c NO_PROGRESS=1 start_worker work_off "$@"
	done
	for c in "${workers[@]}"; do
		wait "$c" || status=1
	done
	trap - INT TERM HUP
	return $status
}

# Run a command that is stopped along with us, even if nobody else is told to stop.
stops_with_us() # command...
{
	local status=0
	local -a workers=()

	start_worker "$@"
	wait "${workers[0]}" || status=$?
	trap - INT TERM HUP
	return $status
}

# A process group of its own, so that all of it can be stopped.
start_worker() # command...
{
	trap 'stop_workers 130' INT
	trap 'stop_workers 143' TERM HUP
	set -m
	"$@" </dev/null &
	set +m
	workers+=($!)
}

# Ctrl-C reaches nobody but us. What the workers started, guests too, stops with them.
stop_workers() # STATUS
{
	trap '' INT TERM HUP
	kill -- "${workers[@]/#/-}" 2>/dev/null || true
	wait "${workers[@]}" || true
	exit "$1"
}

allowed_cpus()
{
	taskset -pc $$ | sed 's/.*: //; s/,/\n/g' |
		awk -F- '{ for (i = $1; i <= $NF; i++) print i }'
}

work_off() # N FUNCTION QUEUE
{
	local i status=0

	export CPU NO_PROGRESS
	while i=$(next_number "$3") && [ "$i" -lt "$1" ]; do
		"$2" "$i" || status=1
	done
	return $status
}

next_number() # QUEUE
{
	local n

	flock 9
	read -r n <"$1"
	echo $((n + 1)) >"$1"
	echo "$n"
} 9>"$1.lock"

# Counting of results. The last line of a test verb, and of make test, is
# "N passed, N failed, N skipped"; nothing counted is a failure, too.
results_start() { passed=0 failed=0 skipped=0; }

results_add() # "PASSED FAILED SKIPPED"
{
	local p f s

	read -r p f s <<<"$1"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

result_fail() # WHAT
{
	echo "not ok - $*"
	failed=$((failed + 1))
}

# Run guest.sh, show its KTAP, count it. The raw output goes to LOG.out.
run_ktap() # LOG guest.sh's arguments...
{
	local log=$1 status=0

	shift
	with_progress "$(basename "$log")" stops_with_us "$top/scripts/guest.sh" "$@" >"$log.out" || status=$?
	awk -f "$top/scripts/ktap.awk" -v counts="$log.counts" "$log.out"
	results_add "$(cat "$log.counts")"
	[ $status = 0 ] || result_fail "$(basename "$log"): exit status $status of the guest (its output: ${log#"$top"/}.out)"
}

results_end()
{
	[ $((passed + failed + skipped)) -gt 0 ] || result_fail "nothing was run"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] || exit 1
	exit 0
}

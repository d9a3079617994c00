#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Boot a guest, run a command in it as root, exit with its status. The machines are
# in guest-um.sh and guest-arm64.sh.
# 124: time-out · 125: the guest did not come up, or crashed · 126: the kernel
# log has a report. Kernel log: build/run/<name>/dmesg.

. "$(dirname "$0")/lib.sh"

usage()
{
	cat >&2 <<-'END'
	usage: guest.sh [option...] [--] command [argument...]
	  --arch um|arm64          default um
	  --smp N                  CPUs of arm64, default 2
	  --kernel plain|debug|gcov|mglru|kcsan|16k|64k  default debug
	  --tree series|base       default series
	  --mem SIZE               RAM of the guest, default 512M
	  --swap SIZE|0            swap device, default 1G
	  --dtb coherent|noncoherent
	  --timeout SECONDS        default 1800, 0: none
	  --no-panthor             load neither the model nor panthor
	  --param 'key=value ...'  parameters of the model's module
	  --append 'word ...'      more words for the kernel's command line
	  --no-leaks               no scan for leaks at the end (debug: saves 6 s)
	  --name NAME              directory build/run/NAME
	  --tty                    connect the command to this terminal
	CPU=n pins the guest to that CPU (default: UML to the less busy one).
	END
	exit 2
}

kernel=debug tree=series mem=512M swap=1G dtb=coherent timeout=1800
panthor_mod=1 param='' append='' leaks=1 name='' tty=0
while [ $# -gt 0 ]; do
	case $1 in
	--arch) arch=${2?}; shift ;;
	--smp) smp=${2?}; shift ;;
	--kernel) kernel=${2?}; shift ;;
	--tree) tree=${2?}; shift ;;
	--mem) mem=${2?}; shift ;;
	--swap) swap=${2?}; shift ;;
	--dtb) dtb=${2?}; shift ;;
	--timeout) timeout=${2?}; shift ;;
	--no-panthor) panthor_mod=0 ;;
	--param) param=${2?}; shift ;;
	--append) append=${2?}; shift ;;
	--no-leaks) leaks=0 ;;
	--name) name=${2?}; shift ;;
	--tty) tty=1 ;;
	--) shift; break ;;
	-*) usage ;;
	*) break ;;
	esac
	shift
done
[ $# -gt 0 ] || usage
check_kernel "$kernel"
check_smp
check_tree "$tree"
check_size "$mem" "$swap"
[[ $timeout =~ ^[0-9]+$ ]] || die "bad time-out '$timeout': seconds"
[[ $name =~ ^[A-Za-z0-9_.-]*$ ]] || die "bad name '$name': letters, digits, _ . -"
case $dtb in coherent|noncoherent) ;; *) die "unknown dtb '$dtb': coherent or noncoherent" ;; esac

# What a machine is made of: machine_fstab, machine_env, machine_start, machine_end.
what="--arch $arch --tree $tree --kernel $kernel"
# shellcheck disable=SC2034 # used there
out=$(tree_dir "$tree")/out-$flavour modules=$build/modules/$tree-$flavour
machine_kernel=() machine_files=()
# shellcheck source=guest-um.sh
. "$top/scripts/guest-$arch.sh"
for f in "${machine_kernel[@]}"; do
	[ -f "$f" ] || die "no ${f#"$top"/}: run 'scripts/build-kernel.sh $what'"
done
if [ $panthor_mod = 1 ]; then
	for f in "$build/firmware/arm/mali/arch10.8/mali_csffw.bin" \
		 "$build/model/$tree-$flavour/mali_csf_model.ko" "${machine_files[@]}"; do
		[ -f "$f" ] || die "no ${f#"$top"/}: run 'scripts/prepare.sh $what'"
	done
fi

# A directory of its own for every running guest. The default name is reused
# once its guest is gone, so that build/run doesn't grow.
claim() { # NAME
	mkdir -p "$build/run/$1"
	exec 9>"$build/run/$1/lock"
	flock -n 9
}

if [ -n "$name" ]; then
	claim "$name" || die "a guest named '$name' is running"
else
	n=1
	name=$tree-$flavour
	until claim "$name"; do
		n=$((n + 1))
		name=$tree-$flavour-$n
	done
fi
run=$build/run/$name
find "$run" -mindepth 1 ! -name lock -delete

# The guest reads these three. One mount(8) for all: every process that the
# debug kernel starts costs a tenth of a second.
fstab()
{
	cat <<-'END'
		proc /proc proc defaults
		sysfs /sys sysfs defaults
		devpts /dev/pts devpts gid=5,mode=620,ptmxmode=666,X-mount.mkdir
		shm /dev/shm tmpfs X-mount.mkdir
		debugfs /sys/kernel/debug debugfs defaults
		cgroup2 /sys/fs/cgroup cgroup2 defaults
		tmp /tmp tmpfs defaults
		run /run tmpfs defaults
		vartmp /var/tmp tmpfs defaults
	END
	machine_fstab
}

fstab >"$run/fstab"
{
	machine_env
	cat <<-EOT
		export PANTHOR_KERNEL=$kernel PANTHOR_TREE=$tree PANTHOR_ARCH=$arch PANTHOR_LINUX=$linux
		guest_panthor=$panthor_mod guest_leaks=$leaks guest_tty=$tty
		guest_param=$(printf %q "$param")
	EOT
} >"$run/env"
{ printf 'exec'; printf ' %q' "$@"; echo; } >"$run/cmd"

# In any case: the kernel's log to $run/dmesg, $run/status at the end.
args=(loglevel=7 printk.devkmsg=on oops=panic GUEST_RUN="$(machine_path "$run")"
	firmware_class.path="$(machine_path "$build/firmware")")
[ "$kernel" = debug ] && args+=(page_poison=1)
[ "${swap%[KMG]}" = 0 ] || truncate -s "$swap" "$run/swap"
read -ra words <<<"$append"
args+=("${words[@]}")

# The guest changes the terminal's and the file descriptors' modes: it gets a pipe of
# its own, or a terminal whose modes are put back.
if [ $tty = 1 ]; then
	[ -t 0 ] && [ -t 1 ] || die "--tty needs a terminal"
	tty_modes=$(stty -g)
	echo "guest_size='$(stty size)' guest_term='${TERM:-dumb}'" >>"$run/env"
	exec 3>&1
else
	exec 3> >(exec cat)
	reader=$!
fi

machine=''
# The machine and its helpers are one process group, of which this started the leader.
stop_machine()
{
	[ -n "$machine" ] || return 0
	kill -KILL -- "-$machine" 2>/dev/null || true
}

cleanup()
{
	stop_machine
	[ -z "${tty_modes:-}" ] || stty "$tty_modes" || true
	rm -rf "$run/swap" "$run/ram" "$run/uml"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

ulimit -c 0
input=/dev/null
[ $tty = 1 ] && input=/dev/stdin
machine_start <$input >&3 9>&-
disown "$machine"	# bash need not announce its end

# Ends early when the guest does, so that no timer outlives this script.
deadline=$((SECONDS + timeout))
late=0
while kill -0 "$machine" 2>/dev/null; do
	if [ "$timeout" != 0 ] && [ $SECONDS -ge $deadline ]; then
		late=1
		stop_machine
		break
	fi
	sleep 0.05
done
stop_machine
machine=''
machine_end
exec 3>&-
[ $tty = 1 ] || wait "$reader" || true

# What the machine itself prints around the kernel's log has no time stamp.
log_tail() { tail -n "$1" "$run/dmesg" | sed 's/^/   | /' >&2; }

status=$(cat "$run/status" 2>/dev/null || true)
report=0
"$top/scripts/scan-log.sh" "$run/dmesg" "$run/kmemleak" >&2 || report=1
# A search for data races that did not search is a report, too.
if [ "$kernel" = kcsan ] && [ -n "$status" ]; then
	watched=$(sed -n 's/^setup_watchpoints: *//p' "$run/kcsan" 2>/dev/null || true)
	say "guest '$name': KCSAN set up ${watched:-no} watchpoints, and reported $(grep -c 'BUG: KCSAN: ' "$run/dmesg" || true) data races of the whole kernel"
	[ "${watched:-0}" -gt 0 ] || report=1
fi
if [ $late = 1 ]; then
	say "guest '$name': no end after $timeout s, stopped. Last lines of build/run/$name/dmesg:"
	log_tail 15
	exit 124
fi
if [ -z "$status" ]; then
	say "guest '$name' did not come up, or crashed. Last lines of build/run/$name/dmesg:"
	log_tail 40
	exit 125
fi
if [ $report = 1 ]; then
	say "guest '$name': the kernel log has a report (the command's status was $status): build/run/$name/dmesg"
	exit 126
fi
exit "$status"

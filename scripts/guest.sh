#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Boot the UML guest, run a command in it as root, exit with its status.
# 124: time-out · 125: the guest did not come up, or crashed · 126: the kernel
# log has a report. Kernel log: build/run/<name>/dmesg.

. "$(dirname "$0")/lib.sh"

usage()
{
	cat >&2 <<-'END'
	usage: guest.sh [option...] [--] command [argument...]
	  --kernel plain|debug|gcov  default debug
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
	CPU=n pins the guest to that CPU (default: the less busy one).
	END
	exit 2
}

kernel=debug tree=series mem=512M swap=1G dtb=coherent timeout=1800
panthor_mod=1 param='' append='' leaks=1 name='' tty=0
while [ $# -gt 0 ]; do
	case $1 in
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
check_tree "$tree"
check_size "$mem" "$swap"
[[ $timeout =~ ^[0-9]+$ ]] || die "bad time-out '$timeout': seconds"
[[ $name =~ ^[A-Za-z0-9_.-]*$ ]] || die "bad name '$name': letters, digits, _ . -"
case $dtb in coherent|noncoherent) ;; *) die "unknown dtb '$dtb': coherent or noncoherent" ;; esac

linux=$(tree_dir "$tree")/out-$kernel/linux
modules=$build/modules/$tree-$kernel
[ -x "$linux" ] || die "no ${linux#"$top"/}: run 'scripts/build-kernel.sh --tree $tree --kernel $kernel'"
if [ $panthor_mod = 1 ]; then
	for f in "$build/dtb/$dtb.dtb" "$build/firmware/arm/mali/arch10.8/mali_csffw.bin" \
		 "$build/model/$tree-$kernel/mali_csf_model.ko"; do
		[ -f "$f" ] || die "no ${f#"$top"/}: run 'scripts/build-model.sh --tree $tree --kernel $kernel'"
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
	name=$tree-$kernel
	until claim "$name"; do
		n=$((n + 1))
		name=$tree-$kernel-$n
	done
fi
run=$build/run/$name
find "$run" -mindepth 1 ! -name lock -delete

# The guest reads these three. One mount(8) for all: every process that the
# debug kernel starts costs a tenth of a second. A checkout below /tmp would
# vanish under the tmpfs there: it is mounted again.
fstab()
{
	local d

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
	for d in /tmp /run /var/tmp; do
		case $top in "$d"/*) echo "top $top hostfs ro,$top,X-mount.mkdir" ;; esac
	done
	echo "out $run hostfs $run"
}

fstab >"$run/fstab"
cat >"$run/env" <<EOT
export PANTHOR_KERNEL=$kernel PANTHOR_TREE=$tree PANTHOR_MODULES=$modules
guest_top=$top guest_panthor=$panthor_mod guest_leaks=$leaks guest_tty=$tty
guest_param=$(printf %q "$param")
EOT
{ printf 'exec'; printf ' %q' "$@"; echo; } >"$run/cmd"

# UML keeps the guest's RAM in an unlinked file. In /dev/shm that is host RAM
# and leaves nothing behind; where /dev/shm is too small or noexec (containers),
# a file in build/ works too, but the host writes it to disk.
ram_dir()
{
	local need have
	need=$(numfmt --from=iec "$mem")
	have=$(df --output=avail -B1 /dev/shm 2>/dev/null | tail -n 1) || have=0
	if [ "$(stat -f -c %T /dev/shm 2>/dev/null)" = tmpfs ] && [ "${have:-0}" -gt "$need" ] &&
	   ! grep -q ' /dev/shm tmpfs [^ ]*noexec' /proc/mounts; then
		echo /dev/shm
	else
		mkdir -p "$run/ram"
		echo "$run/ram"
	fi
}

cpu=${CPU:-$(pick_cpu)}
pin=()
if [ -n "$cpu" ] && command -v taskset >/dev/null; then pin=(taskset -c "$cpu"); fi
# Without address-space randomisation UML's memory map is the same every time.
if setarch -R true 2>/dev/null; then pin+=(setarch -R); fi

args=(mem="$mem" rootfstype=hostfs rootflags=/ ro init="$top/scripts/guest-init.sh"
	uml_dir="$run" umid=uml con=null ssl=null con1=null,fd:2 console=tty1
	loglevel=7 printk.devkmsg=on oops=panic
	firmware_class.path="$build/firmware" GUEST_RUN="$run")
[ "$kernel" = debug ] && args+=(page_poison=1)
if [ $panthor_mod = 1 ] || [ -f "$build/dtb/$dtb.dtb" ]; then
	args+=(dtb="$build/dtb/$dtb.dtb")
fi
if [ "${swap%[KMG]}" != 0 ]; then
	truncate -s "$swap" "$run/swap"
	args+=(ubd0="$run/swap")
fi
read -ra words <<<"$append"
args+=("${words[@]}")

# UML changes the terminal's and the file descriptors' modes: it gets a pipe of
# its own, or a terminal whose modes are put back.
if [ $tty = 1 ]; then
	[ -t 0 ] && [ -t 1 ] || die "--tty needs a terminal"
	args+=(con0=fd:0,fd:1)
	tty_modes=$(stty -g)
	echo "guest_size='$(stty size)' guest_term='${TERM:-dumb}'" >>"$run/env"
	exec 3>&1
else
	args+=(con0=null,fd:1)
	exec 3> >(exec cat)
	reader=$!
fi

uml=''
# UML and its helpers are one process group, of which this started the leader.
stop_uml()
{
	[ -n "$uml" ] || return 0
	kill -KILL -- "-$uml" 2>/dev/null || true
}

cleanup()
{
	stop_uml
	[ -z "${tty_modes:-}" ] || stty "$tty_modes" || true
	rm -rf "$run/swap" "$run/ram" "$run/uml"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

ulimit -c 0
input=/dev/null
[ $tty = 1 ] && input=/dev/stdin
TMPDIR=$(ram_dir) setsid "${pin[@]}" "$linux" "${args[@]}" <$input >&3 2>"$run/dmesg" 9>&- &
uml=$!
disown "$uml"	# bash need not announce its end

# Ends early when the guest does, so that no timer outlives this script.
deadline=$((SECONDS + timeout))
late=0
while kill -0 "$uml" 2>/dev/null; do
	if [ "$timeout" != 0 ] && [ $SECONDS -ge $deadline ]; then
		late=1
		stop_uml
		break
	fi
	sleep 0.05
done
stop_uml
uml=''
exec 3>&-
[ $tty = 1 ] || wait "$reader" || true

# What UML itself prints around the kernel's log has no time stamp.
log_tail() { tail -n "$1" "$run/dmesg" | sed 's/^/   | /' >&2; }

status=$(cat "$run/status" 2>/dev/null || true)
report=0
"$top/scripts/scan-log.sh" "$run/dmesg" "$run/kmemleak" >&2 || report=1
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

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Process 1 of the guest: mounts, swap, modules, the command, power off.
# guest.sh wrote $GUEST_RUN/{env,cmd}; the status goes to $GUEST_RUN/status.
# On UML, the root is the host's /, on arm64 an image with $guest_top in it; both are
# read-only, and only $GUEST_RUN can be written.
# shellcheck disable=SC1091,SC2154 # the variables guest_* come from env

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/tmp LANG=C.UTF-8 TERM=dumb
run=$GUEST_RUN
unset GUEST_RUN
. "$run/env"

fail() # what
{
	echo "guest-init: $*"
	power_off
}

# perl is part of every Debian system, a reboot command is not
power_off()
{
	local reboot=169

	[ "$(uname -m)" != aarch64 ] || reboot=142
	sync
	LC_ALL=C exec perl -e "syscall($reboot, 0xfee1dead, 672274793, 0x4321fedc, 0)"
}

mount_all()
{
	# By the old system call: with the new one, mount(8) of Debian 13 splits
	# options, of which hostfs then takes the path as "hostfs=" only, and
	# mount(2) takes it as it is only.
	LIBMOUNT_FORCE_MOUNT2=always mount -a -T "$run/fstab" || fail "can't mount the file systems"
	mount -t tracefs tracefs /sys/kernel/tracing
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	# a task that waits this long, on any machine under any load, is stuck
	[ ! -w /proc/sys/kernel/hung_task_timeout_secs ] || echo 240 >/proc/sys/kernel/hung_task_timeout_secs
	ln -sf /proc/self/fd /dev/fd
	ln -sf /proc/self/fd/0 /dev/stdin
	ln -sf /proc/self/fd/1 /dev/stdout
	ln -sf /proc/self/fd/2 /dev/stderr
}

swap_on()
{
	[ -b "$guest_swap" ] || return 0
	mkswap "$guest_swap" >/dev/null && swapon "$guest_swap" || fail "no swap"
}

# The kernel's own requests (devfreq governors, crypto) find our modules, too.
load_modules()
{
	printf '#!/bin/sh\nexec modprobe -d %s "$@"\n' "$PANTHOR_MODULES" >/run/modprobe
	chmod +x /run/modprobe
	echo /run/modprobe >/proc/sys/kernel/modprobe
	[ "$guest_panthor" = 1 ] || return 0
	local m
	# shellcheck disable=SC2086 # several parameters
	modprobe -d "$PANTHOR_MODULES" mali_csf_model $guest_param || fail "mali_csf_model does not load"
	for m in governor_simpleondemand panthor; do
		modprobe -d "$PANTHOR_MODULES" "$m" || fail "$m does not load"
	done
	[ -c /dev/dri/card0 ] || fail "panthor did not probe: no /dev/dri/card0"
}

# In a session of its own on the guest's console, so that signals by key work.
run_command()
{
	cd "$guest_top" || fail "no $guest_top"
	if [ "$guest_tty" = 1 ]; then
		export TERM=$guest_term
		stty -F "$guest_console" sane rows "${guest_size% *}" cols "${guest_size#* }"
		# shellcheck disable=SC2094 # a terminal
		setsid -w --ctty bash "$run/cmd" <"$guest_console" >"$guest_console" 2>&1
	else
		[ ! -c "$guest_output" ] || stty -F "$guest_output" raw -echo
		setsid -w bash "$run/cmd" </dev/null >>"$guest_output" 2>&1
	fi
}

# kmemleak only reports objects older than 5 s, and whose content stood still
# between two scans.
find_leaks()
{
	local f=/sys/kernel/debug/kmemleak

	[ "$guest_leaks" = 1 ] && [ -w $f ] || return 0
	sleep 5.2
	{ echo scan >$f && echo scan >$f; } || echo "<3>kmemleak: Kernel memory leak detector disabled" >/dev/kmsg
	cat $f >"$run/kmemleak"
}

# How long register accesses took, where they are traced.
keep_trap_times()
{
	local dir=/sys/kernel/debug/mali_csf_model/counters

	[ -r $dir/trap_count ] || return 0
	echo "$(<$dir/trap_count) $(<$dir/trap_slow) $(<$dir/trap_max_us)" >"$run/traps"
}

# What KCSAN did, if this kernel has it.
keep_kcsan()
{
	[ -r /sys/kernel/debug/kcsan ] || return 0
	cat /sys/kernel/debug/kcsan >"$run/kcsan"
}

# A gcov kernel's counters.
keep_coverage()
{
	local dir=/sys/kernel/debug/gcov f

	[ -d $dir ] || return 0
	(cd $dir && find . -name '*.gcda') | while read -r f; do
		mkdir -p "$run/gcov/${f%/*}" && cat "$dir/$f" >"$run/gcov/$f"
	done
}

mount_all
ulimit -c 0
swap_on
load_modules
if [ "$guest_tty" = 1 ]; then guest_output=$guest_console; fi
exec 8>>"$guest_output"	# keeps the line open until all output is out
run_command
status=$?
find_leaks
keep_trap_times
keep_kcsan
keep_coverage
echo $status >"$run/status"
power_off

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# On the board of make board, by systemd: go through what a board's owner does and
# sees; print KTAP. What a check saw is the last line it printed.
# usage: board-guest.sh RELEASE

set -o pipefail
release=$1
board=/host/tools/testing/panthor/board
gpu=/sys/bus/platform/drivers/panthor/60000000.gpu
export XDG_RUNTIME_DIR=/run/desktop WAYLAND_DISPLAY=wayland-board SUBMITS=/run/desktop/submits

checks=(
	"kernel"	"the kernel, started by U-Boot from Debian's entry"
	"driver"	"panthor, loaded by udev, probes"
	"swap"		"swap in compressed RAM, by zram-generator"
	"vulkan"	"vulkaninfo"
	"egl"		"eglinfo"
	"weston"	"weston draws with GL"
	"vkcube"	"vkcube beside evictions"
	"glmark"	"glmark2 beside evictions"
	"nvtop"		"nvtop lists who uses the GPU"
	"igt"		"IGT's tests of panthor"
	"evictions"	"evictions while Mesa ran"
	"vulkan_content" "four Vulkan programs with twice their memory in buffers"
	"gl_content"	"four GL programs with twice their memory in buffers"
	"submissions"	"Mesa's submissions"
	"rule"		"the udev rule hands mem_reclaim to a group"
	"stranger"	"mem_reclaim without the capability"
	"reclaim"	"mem_reclaim by a manager with the capability"
	"claim"		"mem_claim by the same manager"
	"removal"	"apt remove"
)

fail() { echo "$*"; exit 1; }
skip() { echo "$*"; exit 77; }

reclaim_file() { compgen -G '/sys/kernel/debug/dri/[0-9]*/reclaim' | head -n 1; }

counter() { sed -n "s/^$1: //p" "$(reclaim_file)"; } # NAME

# As the user who sits before it, with submissions counted
as_user() { runuser -u user -- timeout -k 10 1200 env LD_PRELOAD=/usr/local/lib/submits.so "$@"; }

kernel()
{
	[ "$(uname -r)" = "$release" ] || fail "this is $(uname -r), not $release"
	grep -q 'root=LABEL=' /proc/cmdline || fail "no root=LABEL=: $(cat /proc/cmdline)"
	echo "Linux $(uname -rv | cut -d' ' -f1,2), $(nproc) CPUs, initrd.img of $(du -h "/boot/initrd.img-$release" | cut -f1)"
}

# The model's driver is what makes the GPU appear; a board's is always there.
driver()
{
	grep -q '^panthor ' /proc/modules || fail "udev has not loaded it"
	mkdir -p /lib/firmware && cp -r /host/build/firmware/arm /lib/firmware/
	insmod "/host/build/modules/series-arm64/lib/modules/$release/updates/mali_csf_model.ko" || fail "the model does not load"
	udevadm wait --timeout=600 /dev/dri/renderD128 || fail "no /dev/dri/renderD128"
	echo "$(stat -c '%n, group %G' /dev/dri/renderD128); $(dmesg | grep -o 'panthor .*: \[drm\] mali-.*' | head -n 1)"
}

swap()
{
	# Debian's package has one already, with the same size
	systemctl stop dev-zram0.swap systemd-zram-setup@zram0.service
	printf '[zram0]\nzram-size = ram / 2\n' >/etc/systemd/zram-generator.conf
	systemctl daemon-reload
	systemctl start dev-zram0.swap || fail "it doesn't start"
	swapon --noheadings --show=NAME,SIZE | grep zram || fail "no swap"
}

vulkan()
{
	as_user vulkaninfo --summary | tee /dev/stderr | awk -F '= ' '
		/deviceName .*Mali/ { name = $2 }
		/driverName/ && name != "" && driver == "" { driver = $2 }
		/driverInfo/ && name != "" && info == "" { info = $2 }
		END { if (driver == "") exit 1; print name ", " driver ", " info }'
}

egl()
{
	as_user eglinfo -B -p surfaceless | tee /dev/stderr |
		sed -n 's/^OpenGL ES profile \(renderer\|version\): //p' | grep -A1 Mali | paste -sd, | grep .
}

weston()
{
	local i

	systemd-run -q --unit=weston --uid=user -E XDG_RUNTIME_DIR -E SUBMITS -E LD_PRELOAD=/usr/local/lib/submits.so \
		weston --backend=headless --renderer=gl --socket=$WAYLAND_DISPLAY --idle-time=0 --log=/run/desktop/weston.log
	for i in {1..600}; do
		[ ! -S "/run/desktop/$WAYLAND_DISPLAY" ] || break
		systemctl -q is-active weston || break
		sleep 1
	done
	cat /run/desktop/weston.log
	grep -o 'GL renderer: Mali.*' /run/desktop/weston.log && [ -S "/run/desktop/$WAYLAND_DISPLAY" ] || fail "it didn't start"
}

vkcube()
{
	as_user vkcube --wsi wayland --c 60 || fail "status $?"
	echo "60 frames"
}

glmark()
{
	as_user glmark2-es2-wayland --off-screen -s 320x240 -b build:nframes=30 -b texture:nframes=30 | tee /dev/stderr |
		sed -n 's/.*GL_RENDERER: *//p; s/.*glmark2 Score/Score/p' | paste -sd, | grep Score
}

# Vulkan would load the software renderer, too, which is larger than the buffers.
four_of() # PROGRAM
{
	local before

	before=$(counter evictions)
	# shellcheck disable=SC2016 # expanded there
	systemd-run -q --wait --pipe -p MemoryMax=192M --uid=user -E SUBMITS -E LD_PRELOAD=/usr/local/lib/submits.so \
		-E VK_DRIVER_FILES="$(ls /usr/share/vulkan/icd.d/panfrost_icd*.json)" bash -c '
			for i in 1 2 3 4; do $0 96 3 & pids+=($!); done
			for p in "${pids[@]}"; do wait $p || exit; done' "$1" || fail "status $?"
	[ "$(counter evictions)" -gt "$before" ] || fail "memory was not short"
	echo "all words right, after $(($(counter evictions) - before)) evictions"
}

vulkan_content() { four_of vulkan_content; }
gl_content() { four_of gl_content; }

# It only lists processes on a terminal, and who uses the GPU just then.
nvtop()
{
	local out i client

	while :; do as_user vkcube --wsi wayland --c 20; done >/dev/null 2>&1 &
	client=$!
	for i in {1..20}; do
		out=$({ sleep 5; printf q; } | TERM=vt100 script -qec 'stty rows 40 cols 120; exec nvtop' /dev/null |
			sed 's/\x1b\[[?0-9;]*[A-Za-z]//g; s/[[:cntrl:]]//g')
		! grep -qE "$seen_by_nvtop" <<<"$out" || break
	done
	kill $client
	echo "$out"
	grep -oE "$seen_by_nvtop" <<<"$out" | tail -n 1 | tr -s ' '
}
# process, user, GPU, memory, and what it is
seen_by_nvtop='[0-9]+ +user +0 +Graphic +[^/]* [0-9]+MiB +(/usr/bin/weston|vkcube)'

igt() { skip "Debian has no igt-gpu-tools for arm64"; }

evictions()
{
	local evicted=$(($(counter evictions) - evictions)) restored=$(($(counter restores) - restores))

	echo "$evicted evictions, $restored restores"
	[ $evicted -gt 0 ] && [ $restored -gt 0 ]
}

submissions()
{
	local submits binds failed_submits failed_binds

	read -r submits binds failed_submits failed_binds < <(od -An -t u8 -N 32 -w32 $SUBMITS)
	echo "$submits submissions, $failed_submits failed; $binds VM_BINDs, $failed_binds failed"
	[ "$submits" -gt 0 ] && [ "$failed_submits" = 0 ] && [ "$failed_binds" = 0 ]
}

rule()
{
	groupadd --system panthor-reclaim
	cp $board/60-panthor-mem-reclaim.rules /etc/udev/rules.d/
	udevadm control --reload
	udevadm trigger --settle --subsystem-match=platform
	stat -c '%A %G %n' $gpu/mem_reclaim $gpu/mem_claim
	[ "$(stat -c %a:%G $gpu/mem_reclaim $gpu/mem_claim | uniq)" = 220:panthor-reclaim ]
}

# A unit as a resource manager has it
# shellcheck disable=SC2016 # expanded there
manager() # FILE [property]
{
	systemd-run -q --wait --pipe -p User=nobody -p SupplementaryGroups=panthor-reclaim "${@:2}" \
		sh -c 'echo "$1" >"$2"' - "$(pidof weston)" "$gpu/$1"
}

# KiB of the desktop
memory() # resident|evicted
{
	awk -v key="drm-$1-memory:" '
		$1 == "drm-client-id:" { known = seen[$2]++ }
		$1 == key && !known { sum += $2 * ($3 == "MiB" ? 1024 : 1) }
		END { print sum + 0 }' /proc/"$(pidof weston)"/fdinfo/*
}

stranger()
{
	! manager mem_reclaim || fail "it's allowed"
	echo "refused"
}

reclaim()
{
	manager mem_reclaim -p AmbientCapabilities=CAP_SYS_RESOURCE || fail "refused"
	echo "weston has $(memory resident) KiB resident, $(memory evicted) KiB evicted"
	[ "$(memory evicted)" -gt 0 ]
}

claim()
{
	local before

	before=$(memory resident)
	manager mem_claim -p AmbientCapabilities=CAP_SYS_RESOURCE || fail "refused"
	echo "weston has $(memory resident) KiB resident, $(memory evicted) KiB evicted"
	[ "$(memory resident)" -gt "$before" ]
}

removal()
{
	systemctl stop weston
	grep -q "vmlinuz-$release$" /boot/extlinux/extlinux.conf || fail "there was no entry"
	apt-get remove -y "linux-image-$release" || fail "status $?"
	! grep -q "vmlinuz-$release$" /boot/extlinux/extlinux.conf || fail "the entry is still there"
	! ls /boot/*"$release"* || fail "files of it are still there"
	grep -q 'linux /boot/vmlinuz-.*deb' /boot/extlinux/extlinux.conf || fail "Debian's entry is gone, too"
	echo "kernel, initramfs and entry are gone, Debian's are there"
}

prepare()
{
	install -m 644 /host/build/user-board/board/submits.so /usr/local/lib/
	install -m 755 /host/build/user-board/board/{vulkan,gl}_content /usr/local/bin/
	useradd --create-home --groups render,video user
	install -d -m 700 -o user -g user $XDG_RUNTIME_DIR
}

# Everything idle goes, all the time.
evict_always()
{
	local shrink

	shrink=$(dirname "$(reclaim_file)")/shrink
	while :; do
		echo 1000000 >"$shrink"
		sleep 0.02
	done
}

check() # FUNCTION NAME
{
	local out status=0

	n=$((n + 1))
	echo "# board: $2" >/dev/kmsg
	out=$("$1" 2>&1) || status=$?
	case $status in
	0) echo "ok $n $2: $(tail -n 1 <<<"$out")" ;;
	77) echo "ok $n $2 # SKIP $(tail -n 1 <<<"$out")" ;;
	*)	# shellcheck disable=SC2001
		sed 's/^/# /' <<<"$out"
		echo "not ok $n $2" ;;
	esac
}

# How long register accesses took: was this host fast enough?
keep_trap_times()
{
	(cd /sys/kernel/debug/mali_csf_model/counters && cat trap_count trap_slow trap_max_us) | paste -sd' ' >/out/traps
}

n=0 writer=''
echo "KTAP version 1"
echo "1..$((${#checks[@]} / 2))"
prepare >/dev/kmsg 2>&1
for ((i = 0; i < ${#checks[@]}; i += 2)); do
	case ${checks[i]} in
	weston)
		evictions=$(counter evictions) restores=$(counter restores)
		evict_always 2>/dev/null &
		writer=$! ;;
	vulkan_content)	kill $writer ;;
	esac
	check "${checks[i]}" "${checks[i + 1]}"
done
keep_trap_times

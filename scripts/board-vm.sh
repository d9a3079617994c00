# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# The machine of make board, made of what guest-arm64.sh has. Sourced after lib.sh.

board=$build/board
arch=arm64 mem=2G dtb=coherent
check_smp
name=board run=$build/run/board
out=$(tree_dir series)/out-arm64
. "$top/scripts/guest-arm64.sh"
# away from where U-Boot puts the initramfs
gpu_address=60000000

machine=''
stop_machine() { [ -z "$machine" ] || kill -KILL "$machine" 2>/dev/null || true; }

# Start the board from DISK, let it do a command, whose output is shown, and wait until
# it's off. Status: that of the command. No command takes an hour and a half, on any host.
start_board() # DISK argument of QEMU... -- command...
{
	local deadline=$((SECONDS + 5400)) disk=$1
	local -a qemu=("${qemu[@]}")

	shift
	while [ "$1" != -- ]; do qemu+=("$1"); shift; done
	shift
	mkdir -p "$run"
	find "$run" -mindepth 1 -delete
	printf '%q ' "$@" >"$run/job"
	printf '\necho $? >/out/status\n' >>"$run/job"
	: >"$run/output"
	add_devices
	"${qemu[@]}" -drive "file=$disk,if=none,id=disk,format=raw,cache=unsafe" \
		-device virtio-blk-device,drive=disk 2>"$run/qemu.log" </dev/null 8>&- 9>&- &
	machine=$!
	tail -n +1 -f -s 0.2 --pid=$machine "$run/output" 8>&- 9>&- &
	tailer=$!
	while kill -0 "$machine" 2>/dev/null; do
		[ $SECONDS -lt $deadline ] || stop_machine
		sleep 0.2
	done
	machine=''
	machine_end
	[ -s "$run/status" ] || say "the board did not come up, or crashed: ${run#"$top"/}/dmesg"
	return "$(cat "$run/status" 2>/dev/null || echo 125)"
}
trap stop_machine EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

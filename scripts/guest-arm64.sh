# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# The arm64 guest, for guest.sh: QEMU's machine "virt" with $smp emulated CPUs. Its
# programs come from an image, this clone's files are at /host (read-only), the run's
# directory at /out.

command -v qemu-system-aarch64 >/dev/null ||
	die "no qemu-system-aarch64 here, which ARCH=arm64 runs on: install Debian's qemu-system-arm"

machine_kernel=("$out/arch/arm64/boot/Image")
machine_files=("$build/arm64-root/root.img")

machine_path()
{
	case $1 in
	"$run"*) echo "/out${1#"$run"}" ;;
	*) echo "/host${1#"$top"}" ;;
	esac
}

machine_fstab() { :; }

# Output goes through a file: the emulated consoles are slow, and busy-wait.
machine_env()
{
	cat <<-EOT
		export PANTHOR_MODULES=$(machine_path "$modules") PANTHOR_USER=build/user-arm64
		guest_top=/host guest_console=/dev/hvc0 guest_output=/out/output guest_swap=/dev/vdb
	EOT
}

qemu=(qemu-system-aarch64 -cpu cortex-a76 -smp "$smp" -m "$mem" -nodefaults -display none)
qemu_machine=virt,gic-version=3

# Registers of the GPU are here, in RAM.
gpu_address=44000000

# The machine's own device tree, with the GPU and its registers. QEMU fills in what
# depends on this boot.
device_tree()
{
	local dtc=$out/scripts/dtc/dtc

	"${qemu[@]}" -machine "$qemu_machine,dumpdtb=$run/virt.dtb" >"$run/qemu.log" 2>&1 || die "qemu-system-aarch64: $(head -n 1 "$run/qemu.log")"
	{
		"$dtc" -q -I dtb -O dts "$run/virt.dtb"
		gcc -E -P -nostdinc -undef -D__DTS__ -x assembler-with-cpp -DGPU_NAME=$gpu_address \
			-DGPU_REGS=0x$gpu_address -DGPU_NO_MAP "$panthor/model/gpu.dtsi"
		echo "&gpu { dma-$dtb; };"
	} >"$run/dts"
	"$dtc" -q -I dts -O dtb -o "$run/dtb" "$run/dts" || die "the device tree is wrong: ${run#"$top"/}/dts"
}

# What any such machine has: that device tree, a serial console whose output is $run/dmesg,
# shared directories, random numbers.
add_devices()
{
	device_tree
	qemu+=(-machine "$qemu_machine" -accel tcg,thread=multi -no-reboot -dtb "$run/dtb"
		-chardev "file,id=log,path=$run/dmesg" -serial chardev:log
		-fsdev "local,id=host,path=$top,security_model=none,readonly=on"
		-device virtio-9p-device,fsdev=host,mount_tag=host
		-fsdev "local,id=out,path=$run,security_model=none"
		-device virtio-9p-device,fsdev=out,mount_tag=out
		-device virtio-rng-device)
}

machine_start()
{
	local -a disks=() console=() pin=()

	add_devices
	args+=(console=ttyAMA0 root=/dev/vda rootfstype=ext2 ro init=/init panic=-1)
	[ ! -f "$run/swap" ] ||
		disks=(-drive "file=$run/swap,if=none,id=swap,format=raw,cache=unsafe" -device virtio-blk-device,drive=swap)
	[ "$tty" = 0 ] ||
		console=(-chardev stdio,id=tty,signal=off -device virtio-serial-device -device virtconsole,chardev=tty)
	[ -z "${CPU:-}" ] || pin=(taskset -c "$CPU")
	: >"$run/output"
	# the first disk is the last one on the command line
	setsid "${pin[@]}" "${qemu[@]}" -kernel "${machine_kernel[0]}" -append "${args[*]}" \
		"${console[@]}" "${disks[@]}" \
		-drive "file=$build/arm64-root/root.img,if=none,id=root,format=raw,readonly=on" \
		-device virtio-blk-device,drive=root 2>"$run/qemu.log" &
	machine=$!
	[ "$tty" = 1 ] || { tail -n +1 -f -s 0.2 --pid=$machine "$run/output" & tailer=$!; }
}

# Register accesses that took longer than drivers expect of hardware: the host was too
# slow for this run, or too busy.
trap_times()
{
	local count slow max

	read -r count slow max 2>/dev/null <"$run/traps" || return 0
	[ "$count" -gt 0 ] || return 0
	if [ $((slow * 1000)) -gt "$count" ]; then
		say "guest '$name': HOST TOO SLOW: $slow of $count register accesses took longer than 10 ms (up to $((max / 1000)) ms), more than one in a thousand: what failed may have failed for that"
	else
		say "guest '$name': $count register accesses, $slow longer than 10 ms, longest $max us"
	fi
}

machine_end()
{
	[ -z "${tailer:-}" ] || wait "$tailer" || true
	# as on a real line
	sed -i 's/\r$//' "$run/dmesg" 2>/dev/null || true
	[ ! -s "$run/qemu.log" ] || say "qemu: $(head -n 1 "$run/qemu.log")"
	trap_times
}

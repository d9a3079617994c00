#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build the software GPU, and the module of the benchmarks, against a kernel:
# build/{model,batch}/<tree>-<flavour>/*.ko (installed beside the kernel's modules,
# too), the firmware image and the device trees of UML.
# usage: build-model.sh [--arch um|arm64] [--tree series|base] [--kernel KERNEL]

. "$(dirname "$0")/lib.sh"
parse_target "$@"

src=$panthor/model
out=$(tree_dir "$tree")/out-$flavour
inst=$build/modules/$tree-$flavour
[ -f "$out/Module.symvers" ] || die "no kernel in ${out#"$top"/}: run 'scripts/build-kernel.sh --arch $arch --tree $tree --kernel $kernel'"
[ "$arch" = um ] || grep -qx CONFIG_TRACE_MMIO_ACCESS=y "$out/.config" ||
	die "${out#"$top"/} has no CONFIG_TRACE_MMIO_ACCESS, without which the model sees no register access"

# Kbuild writes beside the sources: give it a copy, whose unchanged files keep
# their time stamps, without files that are gone.
copy_sources() # FROM TO
{
	local f

	mkdir -p "$2"
	for f in "$2"/*.[chS]; do
		[ -e "$1/${f##*/}" ] || case $f in *.mod.c) ;; *) rm -f "$f" ;; esac
	done
	cp -pu "$1"/* "$2"/
}

build_modules() # NAME SOURCES
{
	local obj=$build/$1/$tree-$flavour

	copy_sources "$2" "$obj"
	quietly "$build/log/$1-$tree-$flavour.log" kmake "$tree" "$flavour" M="$obj" modules
	# the installed copies follow, so that modprobe finds them
	quietly "$build/log/$1-$tree-$flavour-install.log" \
		kmake "$tree" "$flavour" M="$obj" INSTALL_MOD_PATH="$inst" modules_install
}

# The host program that writes the firmware image is part of the model.
build_firmware()
{
	local gen=$build/model/fwgen img=$build/firmware/arm/mali/arch10.8/mali_csffw.bin

	mkdir -p "$(dirname "$img")"
	quietly "$build/log/fwgen.log" gcc -O2 -Wall -Wextra -Werror -o "$gen" "$src/fwgen.c"
	"$gen" -o "$img.new" || die "the firmware generator failed"
	mv "$img.new" "$img"
}

# Each model/*.dts, run through the preprocessor, with the kernel's dtc. QEMU's
# machine has a device tree of its own, to which guest.sh adds the GPU.
build_dtbs()
{
	local dts name

	[ "$arch" = um ] || return 0
	mkdir -p "$build/dtb"
	for dts in "$src"/*.dts; do
		name=$(basename "$dts" .dts)
		gcc -E -nostdinc -undef -D__DTS__ -x assembler-with-cpp -I"$src" "$dts" \
			>"$build/dtb/$name.pp"
		"$out/scripts/dtc/dtc" -q -I dts -O dtb -o "$build/dtb/$name.dtb.new" \
			"$build/dtb/$name.pp" || die "device tree $name.dts is wrong"
		mv "$build/dtb/$name.dtb.new" "$build/dtb/$name.dtb"
		rm "$build/dtb/$name.pp"
	done
}

lock_target
say "model $tree-$flavour"
build_modules model "$src"
build_modules batch "$panthor/bench/batch"
lock_shared
build_firmware
build_dtbs

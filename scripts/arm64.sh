#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make arm64: the patched kernel for RK3588 boards, cross-built. Everything that
# goes to a board is in build/arm64/root, at its place there, and in one archive.

. "$(dirname "$0")/lib.sh"
only_612

src=$(tree_dir series)
out=$build/arm64
obj=$src/out-arm64
root=$out/root
fragment=$panthor/configs/arm64.config

amake()
{
	local cc=aarch64-linux-gnu-gcc

	! command -v ccache >/dev/null || cc="ccache $cc"
	make -C "$src" O=out-arm64 ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC="$cc" LOCALVERSION= \
		--no-print-directory -j"$jobs" "$@"
}

# Every SoC family but Rockchip's off. What depends on them goes with them.
other_socs()
{
	sed -nE '/ARCH_ROCKCHIP$/d; s/^config (ARCH_.*)/# CONFIG_\1 is not set/p' "$src/arch/arm64/Kconfig.platforms"
}

# The fragment goes on top of a full defconfig, in which what an option selects
# is written out: it stays when that option is left out (tmpfs, CMA, cpuidle).
configure()
{
	local log=$build/log/arm64-config.log

	mkdir -p "$obj"
	{ other_socs; cat "$fragment"; } >"$obj/fragment.new"
	if [ -f "$obj/.config" ] && cmp -s "$obj/fragment.new" "$obj/fragment"; then
		quietly "$log" amake olddefconfig
	else
		quietly "$log" amake defconfig
		cat "$obj/.config" "$obj/fragment.new" >"$obj/all.config"
		quietly "$log" amake KCONFIG_ALLCONFIG="$obj/all.config" alldefconfig
	fi
	check_config "$obj/fragment.new" "$obj/.config"
	mv "$obj/fragment.new" "$obj/fragment"
}

# Device trees (and overlays) of RK3588 boards, as targets of make.
boards()
{
	grep -oE 'rk3588[^ ]*\.dtbo?$' "$src/arch/arm64/boot/dts/rockchip/Makefile" | sort -u | sed 's|^|rockchip/|'
}

stage()
{
	local dtb

	rm -rf "$root"
	mkdir -p "$root/boot/dtbs-$release/rockchip"
	cp "$obj/arch/arm64/boot/Image" "$root/boot/vmlinuz-$release"
	cp "$obj/.config" "$root/boot/config-$release"
	cp "$obj/System.map" "$root/boot/System.map-$release"
	for dtb in "${dtbs[@]}"; do
		cp "$obj/arch/arm64/boot/dts/$dtb" "$root/boot/dtbs-$release/rockchip/"
	done
	quietly "$build/log/arm64-modules.log" amake INSTALL_MOD_PATH="$root" INSTALL_MOD_STRIP=1 modules_install
	rm -f "$root/lib/modules/$release"/{build,source}
	[ -e "$root/lib/modules/$release/kernel/drivers/gpu/drm/panthor/panthor.ko" ] ||
		die "panthor was not built as a module, see build/log/arm64.log"
	# no entry for lib itself, a symbolic link on boards, nor for boot
	rm -f "$out"/linux-*.tar.gz
	(cd "$root" && tar --owner=0 --group=0 --sort=name -czf "$archive" boot/* "lib/modules/$release")
}

"$top/scripts/deps.sh" arm64
"$top/scripts/tree.sh"
exec 8>"$build/log/arm64.lock"
flock 8
configure
mapfile -t dtbs < <(boards)
[ ${#dtbs[@]} -gt 0 ] || die "this tree has no device tree of an RK3588 board"
say "arm64: Image, modules, ${#dtbs[@]} device trees"
quietly "$build/log/arm64.log" amake Image modules "${dtbs[@]}"
release=$(cat "$obj/include/config/kernel.release")
archive=$out/linux-$release-arm64.tar.gz
stage
echo "build/arm64/root: Linux $release, ${#dtbs[@]} device trees, $(find "$root" -name '*.ko' | wc -l) modules; all of it: build/arm64/${archive##*/} ($(du -h "$archive" | cut -f1))"

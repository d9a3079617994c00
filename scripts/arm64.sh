#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make arm64: the patched kernel for RK3588 boards, cross-built, as Debian packages
# in build/arm64. They are made by the kernel's own bindeb-pkg.

. "$(dirname "$0")/lib.sh"
only_612

src=$(tree_dir series)
out=$build/arm64
obj=$src/out-arm64
fragment=$panthor/configs/arm64.config

amake() { kmake series arm64 "$@"; }

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
	# without it, kernelrelease goes by the configuration before that
	quietly "$log" amake syncconfig
	check_config "$obj/fragment.new" "$obj/.config"
	mv "$obj/fragment.new" "$obj/fragment"
}

# Says what's in the packages: that of the kernel, and when the series, or how it's
# built, was last changed here. So it is the same for everybody, and rises with each
# such change. What isn't committed yet comes after what is.
package_version()
{
	local -a parts=(patches/6.12 "$fragment" scripts/arm64.sh)
	local version

	version=$(kernel_version "$src")-$(TZ=UTC0 git log -1 --format=%cd --date=format-local:%Y%m%d.%H%M -- "${parts[@]}")
	[ -z "$(git status --porcelain -- "${parts[@]}")" ] && "$top/scripts/status.sh" >/dev/null || version+=+local
	echo "$version"
}

# Image uncompressed, as boot loaders of all kinds take it. Neither linux-libc-dev,
# which would replace the system's, nor symbols, of which there are none.
# bindeb-pkg leaves the packages in the source tree, and asks for more than is needed,
# such as arm64's libssl (-d).
build_packages()
{
	rm -rf "$out"
	mkdir -p "$out"
	quietly "$build/log/arm64.log" amake KBUILD_IMAGE=arch/arm64/boot/Image KDEB_PKGVERSION="$version" \
		KDEB_CHANGELOG_DIST=unstable KDEB_COMPRESS=zstd DPKG_FLAGS="-d --target=binary-image,binary-headers" bindeb-pkg
	mv "$src/linux-image-${release}_${version}_arm64.deb" "$src/linux-headers-${release}_${version}_arm64.deb" "$out/"
}

image() { echo "$out/linux-image-${release}_${version}_arm64.deb"; }
contents() { dpkg-deb -c "$(image)" | grep -E "$1"; } # REGEX

check_packages()
{
	contents '/drivers/gpu/drm/panthor/panthor\.ko$' >/dev/null ||
		die "panthor was not built as a module, see build/log/arm64.log"
	boards=$(contents '/rk3588[^/]*\.dtb$' | wc -l) ||
		die "this tree has no device tree of an RK3588 board"
}

"$top/scripts/deps.sh" arm64
"$top/scripts/tree.sh"
exec 8>"$build/log/arm64.lock"
flock 8
configure
version=$(package_version)
release=$(amake -s kernelrelease)
# nothing changed that has a version of its own
if [ ! -f "$(image)" ] || [[ $version = *+local ]]; then
	say "arm64: packages of Linux $version"
	build_packages
fi
check_packages
echo "build/arm64: Linux $release, $(contents '\.ko$' | wc -l) modules, device trees of $boards RK3588 boards:"
(cd "$out" && du -h -- *.deb)

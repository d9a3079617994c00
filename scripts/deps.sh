#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Install the Debian packages that building and running need and that are
# missing here, after saying which.
# usage: deps.sh [check|arm64|guest-arm64|board|bench|coverage|profile|newcomer]: also what
# that verb needs

. "$(dirname "$0")/lib.sh"

# what to look for, and the package that has it
needs="
gcc		gcc
make		make
/usr/include/stdio.h	libc6-dev
flex		flex
bison		bison
bc		bc
perl		perl
python3		python3
git		git
ccache		ccache
xz		xz-utils
patch		patch
depmod		kmod
pkg-config	pkg-config
/usr/include/libdrm/drm.h	libdrm-dev
free		procps
taskset		util-linux
mount		mount
"
needs_arm64="
aarch64-linux-gnu-gcc	gcc-aarch64-linux-gnu
/usr/include/openssl/ssl.h	libssl-dev
"
# packages of the kernel; in that of its headers are programs for arm64
needs_debs="
dpkg-buildpackage	dpkg-dev
dh_builddeb	debhelper
/usr/aarch64-linux-gnu/include/stdio.h	libc6-dev-arm64-cross
"
needs_guest_arm64="
aarch64-linux-gnu-gcc	gcc-aarch64-linux-gnu
/usr/aarch64-linux-gnu/include/stdio.h	libc6-dev-arm64-cross
qemu-system-aarch64	qemu-system-arm
mke2fs		e2fsprogs
dpkg-deb	dpkg
/usr/share/keyrings/debian-archive-keyring.gpg	debian-archive-keyring
"
needs_board="$needs_arm64$needs_debs$needs_guest_arm64
sfdisk		fdisk
/usr/include/vulkan/vulkan.h	libvulkan-dev
/usr/include/EGL/egl.h	libegl-dev
/usr/include/GLES3/gl3.h	libgles-dev
"
needs_check="$needs_arm64
clang		clang
sparse		sparse
sphinx-build	python3-sphinx
dot		graphviz
/usr/lib/python3/dist-packages/ply	python3-ply
/usr/lib/python3/dist-packages/git	python3-git
/usr/lib/python3/dist-packages/yaml	python3-yaml
"

needs_bench="
gnuplot		gnuplot-nox
"
needs_coverage="
lcov		lcov
"
needs_profile="
perf		linux-perf
"
needs_newcomer="
git		git
mmdebstrap	mmdebstrap
unshare		util-linux
"

case ${1:-} in
'') ;;
check) needs+=$needs_check ;;
arm64) needs+=$needs_arm64$needs_debs ;;
guest-arm64) needs+=$needs_guest_arm64 ;;
board) needs+=$needs_board ;;
bench) needs+=$needs_bench ;;
coverage) needs+=$needs_coverage ;;
profile) needs+=$needs_profile ;;
newcomer) needs=$needs_newcomer ;;
*) die "unknown group '$1': check, arm64, guest-arm64, board, bench, coverage, profile or newcomer" ;;
esac

missing=()
while read -r what package; do
	case $what in
	'') continue ;;
	/*) [ -e "$what" ] || missing+=("$package") ;;
	*) PATH=$PATH:/sbin:/usr/sbin command -v "$what" >/dev/null || missing+=("$package") ;;
	esac
done <<<"$needs"
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null ||
	die "missing here: ${missing[*]} (Debian's names); without apt, install them by hand"
say "installing Debian packages: ${missing[*]}"
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" \
	>"$build/log/deps.log" 2>&1 ||
{
	as_root apt-get update >>"$build/log/deps.log" 2>&1
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
		"${missing[@]}" >>"$build/log/deps.log" 2>&1
} || die "apt could not install ${missing[*]}: see build/log/deps.log"

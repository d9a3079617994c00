#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Install the Debian packages that building and running need and that are
# missing here, after saying which. With a group: what only that verb needs.
# usage: deps.sh [bench]

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

case ${1:-} in
'') ;;
bench) needs="gnuplot	gnuplot-nox" ;;
*) die "unknown group '$1' of packages: bench" ;;
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

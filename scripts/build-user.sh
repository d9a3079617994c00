#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build the library, the selftests and the demo: build/user/{lib,tests,demo}, or
# build/user-arm64/... with --arch arm64.

. "$(dirname "$0")/lib.sh"
[ "${1:-}" != --arch ] || arch=${2?}

# Only headers are taken from the kernel tree; both trees have the same uAPI, and
# 7.3's is that of 6.12 with additions, so that the same programs do for both.
src=$build/linux
[ -f "$src/Makefile" ] || src=$(tree_dir series)
[ -f "$src/Makefile" ] || src=$(tree_dir base)
[ -f "$src/Makefile" ] || die "no kernel tree: run 'make tree'"

out=$(user_dir)
flags=(O="$out" KSRC="$src")
if [ "$arch" = arm64 ]; then
	# headers are the same for both; the guest has this very library
	lib=$build/arm64-root/root/usr/lib/aarch64-linux-gnu/libdrm.so.2
	[ -e "$lib" ] || die "no ${lib#"$top"/}: run 'scripts/fetch-root.sh'"
	flags+=(CC="$(ccache_cc ${cross}gcc)" AR="${cross}ar" DRM_LIBS="$lib")
fi
lock_shared
say "user programs"
quietly "$build/log/$(basename "$out").log" make -C "$panthor" "${flags[@]}" -j"$jobs"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tests that patches/igt adds to IGT, built in build/igt-src and linked with the
# library of Debian's package, which scripts/fetch-igt.sh fetched: of IGT itself there
# are no sources here, and tools/testing/panthor/igt declares what the tests use of it.
# Status 3: that's for another version of IGT.

. "$(dirname "$0")/lib.sh"
. "$top/scripts/series.sh"

patches=$top/patches/igt
declared=2.5	# the version that tools/testing/panthor/igt is for
src=$build/igt-src
lib=$build/igt/root/usr/lib/x86_64-linux-gnu/libigt.so.0
[ -e "$lib" ] || die "no ${lib#"$top"/}: run 'scripts/fetch-igt.sh'"
[ -e "$build/user/include/drm/panthor_drm.h" ] || die "no user programs: run 'scripts/build-user.sh'"

version=$(sed -n 's/^igt-gpu-tools \([^ -]*\).*/\1/p' "$build/igt/packages.txt")
if [ "$version" != $declared ]; then
	rm -rf "$src/tests"
	say "the package is IGT $version, and tools/testing/panthor/igt is for $declared: see whether what it declares is the same"
	exit 3
fi

apply()
{
	local p

	rm -rf "$src/tree"
	mkdir -p "$src/tree"
	while read -r p; do
		patch -d "$src/tree" -p1 -s -F0 <"$patches/$p" || die "patches/igt/$p does not apply"
	done < <(queue)
}

# The library is newer than this machine's libc, and is run with its own.
compile() # SOURCE
{
	local program
	local -a drm

	program=$(basename "$1" .c)
	read -ra drm <<<"$(pkg-config --cflags libdrm)"
	quietly "$build/log/igt-$program.log" gcc -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror \
		-Wno-sign-compare -Wno-clobbered -fmacro-prefix-map="$src/tree/=" \
		-I"$panthor/igt" -I"$build/user/include" "${drm[@]}" -o "$src/$program.new" \
		"$1" "$lib" -Wl,--allow-shlib-undefined
	mv "$src/$program.new" "$src/tests/$program"
}

mkdir -p "$src/tests"
exec 7>"$src/lock"
flock 7
apply
for source in "$src"/tree/tests/panthor/*.c; do compile "$source"; done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Debian's IGT, newer than this machine's libraries, side by side in
# build/igt/root (build/igt-arm64/root with --arch arm64) with the libraries it
# needs. Which packages: apt decides, with lists, cache and status of its own; the
# machine's configuration is only read. Status 3: the archive did not answer.

. "$(dirname "$0")/lib.sh"
. "$top/scripts/apt-sources.sh"

[ "${1:-}" != --arch ] || arch=${2?}
igt=$build/igt debian_arch=amd64
if [ "$arch" = arm64 ]; then igt=$build/igt-arm64 debian_arch=arm64; fi
root=$igt/root
log=$build/log/$(basename "$igt")-apt.log
wanted="igt-gpu-tools igt-gpu-tools-tests nvtop"

unavailable() { printf 'fetch-igt: %s\n' "$*" >&2; exit 3; }

show() { cat "$igt/packages.txt"; }

# what was fetched for an earlier state of this clone may lack something
if [ "$(cat "$igt/complete" 2>/dev/null || true)" = "$wanted" ]; then
	show
	exit 0
fi
command -v apt-get >/dev/null || unavailable "no apt here, so no IGT"

download()
{
	local uri suite

	uri=$(debian_sources | sed -n 's/ -$//p' | head -n 1)
	[ -n "$uri" ] || unavailable "no Debian archive in this machine's apt sources"
	for suite in forky sid; do
		# shellcheck disable=SC2086 # a list of packages
		download_packages "$igt/apt" $debian_arch "$log" "$uri" "$suite" $wanted && return
	done
	unavailable "the archive does not answer, or has no IGT for $debian_arch: see ${log#"$top"/}"
}

unpack()
{
	unpack_packages "$igt/apt" "$root" >"$igt/packages.new"
	mv "$igt/packages.new" "$igt/packages.txt"
	rm -rf "$igt/apt"
}

[ -f $keyring ] || unavailable "no $keyring: install debian-archive-keyring"
: >"$log"
mkdir -p "$igt"
say "fetching IGT and its libraries (about 40 MB with the package lists)"
download
unpack
[ -x "$root/usr/libexec/igt-gpu-tools/panthor/panthor_vm" ] || die "IGT's package has no panthor tests: see ${igt#"$top"/}/packages.txt"
echo "$wanted" >"$igt/complete"
show

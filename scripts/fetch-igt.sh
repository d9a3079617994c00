#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Debian's IGT, newer than this machine's libraries, side by side in
# build/igt/root with the libraries it needs. Which packages: apt decides, with
# lists, cache and status of its own; the machine's configuration is only read.
# Status 3: the archive did not answer.

. "$(dirname "$0")/lib.sh"
. "$top/scripts/apt-sources.sh"

igt=$build/igt
root=$igt/root
log=$build/log/igt-apt.log
wanted="igt-gpu-tools igt-gpu-tools-tests"

unavailable() { printf 'fetch-igt: %s\n' "$*" >&2; exit 3; }

show() { cat "$igt/packages.txt"; }

if [ -f "$igt/complete" ]; then
	show
	exit 0
fi
command -v apt-get >/dev/null || unavailable "no apt here, so no IGT"

# apt in a room of its own. Proxies and certificates stay the machine's.
apt() { # TOOL args...
	local tool=$1
	shift
	"$tool" -q -o Dir::Etc::sourcelist="$igt/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::State="$igt/apt/state" -o Dir::State::Lists="$igt/apt/lists" \
		-o Dir::State::status="$igt/apt/status" -o Dir::Cache="$igt/apt/cache" \
		-o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Sandbox::User=root \
		-o APT::Install-Recommends=false -o Acquire::Languages=none -o Acquire::Retries=2 \
		-o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@"
}

download()
{
	local uri suite

	uri=$(debian_sources | sed -n 's/ -$//p' | head -n 1)
	[ -n "$uri" ] || unavailable "no Debian archive in this machine's apt sources"
	for suite in forky sid; do
		rm -rf "$igt/apt"
		mkdir -p "$igt"/apt/{state,lists/partial,cache/archives/partial}
		: >"$igt/apt/status"
		echo "deb [signed-by=$keyring] $uri $suite main" >"$igt/apt/sources.list"
		# shellcheck disable=SC2086 # two packages
		apt apt-get update >>"$log" 2>&1 &&
			apt apt-get install -y --download-only $wanted >>"$log" 2>&1 && return
	done
	unavailable "the archive does not answer, or has no IGT: see build/log/igt-apt.log"
}

unpack()
{
	local d deb

	rm -rf "$root"
	# merged /usr, as today's packages expect it
	for d in bin sbin lib lib64; do
		mkdir -p "$root/usr/$d"
		ln -s "usr/$d" "$root/$d"
	done
	: >"$igt/packages.new"
	for deb in "$igt"/apt/cache/archives/*.deb; do
		dpkg-deb -x "$deb" "$root" || die "$(basename "$deb") is broken: remove build/igt"
		printf '%s %s %s\n' "$(dpkg-deb -f "$deb" Package)" "$(dpkg-deb -f "$deb" Version)" \
			"$(sha256sum "$deb" | cut -d' ' -f1)" >>"$igt/packages.new"
	done
	mv "$igt/packages.new" "$igt/packages.txt"
	rm -rf "$igt/apt"
}

[ -f $keyring ] || unavailable "no $keyring: install debian-archive-keyring"
: >"$log"
say "fetching IGT and its libraries (about 40 MB with the package lists)"
download
unpack
[ -x "$root/usr/libexec/igt-gpu-tools/panthor/panthor_vm" ] || die "IGT's package has no panthor tests: see build/igt/packages.txt"
touch "$igt/complete"
show

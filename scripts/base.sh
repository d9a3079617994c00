#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Import the base kernel into build/linux as one commit, tag `base`, unless it
# is there: Debian's linux-source-6.12, or KSRC=tarball|directory of 6.12.y. With
# LINUX=7.3, Debian's linux-source-7.3 into build/linux-7.3, from a newer suite where
# this machine's has none. Status 3: it can't be had from an archive.

. "$(dirname "$0")/lib.sh"
. "$top/scripts/apt-sources.sh"

package=linux-source-$linux
tree=$build/linux$suffix
new=$tree.new

if [ -e "$tree" ]; then
	git -C "$tree" rev-parse -q --verify 'base^{commit}' >/dev/null 2>&1 && [ -d "$tree/.git" ] ||
		die "${tree#"$top"/} is not a tree made by 'make tree': move it away and try again"
	[ -z "${KSRC:-}" ] || say "${tree#"$top"/} is there: KSRC= is not used (remove it to import another base)"
	exit 0
fi

unavailable() { printf 'base: %s\n' "$*" >&2; exit 3; }

# With apt as this machine has it set up.
download()
{
	if ! apt-cache show "$package" >/dev/null 2>&1; then
		[ "$linux" = 6.12 ] || return 1
		as_root apt-get update >"$build/log/apt.log" 2>&1 || true
		apt-cache show "$package" >/dev/null 2>&1 || return
	fi
	say "downloading $package (about 150 MB)"
	(cd "$dir" && apt-get -q -o APT::Sandbox::User=root download "$package") >"$build/log/apt.log" 2>&1
}

# From another suite of the archive that this machine's apt knows.
download_newer()
{
	local room=$build/cache/apt uri suite

	uri=$(debian_sources | sed -n 's/ -$//p' | head -n 1)
	[ -n "$uri" ] && [ -f "$keyring" ] || return
	say "downloading $package (about 170 MB) of a newer Debian"
	: >"$build/log/apt.log"
	for suite in trixie-backports forky sid; do
		download_package "$room" "$(dpkg --print-architecture)" "$build/log/apt.log" \
			"$uri" "$suite" "$package" || continue
		mv "$room"/"${package}"_*.deb "$dir/"
		rm -rf "$room"
		return
	done
	return 1
}

# The package's archive
fetch_package()
{
	local deb dir=$build/cache

	mkdir -p "$dir"
	deb=$(find "$dir/" -maxdepth 1 -name "${package}_*.deb" | sort -V | tail -n 1)
	if [ -z "$deb" ]; then
		command -v apt-get >/dev/null ||
			unavailable "no apt here to get $package with: give KSRC=<tarball or directory of Linux $linux.y>"
		download || { [ "$linux" != 6.12 ] && download_newer; } ||
			unavailable "can't get $package with apt, see build/log/apt.log: try again, or give KSRC=<tarball or directory of Linux $linux.y>"
		deb=$(find "$dir/" -maxdepth 1 -name "${package}_*.deb" | sort -V | tail -n 1)
	fi
	say "base: $(basename "$deb")"
	rm -rf "$dir/unpacked"
	dpkg-deb -x "$deb" "$dir/unpacked" || die "$(basename "$deb") is broken: remove it from build/cache"
	ksrc=$(find "$dir/unpacked" -name 'linux-source-*.tar.*' | head -n 1)
	[ -n "$ksrc" ] || die "$(basename "$deb") holds no kernel source"
}

# Sources of $ksrc into $new.
unpack()
{
	rm -rf "$new"
	mkdir -p "$new"
	if [ -f "$ksrc" ]; then
		tar -x -f "$ksrc" -C "$new" --strip-components=1 2>"$build/log/unpack.log" ||
			die "can't unpack $ksrc: $(tail -n 1 "$build/log/unpack.log")"
		return
	fi
	check_version "$ksrc"
	if git -C "$ksrc" rev-parse -q --verify HEAD >/dev/null 2>&1 && [ -e "$ksrc/.git" ]; then
		git -C "$ksrc" archive HEAD | tar -x -C "$new"
	else
		[ ! -e "$ksrc/.config" ] && [ ! -e "$ksrc/vmlinux" ] ||
			die "something was built in $ksrc: run 'make mrproper' there, or give a tarball"
		tar -c --exclude-vcs -C "$ksrc" . | tar -x -C "$new"
	fi
}

check_version() # DIR
{
	local v

	[ -f "$1/Makefile" ] && [ -d "$1/drivers/gpu/drm/panthor" ] ||
		die "$ksrc is no kernel tree with panthor"
	v=$(kernel_version "$1")
	case $v in
	"$linux".*) [ "${v##*.}" -ge "$oldest" ] || die "the base is $v: the series needs $linux.$oldest or a later $linux.y" ;;
	*) die "the base is $v: the series is for $linux.y" ;;
	esac
	version=$v
}

# The same sources make the same commit everywhere: name and date are fixed.
commit()
{
	export GIT_AUTHOR_NAME=base GIT_AUTHOR_EMAIL=base@localhost GIT_AUTHOR_DATE='2000-01-01T00:00:00Z'
	export GIT_COMMITTER_NAME=base GIT_COMMITTER_EMAIL=base@localhost GIT_COMMITTER_DATE='2000-01-01T00:00:00Z'
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
	git -C "$new" init -q -b "series$suffix"
	git -C "$new" config core.autocrlf false
	git -C "$new" config gc.auto 0
	echo 'out-*/' >>"$new/.git/info/exclude"
	# Debian's package ignores all files, for a repository without the sources
	perl -0pi -e 's/\n#\n# Debian packaging: ignore everything.*//s' "$new/.gitignore"
	git -C "$new" add -A -f .
	git -C "$new" commit -q -m "Linux $version"
	git -C "$new" tag base
}

ksrc=${KSRC:-}
if [ -n "$ksrc" ]; then
	[ -e "$ksrc" ] || die "KSRC: there is no $ksrc"
else
	fetch_package
fi
say "importing the base kernel"
trap 'rm -rf "$new"' EXIT
unpack
check_version "$new"
commit
mv "$new" "$tree"
rm -rf "$build/cache/unpacked"
say "${tree#"$top"/}: Linux $version, tag base"

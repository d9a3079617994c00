#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Import the base kernel into build/linux as one commit, tag `base`, unless it
# is there: Debian's linux-source-6.12, or KSRC=tarball|directory of 6.12.y.

. "$(dirname "$0")/lib.sh"

package=linux-source-6.12
min=117
tree=$build/linux
new=$build/linux.new

if [ -e "$tree" ]; then
	git -C "$tree" rev-parse -q --verify 'base^{commit}' >/dev/null 2>&1 && [ -d "$tree/.git" ] ||
		die "build/linux is not a tree made by 'make tree': move it away and try again"
	[ -z "${KSRC:-}" ] || say "build/linux is there: KSRC= is not used (remove build/linux to import another base)"
	exit 0
fi

# The package's archive, downloaded with apt as this machine has it set up.
fetch_package()
{
	local deb dir=$build/cache

	mkdir -p "$dir"
	deb=$(find "$dir" -name "${package}_*.deb" | sort -V | tail -n 1)
	if [ -z "$deb" ]; then
		command -v apt-get >/dev/null ||
			die "no apt here to get $package with: give KSRC=<tarball or directory of Linux 6.12.y>"
		apt-cache show "$package" >/dev/null 2>&1 || as_root apt-get update >"$build/log/apt.log" 2>&1 || true
		apt-cache show "$package" >/dev/null 2>&1 ||
			die "this machine's apt knows no $package: give KSRC=<tarball or directory of Linux 6.12.y>"
		say "downloading $package (about 150 MB)"
		(cd "$dir" && apt-get -q -o APT::Sandbox::User=root download "$package") >"$build/log/apt.log" 2>&1 ||
			die "downloading $package failed, see build/log/apt.log: try again, or give KSRC="
		deb=$(find "$dir" -name "${package}_*.deb" | sort -V | tail -n 1)
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
	6.12.*) [ "${v##*.}" -ge $min ] || die "the base is $v: the series needs 6.12.$min or a later 6.12.y" ;;
	*) die "the base is $v: the series is for 6.12.y" ;;
	esac
	version=$v
}

# The same sources make the same commit everywhere: name and date are fixed.
commit()
{
	export GIT_AUTHOR_NAME=base GIT_AUTHOR_EMAIL=base@localhost GIT_AUTHOR_DATE='2000-01-01T00:00:00Z'
	export GIT_COMMITTER_NAME=base GIT_COMMITTER_EMAIL=base@localhost GIT_COMMITTER_DATE='2000-01-01T00:00:00Z'
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
	git -C "$new" init -q -b series
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
say "build/linux: Linux $version, tag base"

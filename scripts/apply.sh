#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Apply the series to another tree of its kernel, 6.12.y or, with LINUX=7.3, 7.3.y: KDIR=
# or the argument. A git tree gets commits (git am -3), others are patched.

. "$(dirname "$0")/lib.sh"
. "$top/scripts/series.sh"

kdir=${1:-${KDIR:-}}
[ -n "$kdir" ] || die "which tree? make apply KDIR=<directory of Linux $linux.y>"
[ -d "$kdir" ] || die "KDIR: there is no directory $kdir"
kdir=$(cd "$kdir" && pwd -P)
[ -f "$kdir/Makefile" ] && [ -f "$kdir/Kbuild" ] && [ -d "$kdir/drivers/gpu" ] ||
	die "KDIR: $kdir is no kernel tree"
version=$(kernel_version "$kdir")
[[ $version =~ ^${linux/./\\.}\.([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge "$oldest" ] ||
	die "KDIR: $kdir is Linux $version, the series is for $linux.y, y being $oldest or more"
[ -d "$kdir/drivers/gpu/drm/panthor" ] || die "KDIR: $kdir has no panthor driver"
mapfile -t files < <(queue)
[ ${#files[@]} -gt 0 ] || die "$patches_name/series is empty: nothing to apply"

# All or nothing: a failure puts the tree back where it was.
apply_git()
{
	local p before

	[ -z "$(git -C "$kdir" status --porcelain -uno)" ] ||
		die "KDIR: $kdir has uncommitted changes: commit or stash them first"
	[ ! -d "$(git -C "$kdir" rev-parse --absolute-git-dir)/rebase-apply" ] ||
		die "KDIR: a git am or rebase is going on in $kdir"
	before=$(git -C "$kdir" rev-parse HEAD)
	committer "$kdir"
	for p in "${files[@]}"; do
		git -C "$kdir" am -q -3 "$patches/$p" >"$build/log/apply.log" 2>&1 && continue
		git -C "$kdir" am --abort 2>/dev/null || true
		git -C "$kdir" reset -q --hard "$before"
		die "$p does not apply to $version, see build/log/apply.log; $kdir is unchanged"
	done
}

# First on copies of the files concerned, so that a failure changes nothing.
apply_plain()
{
	local p tmp=$build/apply

	rm -rf "$tmp"
	mkdir -p "$tmp"
	(cd "$kdir" && sed -nE 's#^(---|\+\+\+) [ab]/([^[:space:]]+).*#\2#p' "${files[@]/#/$patches/}" |
		sort -u | while read -r p; do [ ! -f "$p" ] || echo "$p"; done |
		tar -c -T - ) | tar -x -C "$tmp"
	for p in "${files[@]}"; do
		patch -d "$tmp" -p1 -f -N -F0 -s --no-backup-if-mismatch <"$patches/$p" >"$build/log/apply.log" 2>&1 || {
			die "$p does not apply to $version, see build/log/apply.log; $kdir is unchanged"
		}
	done
	for p in "${files[@]}"; do
		patch -d "$kdir" -p1 -f -N -F0 -s --no-backup-if-mismatch <"$patches/$p" >>"$build/log/apply.log"
	done
	rm -rf "$tmp"
}

if git -C "$kdir" rev-parse -q --verify HEAD >/dev/null 2>&1 &&
   [ "$(git -C "$kdir" rev-parse --show-toplevel)" = "$kdir" ]; then
	apply_git
	say "${#files[@]} commits on top of Linux $version in $kdir"
else
	apply_plain
	say "${#files[@]} patches applied to Linux $version in $kdir"
fi

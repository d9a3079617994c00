#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Write patches/6.12, or 7.3, and the readable copies from branch series of build/linux.
# Twice in a row changes nothing.

. "$(dirname "$0")/lib.sh"
. "$top/scripts/series.sh"

need_tree
[ -z "$(uncommitted)" ] || say "$tree_name has uncommitted changes: they are not exported"

dir=$build/export
rm -rf "$dir"
generate "$dir"
mkdir -p "$patches"

# unchanged files are not touched
for f in "$dir"/*; do
	cmp -s "$f" "$patches/${f##*/}" || cp "$f" "$patches/"
done
for f in "$patches"/*.patch; do
	[ -e "$dir/${f##*/}" ] || rm "$f"
done

while read -r what f; do
	if [ "$what" = extra ]; then
		rm "$top/$f"
		rmdir -p --ignore-fail-on-non-empty "$(dirname "$f")"
	else
		mkdir -p "$top/$(dirname "$f")"
		kgit show "$branch:$f" >"$top/$f"
	fi
done < <(stale_copies)
set_mark
say "exported $(queue | wc -l) patches and $(added_files | wc -l) readable copies"

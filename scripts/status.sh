#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Say "in sync", or what of build/linux is not in patches/6.12 and which readable
# copy differs; status 1 then.

. "$(dirname "$0")/lib.sh"
. "$top/scripts/series.sh"

need_tree
problems=0
problem() { problems=1; printf '%s\n' "$*"; }
listed() { sed 's/^/    /' | head -n "${1:-20}"; }

dirty=$(uncommitted)
if [ -n "$dirty" ]; then
	problem "uncommitted changes in $tree_name (commit, then 'make export'):"
	listed <<<"$dirty"
fi

if ! unchanged_since_mark; then
	dir=$build/export
	rm -rf "$dir"
	generate "$dir"
	changes=$({ diff -r -q -x series -x '0000-*' -x cover-letters "$dir" "$patches" 2>&1 || true; } |
		sed -n "s|^Files .* and $patches/\(.*\) differ|changed: \1|p
			s|^Only in $dir: |only in $tree_name: |p
			s|^Only in $patches: |only in $patches_name: |p
			s|^diff: .*|no $patches_name at all|p")
	if [ -n "$changes" ]; then
		problem "not exported ('make export'; if $patches_name is the newer side: 'make tree'):"
		listed <<<"$changes"
	fi
fi

copies=$(stale_copies)
if [ -n "$copies" ]; then
	problem "readable copies differ from the series ('make export'):"
	listed <<<"$copies"
fi

[ $problems = 1 ] || echo "in sync"
exit $problems

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# build/linux: the base (tag base) with patches/6.12 on branch series. With --base
# also build/linux-base, the unpatched sources. Unexported work is never lost.

. "$(dirname "$0")/lib.sh"
. "$top/scripts/series.sh"

apply_queue()
{
	local p before

	[ "$(kgit symbolic-ref -q HEAD)" = "refs/heads/$branch" ] ||
		die "$tree_name is not on branch $branch: git -C $tree_name switch $branch"
	committer "$top"
	before=$(series_head)
	kgit reset -q --hard base
	while read -r p; do
		[ -f "$patches/$p" ] || { kgit reset -q --hard "$before"; die "$patches_name/series names $p, which is missing"; }
		kgit am -q --committer-date-is-author-date "$patches/$p" >"$build/log/am.log" 2>&1 || {
			kgit am --abort
			kgit reset -q --hard "$before"
			die "$patches_name/$p does not apply to $(kgit log -1 --format=%s base), see build/log/am.log"
		}
	done < <(queue)
	set_mark
	say "series: $(kgit rev-list --count "base..$branch") patches on $(kgit log -1 --format=%s base)"
}

same_as_patches()
{
	local dir=$build/export

	rm -rf "$dir"
	generate "$dir"
	diff -r -q -x series -x '0000-*' -x cover-letters "$dir" "$patches" >/dev/null 2>&1
}

sync()
{
	unchanged_since_mark && return
	# nothing exported yet: whatever the branch has is new work
	[ -n "$(queue)" ] || return 0
	# the patches as they were applied: the branch may be ahead of it
	[ "$(cat "$tree/.git/panthor-patches" 2>/dev/null)" != "$(queue_hash)" ] || return 0
	if [ "$(series_head)" = "$(kgit rev-parse 'base^{commit}')" ] ||
	   [ "$(series_head)" = "$(kgit rev-parse -q --verify $mark)" ]; then
		[ -z "$(kgit status --porcelain -uno)" ] ||
			die "$patches_name has changed, and $tree_name has uncommitted changes: commit and 'make export', or drop them"
		apply_queue
	elif same_as_patches; then
		set_mark
	else
		die "$patches_name has changed, and branch $branch in $tree_name has commits that are not in it: rename that branch (git -C $tree_name branch -m $branch mine; git -C $tree_name switch -c $branch base), 'make tree', then bring your commits over"
	fi
}

"$top/scripts/base.sh"
need_tree
sync
if [ "${1:-}" = --base ] && [ ! -f "$build/linux$suffix-base/Makefile" ]; then
	rm -rf "$build/linux$suffix-base"
	kgit worktree prune
	kgit worktree add -q --detach "$build/linux$suffix-base" base
fi

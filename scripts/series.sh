# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
# The patch queue: shared by tree.sh, export.sh, status.sh, apply.sh, which
# source this after lib.sh.
#
# build/linux has tag `base` and branch `series`, and patches/6.12 its patches; with
# LINUX=7.3, build/linux-7.3 has branch `series-7.3`, and patches/7.3 its patches. After
# 'make tree' and 'make export' ref `refs/panthor/exported` names the commit that these
# stand for, and the file .git/panthor-patches their state then. So work that is
# on one side only can be told, also with another 6.12.y as base, for which
# git format-patch writes other line numbers.

tree=$build/linux$suffix
tree_name=build/linux$suffix
branch=series$suffix
patches_name=patches/$linux
patches=$top/$patches_name
mark=refs/panthor/exported

# The user's git configuration must not change the patches' form.
kgit() { GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -C "$tree" -c core.abbrev=12 "$@"; }

# git am wants a name for the committer; the authors are in the patches.
committer() # REPOSITORY
{
	GIT_COMMITTER_NAME=$(git -C "$1" config user.name || echo series)
	GIT_COMMITTER_EMAIL=$(git -C "$1" config user.email || echo series@localhost)
	export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
}

# Patch files in the order of the file series.
queue()
{
	[ -f "$patches/series" ] || return 0
	sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$patches/series"
}

queue_hash()
{
	local p

	while read -r p; do
		cat "$patches/$p"
	done < <(queue) | sha256sum | cut -d' ' -f1
}

series_head() { kgit rev-parse -q --verify "refs/heads/$branch"; }

# Both sides are what they were when they were the same.
unchanged_since_mark()
{
	[ "$(kgit rev-parse -q --verify $mark)" = "$(series_head)" ] &&
		[ "$(cat "$tree/.git/panthor-patches" 2>/dev/null)" = "$(queue_hash)" ]
}

set_mark()
{
	kgit update-ref $mark "refs/heads/$branch"
	queue_hash >"$tree/.git/panthor-patches"
}

# Changes that no commit holds, one a line.
uncommitted() { kgit status --porcelain; }

need_tree()
{
	[ -d "$tree/.git" ] || die "no $tree_name: run 'make tree' first"
	series_head >/dev/null || die "$tree_name has no branch $branch: remove it and run 'make tree'"
	kgit rev-parse -q --verify 'base^{commit}' >/dev/null ||
		die "$tree_name has no tag base: remove it and run 'make tree'"
}

# --- what export writes ---

# Everything derived from the branch, into an empty directory.
generate() { # DIR
	local dir=$1

	mkdir -p "$dir"
	kgit format-patch -q -o "$dir" --zero-commit --no-signature --no-numbered --no-base \
		--no-renames --diff-algorithm=myers --src-prefix=a/ --dst-prefix=b/ -U3 \
		--abbrev=12 --subject-prefix=PATCH --no-thread --no-attach --no-notes \
		--no-cover-letter --encode-email-headers "base..$branch"
	generate_cover >"$dir/0000-cover-letter.patch"
	generate_series "$dir" >"$dir/series"
}

# Text in the cover letter: ours down to the line "Base: ", generated from there.
cover_subject()
{
	local f=$patches/0000-cover-letter.patch

	if [ -f "$f" ]; then
		sed -n '/^Subject: /,/^[^ ]/{ s/^Subject: \[[^]]*\] //; /^[A-Z][a-z]*:/d; s/^ *//; /^$/q; p }' "$f" | paste -sd' '
	else
		echo "drm/panthor: GEM memory reclaim"
	fi
}

cover_body()
{
	local f=$patches/0000-cover-letter.patch

	if [ -f "$f" ]; then
		sed -n '1,/^$/d; /^Base: /q; p' "$f"
	else
		printf '%s\n\n' "(The text of the cover letter is written here; what follows the line that begins with 'Base:' is generated.)"
	fi
}

generate_cover()
{
	local n

	n=$(kgit rev-list --count "base..$branch")
	echo "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001"
	kgit log -1 --format='From: %an <%ae>%nDate: %aD' "$branch"
	printf 'Subject: [PATCH %0*d/%d] %s\n\n' ${#n} 0 "$n" "$(cover_subject)"
	cover_body
	printf 'Base: Linux %s\n\n' "$(kgit log -1 --format=%s base | sed 's/^Linux //')"
	[ "$n" != 0 ] || return 0
	kgit shortlog -w72,2,4 "base..$branch"
	kgit diff --no-renames --stat=72 --summary base "$branch"
}

# quilt order. A patch keeps the heading that it had; a new one goes under that
# of the patch before it. To move a heading, edit that file.
generate_series() { # DIR
	(cd "$1" && ls [0-9]*.patch) | grep -v '^0000-' | awk -v old="$patches/series" '
		function slug(name) { sub(/^[0-9]+-/, "", name); return name }
		BEGIN {
			while ((getline line < old) > 0) {
				if (line ~ /^#/) { heading = line; if (first == "") first = line }
				else if (line != "") topic[slug(line)] = heading
			}
			current = first == "" ? "# drm/panthor: memory reclaim" : first
		}
		{
			if (slug($0) in topic) current = topic[slug($0)]
			if (current != printed) { print (NR > 1 ? "\n" : "") current; printed = current }
			print
		}'
}

# Files that the series adds, to be read at their kernel path in this repository.
# scripts/ and tools/testing/panthor/ are ours.
added_files()
{
	kgit diff --no-renames --diff-filter=A --name-only base "$branch" |
		grep -v -e '^scripts/' -e '^tools/testing/panthor/' -e '^[^/]*$' || true
}

# Copies in this repository: what git knows in a directory of the kernel's. Other files
# there are somebody's own.
copied_files()
{
	git -C "$top" ls-files -- Documentation arch block crypto drivers fs include init io_uring \
		ipc kernel lib mm net rust samples security sound tools usr virt ':!tools/testing/panthor'
}

# Copies that are missing, differ, or belong to no file of the series: "what path".
stale_copies()
{
	local f

	[ "$linux" = 6.12 ] || return 0	# copies are of that series
	while read -r f; do
		if [ ! -f "$top/$f" ]; then echo "missing $f"
		elif ! kgit show "$branch:$f" | cmp -s - "$top/$f"; then echo "differs $f"
		fi
	done < <(added_files)
	copied_files | sort | comm -23 - <(added_files | sort) | sed 's/^/extra /'
}

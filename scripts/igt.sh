#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make igt: every subtest of IGT's panthor tests in the guest, and those of
# patches/igt; the former a second time with a background writer of debugfs `shrink`,
# where the kernel has that file.
# Ends with "N passed, N failed, N skipped".

. "$(dirname "$0")/lib.sh"
from_env debug
log=$build/log/igt-$tree-$flavour
packages=$build/log/igt-$arch-packages.txt
results_start

# What patches/igt adds
build_added()
{
	local status=0

	"$top/scripts/build-igt.sh" || status=$?
	case $status in
	0) ;;
	3)
		echo "*** patches/igt SKIPPED: not built, and not run ***"
		results_add "0 0 1" ;;
	*) exit 1 ;;
	esac
}

status=0
"$top/scripts/fetch-igt.sh" --arch "$arch" >"$packages" || status=$?
case $status in
0) ;;
3)
	echo "*** IGT SKIPPED: it could not be fetched, no IGT test was run ***"
	results_add "0 0 1"
	results_end ;;
*) exit 1 ;;
esac
say "IGT: package, version, sha256 (the rest: ${packages#"$top"/})"
grep '^igt-gpu-tools' "$packages"

"$top/scripts/prepare.sh" "${target[@]}"
[ "$arch" != um ] || build_added
run_ktap "$log" "${guest[@]}" --name "igt-$tree-$flavour" --timeout 3600 -- scripts/igt-guest.sh
results_end
